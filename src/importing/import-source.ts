/** @file `cool runs import` of what other trackers keep: every run of a source, each whole or not at all. */
import { CoolError } from "../errors.js";
import type { RunStore } from "../storage/run-store.js";
import { NameReader } from "../tracking/names.js";
import type { LeftOut, Source, SourceKind, SourceRun } from "./shape.js";
import { CountingSink, type SinkTarget, type Taken } from "./sink.js";
import { NOT_COPIED, takeRun } from "./take-run.js";

export interface ImportOptions {
  /** Patterns of names, tried before the rules of docs/track.md. */
  readonly names?: readonly string[] | undefined;
  /** Copy the files of runs; default: they are listed as left out. */
  readonly artifacts?: boolean | undefined;
  /** Read runs that are here already once more, and replace their curves. */
  readonly again?: boolean | undefined;
  /** Only say what would be taken. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

export interface ImportProgress {
  readonly label: string;
  /** Of so many runs, from 1. */
  readonly run: number;
  readonly runs: number;
  readonly points: number;
}

/** A run as it was taken, or would be. */
export interface ImportedListing extends Taken {
  /** null in a dry run. */
  readonly id: string | null;
  readonly name: string;
  readonly project: string;
  readonly state: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** By how many the run has more than before; 0 where curves that were replaced had more. */
  readonly new_points: number;
  readonly settings: number;
  readonly tags: readonly string[];
  readonly left: readonly LeftOut[];
}

/** What `--json` prints. */
export interface ImportedRuns {
  readonly source: { readonly kind: SourceKind; readonly path: string; readonly understood: readonly string[] };
  readonly dry_run: boolean;
  readonly added: readonly ImportedListing[];
  /** That were here, and have more now. */
  readonly updated: readonly ImportedListing[];
  /** That are here already, as they are. */
  readonly same: readonly { readonly id: string; readonly name: string }[];
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** What belongs to no run, or to runs that are passed over. */
  readonly left: readonly LeftOut[];
}

/**
 * Takes all runs of a source.
 * @param store null where there is none yet, in a dry run
 * @throws UsageError for a pattern that cannot be used
 */
export function importSource(store: RunStore | null, source: Source, options: ImportOptions = {}): ImportedRuns {
  const names = new NameReader(options.names);
  const known = knownRuns(store, source.kind);
  const added: ImportedListing[] = [];
  const updated: ImportedListing[] = [];
  const same: ImportedRuns["same"][number][] = [];
  const refused: ImportedRuns["refused"][number][] = [];
  source.runs.forEach((run, i) => {
    const onPoints = (points: number): void =>
      options.onProgress?.({ label: run.label, run: i + 1, runs: source.runs.length, points });
    onPoints(0);
    try {
      const here = known.find(run);
      if (here?.isSame === true && options.again !== true) {
        same.push({ id: here.id, name: store?.getRun(here.id).name ?? run.label });
        return;
      }
      const taken =
        store === null || options.dryRun === true
          ? tried(run, names, options, onPoints)
          : kept(store, source, run, names, options, here?.id ?? null, onPoints);
      (here === undefined ? added : updated).push(taken);
      if (taken.id !== null) known.add(run, taken.id);
    } catch (error) {
      if (!(error instanceof CoolError)) throw error;
      refused.push({ name: run.label, reason: error.message });
    }
  });
  return {
    source: { kind: source.kind, path: source.path, understood: source.understood },
    dry_run: options.dryRun === true,
    ...{ added, updated, same, refused, left: source.left },
  };
}

function knownRuns(store: RunStore | null, kind: SourceKind) {
  const origins = [...(store?.importOrigins() ?? [])].filter(([, origin]) => origin.kind === kind);
  const byId = new Map(origins.map(([id, origin]) => [origin.id, { id, digest: origin.digest }]));
  const byDigest = new Map(origins.map(([id, origin]) => [origin.digest, id]));
  return {
    /** The run here that it was imported as; the same content elsewhere is the same run, too. */
    find(run: SourceRun): { readonly id: string; readonly isSame: boolean } | undefined {
      const own = byId.get(run.id);
      const digest = run.digest();
      if (own !== undefined) return { id: own.id, isSame: own.digest === digest };
      const id = byDigest.get(digest);
      return id === undefined ? undefined : { id, isSame: true };
    },
    add(run: SourceRun, id: string): void {
      byId.set(run.id, { id, digest: run.digest() });
      byDigest.set(run.digest(), id);
    },
  };
}

function kept(
  store: RunStore,
  source: Source,
  from: SourceRun,
  names: NameReader,
  { artifacts = false, again = false }: ImportOptions,
  known: string | null,
  onPoints: (points: number) => void,
): ImportedListing {
  const { run, sink, points, newPoints } = takeRun(store, source, from, {
    ...{ names, artifacts, known, replaceCurves: again, onPoints },
  });
  // of a run that was here, the points of before are not told from those that stand at the same step
  const later = known === null || again ? sink.taken.points - points : 0;
  if (later > 0) sink.leave("points", "a later value stands at their step", later);
  return {
    ...{ id: run.id, name: run.name, project: run.project, state: run.displayState },
    ...{ started_at: run.startedAt, ended_at: run.endedAt },
    ...sink.taken,
    ...{
      new_points: Math.max(0, newPoints),
      settings: Object.keys(store.readConfig(run.id)).length,
      tags: run.tags,
      left: sink.left,
    },
  };
}

/** Reads a run, and keeps nothing. */
function tried(
  from: SourceRun,
  names: NameReader,
  { artifacts = false }: ImportOptions,
  onPoints: (points: number) => void,
): ImportedListing {
  const sink = new CountingSink({ ...NOWHERE, file: () => (artifacts ? null : NOT_COPIED) }, names, onPoints);
  const facts = from.read(sink);
  sink.flush();
  const iso = (seconds: number | null): string | null =>
    seconds === null ? null : new Date(seconds * 1000).toISOString();
  return {
    ...{ id: null, name: facts.name ?? from.label, project: facts.project, state: facts.state },
    started_at: iso(facts.startedAt ?? sink.first),
    ended_at: facts.state === "running" ? null : iso(facts.endedAt ?? sink.last),
    ...sink.taken,
    ...{ new_points: sink.taken.points, settings: Object.keys(facts.config).length, tags: facts.tags, left: sink.left },
  };
}

const NOWHERE: Omit<SinkTarget, "file"> = {
  points: () => {},
  image: () => {},
  histogram: () => {},
  text: () => {},
  output: () => {},
};
