/** @file What every kind of source tells of a run, and in which words: the seam between trackers and the store. */
import type { EncodedImage } from "../logging/tensorboard/index.js";
import type { WrittenRunState } from "../storage/run-record.js";

/** Kinds of sources that are not our own. */
export const SOURCE_KINDS = ["tensorboard", "mlflow", "wandb", "trackio", "csv"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** One run of a source, before it is read. */
export interface SourceRun {
  /** Tells it apart from all other runs of its kind, wherever its source lies. */
  readonly id: string;
  /** As a person would call it. */
  readonly label: string;
  /** When it began, in seconds since 1970, as far as that is known before it is read. */
  readonly startedAt: number | null;
  /** Of what it holds now: another one where something was added. */
  digest(): string;
  /** Reads all of it, once. @throws DataError where it cannot be read; nothing of the run is kept then */
  read(sink: RunSink): RunFacts;
}

/** A source with its runs. */
export interface Source {
  readonly kind: SourceKind;
  readonly path: string;
  readonly runs: readonly SourceRun[];
  /** How it was understood, a line each. */
  readonly understood: readonly string[];
  /** What of it belongs to no run, or to runs that are passed over. */
  readonly left: readonly LeftOut[];
}

/** What is not taken. */
export interface LeftOut {
  readonly what: string;
  readonly count: number;
  readonly reason: string;
}

/** Where a point belongs, beside its name. */
export interface PointPlace {
  readonly step: number;
  /** Seconds since 1970. */
  readonly time: number;
  /** Of a name that tells none; default train. */
  readonly split?: string | undefined;
  readonly epoch?: number | null | undefined;
}

/** Takes what a run holds. Nothing throws for names or values that do not fit: they are left out, and counted. */
export interface RunSink {
  /** @param name as the source has it; its split and task are read from it */
  point(name: string, value: number, place: PointPlace): void;
  /** The load of the machine. */
  system(name: string, value: number, place: PointPlace): void;
  image(tag: string, image: EncodedImage, place: PointPlace): void;
  /** @param buckets [k, 3]: left edge, right edge, count */
  histogram(tag: string, buckets: Float64Array, place: PointPlace): void;
  /** Markdown. */
  text(tag: string, text: string, place: PointPlace): void;
  /** What it printed, with its line breaks. */
  output(text: string): void;
  /** @param path with `/` between its parts, within `root` */
  file(root: string, path: string, bytes: number): void;
  leave(what: string, reason: string, count?: number): void;
}

/** What is known of a run once it was read. */
export interface RunFacts {
  readonly name: string | null;
  readonly project: string;
  /** `running` of a run of which no end is known: it is shown as crashed when it has not been heard of for a minute. */
  readonly state: WrittenRunState;
  readonly error: string | null;
  /** Seconds since 1970. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tags: readonly string[];
  readonly note: string | null;
  readonly host: string | null;
  readonly commandLine: string | null;
  readonly gitCommit: string | null;
  readonly gitBranch: string | null;
  /** What else the source says of the run and its machine. */
  readonly environment: Readonly<Record<string, unknown>>;
}

/** Facts of a run of which nothing is known. */
export const NO_FACTS: RunFacts = {
  ...{ name: null, project: "imported", state: "finished", error: null, startedAt: null, endedAt: null, config: {} },
  ...{ tags: [], note: null, host: null, commandLine: null, gitCommit: null, gitBranch: null, environment: {} },
};
