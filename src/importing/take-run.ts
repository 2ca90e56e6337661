/** @file One run of a source → one run of the store: rows, event files, output and files, all or none of it. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { runFiles } from "../records/run-folder.js";
import { writeTracked } from "../records/tracked-run.js";
import type { ImportedRun } from "../storage/import-run.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { checkedArtifactPath } from "../storage/tables/artifacts.js";
import type { NameReader } from "../tracking/names.js";
import { RunEvents } from "./run-events.js";
import type { RunFacts, Source, SourceRun } from "./shape.js";
import { CountingSink, isTime, type SinkTarget } from "./sink.js";
import { nameText } from "./texts.js";

export interface TakeOptions {
  readonly names: NameReader;
  /** Whether files are copied. */
  readonly artifacts: boolean;
  /** The run here that it was imported as before. */
  readonly known: string | null;
  /** Whether the curves of that run are left out first. */
  readonly replaceCurves: boolean;
  readonly onPoints: (points: number) => void;
}

export interface TakenRun {
  readonly run: RunRecord;
  readonly sink: CountingSink;
  /** That the run has now, and how many more than before. */
  readonly points: number;
  readonly newPoints: number;
}

/** @throws DataError for a source that cannot be read, StoreError where the store cannot be written; nothing is kept */
export function takeRun(store: RunStore, source: Source, from: SourceRun, options: TakeOptions): TakenRun {
  const digest = from.digest();
  const id = options.known ?? store.newRunId(new Date((from.startedAt ?? Date.now() / 1000) * 1000));
  const scratch = mkdtempSync(join(store.dir, ".cool-import-"));
  const target = new FolderTarget(join(scratch, id), options.artifacts);
  const sink = new CountingSink(target, options.names, options.onPoints);
  try {
    let facts: ImportedRun | null = null;
    const taken = store.importRun(
      { id, isKnown: options.known !== null, replaceCurves: options.replaceCurves, scratch },
      (put) => {
        target.put = (points) => {
          put(points);
          // a sign of life, without which it is cleaned up as what a killed import has left
          utimesSync(scratch, new Date(), new Date());
        };
        const read = from.read(sink);
        sink.flush();
        const origin = { kind: source.kind, id: from.id, digest, path: source.path };
        facts = importedRun(read, sink, origin);
        return facts;
      },
      () => {
        if (facts !== null) target.end(store, id, facts);
        moveInto(join(store.dir, "runs", id), join(scratch, id), join(scratch, "before"));
      },
    );
    return { ...taken, sink };
  } finally {
    target.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function importedRun(facts: RunFacts, sink: CountingSink, origin: Readonly<Record<string, string>>): ImportedRun {
  const now = Date.now() / 1000;
  const startedAt = timeOr(facts.startedAt, sink.first ?? timeOr(facts.endedAt, now));
  const last = Math.max(startedAt, timeOr(facts.endedAt, sink.last ?? startedAt));
  const { config, note, commandLine, error, state } = facts;
  return {
    ...{ config, note, commandLine, error, state, epochsDone: sink.epochs },
    name: facts.name === null ? undefined : runName(facts.name),
    project: nameText(facts.project) ?? "imported",
    tags: [...new Set(facts.tags.flatMap((tag) => nameText(tag) ?? []))],
    host: nameText(facts.host ?? "") ?? "unknown",
    git: { commit: facts.gitCommit, branch: facts.gitBranch, dirty: null },
    startedAt: isoTime(startedAt),
    endedAt: state === "running" ? null : isoTime(last),
    heartbeatAt: isoTime(state === "running" ? Math.max(startedAt, sink.last ?? startedAt) : last),
    environment: { imported: origin, ...facts.environment },
    seed: seedOf(config),
  };
}

function runName(text: string): string | undefined {
  const name = nameText(text) ?? undefined;
  return name === "latest" ? "latest-imported" : name;
}

function seedOf({ seed }: Readonly<Record<string, unknown>>): number | null {
  return typeof seed === "number" && Number.isSafeInteger(seed) ? seed : null;
}

function timeOr(seconds: number | null, otherwise: number): number {
  return seconds !== null && isTime(seconds) ? seconds : otherwise;
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** Why a file is left out where files are not asked for. */
export const NOT_COPIED = "not copied without --artifacts";

/** The folder that a run is to have, while it is made. */
class FolderTarget implements SinkTarget {
  put: Parameters<Parameters<RunStore["importRun"]>[1]>[0] = () => {};
  readonly #dir: string;
  readonly #copies: boolean;
  readonly #events: RunEvents;
  #output: number | null = null;

  constructor(dir: string, copies: boolean) {
    mkdirSync(dir);
    this.#dir = dir;
    this.#copies = copies;
    this.#events = new RunEvents(dir);
  }

  points: SinkTarget["points"] = (points) => {
    this.put(points);
    this.#events.points(points);
  };
  image: SinkTarget["image"] = (...image) => this.#events.image(...image);
  histogram: SinkTarget["histogram"] = (...histogram) => this.#events.histogram(...histogram);
  text: SinkTarget["text"] = (...text) => this.#events.text(...text);

  output(text: string): void {
    this.#output ??= openSync(runFiles(this.#dir).stdout, "a");
    writeSync(this.#output, text);
  }

  file(root: string, path: string): string | null {
    if (!this.#copies) return NOT_COPIED;
    const from = join(root, path);
    if (lstatSync(from, { throwIfNoEntry: false })?.isFile() !== true) return "it is a link, or not there";
    const to = join(this.#dir, "artifacts", checkedArtifactPath(path));
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
    return null;
  }

  end(store: RunStore, id: string, run: ImportedRun): void {
    const [started, ended] = [run.startedAt, run.heartbeatAt].map((time) => Date.parse(time) / 1000);
    this.#events.end(store.readConfig(id), run.state === "failed", started ?? 0, ended ?? 0);
    this.close();
    const { project, config = {} } = run;
    writeTracked(this.#dir, { formatVersion: 1, project, workingDir: "", config });
  }

  close(): void {
    this.#events.close();
    if (this.#output !== null) closeSync(this.#output);
    this.#output = null;
  }
}

/** The folder of a run that was here is replaced. */
function moveInto(runDir: string, made: string, before: string): void {
  mkdirSync(dirname(runDir), { recursive: true });
  if (existsSync(runDir)) renameSync(runDir, before);
  try {
    renameSync(made, runDir);
  } catch (error) {
    if (existsSync(before)) renameSync(before, runDir);
    throw error;
  }
}
