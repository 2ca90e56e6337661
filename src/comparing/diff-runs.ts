/** @file `cool runs diff`: everything in which two runs differ, from their records and folders. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FlatFacts } from "../analysis/comparison/comparable-run.js";
import { type ComparedParam, compareFacts } from "../analysis/comparison/compare.js";
import { linesOf, unifiedDiff } from "../analysis/comparison/text-diff.js";
import { UsageError } from "../errors.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { codeFacts, environmentFacts, flat } from "./compare-runs.js";
import { type ListedRun, listed } from "../records/list-runs.js";
import { peekJson, recordOf, runFiles } from "../records/run-folder.js";
import { diffSources, type SourceDiff } from "./source-diff.js";

/** A source file of one run or both. */
export interface FileChange {
  readonly path: string;
  readonly change: "only first" | "only second" | "changed";
}

/** Where two outputs part. */
export interface OutputDiff {
  /** Lines in each; null: the run has no output. */
  readonly lines: readonly [number | null, number | null];
  /** Lines that are the same from the start. */
  readonly same_lines: number;
  /** The next lines of each, from the first that differs; empty where the outputs are the same. */
  readonly first: readonly string[];
  readonly second: readonly string[];
}

export interface RunDiff {
  readonly runs: readonly [ListedRun, ListedRun];
  /** Settings, inputs and the flow. */
  readonly config: readonly ComparedParam[];
  /** How the runs were made: command line, commit, digest of the source. */
  readonly code: readonly ComparedParam[];
  /** Files of the project whose contents differ. */
  readonly files: readonly FileChange[];
  /** null: neither commits nor patches are known. */
  readonly source: SourceDiff | null;
  readonly environment: readonly ComparedParam[];
  readonly data: readonly ComparedParam[];
  readonly output: OutputDiff;
}

export interface DiffOptions {
  /** Lines of each output to show from the first difference; default 5. */
  readonly outputLines?: number;
  /** Folder of the user's project, in whose repository the commits are looked up; null: patches alone are compared. */
  readonly projectDir?: string | null;
}

/** Compares what two runs were made of and what they said. */
export function diffRuns(
  store: RunStore,
  references: readonly [string, string],
  { outputLines = 5, projectDir = null }: DiffOptions = {},
): RunDiff {
  const [first, second] = references.map((reference) => store.findRun(reference)) as [RunRecord, RunRecord];
  if (first.id === second.id) {
    throw new UsageError(
      `"${references[0]}" and "${references[1]}" are the same run, ${first.id} (${first.name}). Name another one.`,
      { run: first.id },
    );
  }
  const compare = (factsOf: (run: RunRecord) => FlatFacts): ComparedParam[] =>
    compareFacts([factsOf(first), factsOf(second)], false);
  const files = changedFiles(sourceFilesOf(store, first), sourceFilesOf(store, second));
  return {
    runs: [listed(store, first), listed(store, second)],
    config: compare((run) => configFacts(store, run)),
    code: compare((run) => ({ command_line: run.commandLine, ...codeFacts(run) })),
    files,
    source: withKeptTexts(store, [first, second], files, sourceDiff(store, [first, second], projectDir)),
    environment: compare((run) => environmentFacts(store, run)),
    data: compare((run) => ({ data_digest: run.dataDigest ?? folderDataDigest(store, run) })),
    output: diffOutputs(outputOf(store, first), outputOf(store, second), outputLines),
  };
}

/** Settings as stored; inputs and tasks as the run's folder has them. */
function configFacts(store: RunStore, run: RunRecord): FlatFacts {
  const dir = store.runDir(run.id);
  const { inputs = {} } = recordOf(peekJson(runFiles(dir).config));
  const { flow, tasks } = recordOf(peekJson(runFiles(dir).graph));
  return {
    ...flat(store.readConfig(run.id)),
    ...flatten("inputs", inputs),
    ...(flow === undefined ? {} : flat({ flow })),
    ...flatten("tasks", Object.fromEntries(Array.isArray(tasks) ? tasks.map(taskFacts) : [])),
  };
}

/** The place of a task follows from those before it. */
function taskFacts(task: unknown): [string, unknown] {
  const { path, index: _, ...facts } = recordOf(task);
  return [String(path), facts];
}

/** Nested objects under flat keys; lists are kept whole. */
function flatten(prefix: string, value: unknown): FlatFacts {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) return flat({ [prefix]: value });
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => flatten(`${prefix}.${key}`, inner)));
}

function folderDataDigest(store: RunStore, run: RunRecord): string | null {
  const { dataDigest } = recordOf(peekJson(runFiles(store.runDir(run.id)).config));
  return typeof dataDigest === "string" ? dataDigest : null;
}

type Digests = ReadonlyMap<string, string>;

function sourceFilesOf(store: RunStore, run: RunRecord): Digests {
  const { files } = recordOf(peekJson(runFiles(store.runDir(run.id)).source));
  const records = Array.isArray(files) ? files.map(recordOf) : [];
  return new Map(records.map(({ path, sha256 }) => [String(path), String(sha256)]));
}

function changedFiles(first: Digests, second: Digests): FileChange[] {
  const paths = [...new Set([...first.keys(), ...second.keys()])].sort();
  return paths.flatMap((path): FileChange[] => {
    if (!second.has(path)) return [{ path, change: "only first" }];
    if (!first.has(path)) return [{ path, change: "only second" }];
    return first.get(path) === second.get(path) ? [] : [{ path, change: "changed" }];
  });
}

/** git is run in the user's own project alone: a repository's settings can name programs to run. */
function sourceDiff(
  store: RunStore,
  [first, second]: readonly [RunRecord, RunRecord],
  projectDir: string | null,
): SourceDiff | null {
  const stateOf = (run: RunRecord) => {
    const patchFile = join(store.runDir(run.id), "source.patch");
    return { commit: run.gitCommit, patchFile: existsSync(patchFile) ? patchFile : null };
  };
  return diffSources(projectDir, stateOf(first), stateOf(second));
}

/** Adds the lines of modules that git does not have, as far as the runs kept their text. */
function withKeptTexts(
  store: RunStore,
  runs: readonly [RunRecord, RunRecord],
  files: readonly FileChange[],
  source: SourceDiff | null,
): SourceDiff | null {
  const texts = runs.map((run) => keptTexts(store, run));
  const diffs = files.flatMap(({ path }) => {
    const [before, after] = texts.map((known) => known.get(path));
    if (before === undefined && after === undefined) return [];
    return [`--- a/${path}\n+++ b/${path}\n${unifiedDiff(before ?? "", after ?? "")}\n`];
  });
  if (diffs.length === 0) return source;
  return { kind: source?.kind ?? "source", text: [source?.text ?? "", ...diffs].join("") };
}

/** Texts that lie in a run's folder, by the path of their file. */
function keptTexts(store: RunStore, run: RunRecord): ReadonlyMap<string, string> {
  const files = runFiles(store.runDir(run.id));
  const kept = recordOf(peekJson(files.source)).kept;
  const digests = sourceFilesOf(store, run);
  return new Map(
    (Array.isArray(kept) ? kept.map(String) : []).flatMap((path): [string, string][] => {
      // a digest names a file in the folder, so it must be one
      const digest = digests.get(path) ?? "";
      const file = join(files.sourceTexts, digest);
      return /^[0-9a-f]{64}$/.test(digest) && existsSync(file) ? [[path, readFileSync(file, "utf8")]] : [];
    }),
  );
}

/** Lines of a run's output, without its id and name, which no two runs share; null: it has none. */
function outputOf(store: RunStore, run: RunRecord): readonly string[] | null {
  const file = runFiles(store.runDir(run.id)).stdout;
  return existsSync(file) ? linesOf(withoutIdentity(readFileSync(file, "utf8"), run)) : null;
}

function withoutIdentity(text: string, { id, name }: RunRecord): string {
  return text.replaceAll(`${id} (${name})`, "<run>").replaceAll(id, "<run>");
}

function diffOutputs(first: readonly string[] | null, second: readonly string[] | null, count: number): OutputDiff {
  const [a, b] = [first ?? [], second ?? []];
  let same = 0;
  while (same < Math.max(a.length, b.length) && a[same] === b[same]) same++;
  return {
    lines: [first?.length ?? null, second?.length ?? null],
    same_lines: same,
    first: a.slice(same, same + count),
    second: b.slice(same, same + count),
  };
}
