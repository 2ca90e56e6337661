/** @file Whether what an earlier run was made from is still there: to repeat it, or to go on with it, exactly. */
import { existsSync, readFileSync } from "node:fs";
import type { BackendInfo } from "../engine/backends/choose.js";
import { ConfigError, UsageError } from "../errors.js";
import type { LoggerGroup } from "../logging/logger-group.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { packageVersion } from "../platform/version.js";
import type { SourceFile, SourceRecord } from "../provenance/capture-source.js";
import type { LoadedProject } from "../project/project.js";
import { readGraph, readRunConfig, runFiles } from "../records/run-folder.js";
import { parseSettings, type Settings } from "../project/settings.js";
import { isSameFlow } from "../project/token-tasks.js";

/** Which earlier run a new one belongs to; at most one of them is given. */
export interface EarlierRunOptions {
  readonly resume?: string | undefined;
  readonly again?: string | undefined;
  readonly from?: string | undefined;
}

/** @throws UsageError where the options contradict each other */
export function checkEarlierRunOptions({ resume, again, from }: EarlierRunOptions): void {
  if (resume !== undefined && again !== undefined) {
    throw new UsageError("A run is either gone on with or repeated: leave out either resume or again.");
  }
  if (from !== undefined && (resume ?? again) !== undefined) {
    const [deed, option] = resume === undefined ? ["repeated run begins", "again"] : ["resumed run goes on", "resume"];
    throw new UsageError(`A ${deed} with its own weights: leave out either from or ${option}.`);
  }
}

/** The settings that a run was made with; those that are younger than it have their defaults. */
export function settingsOfRun(store: RunStore, run: RunRecord): Settings {
  const { settings } = readRunConfig(store.runDir(run.id));
  return parseSettings(settings, `the configuration of run ${run.id}`);
}

/** What there is now of what a run was made from. */
export interface Today {
  readonly project: Pick<LoadedProject, "graph">;
  readonly source: readonly SourceFile[];
  readonly dataDigest: string;
}

/**
 * Compares project, source and data with those of a run, each difference as a clause.
 * @returns nothing where the run can be repeated exactly
 */
export function changesSince(runDir: string, { project, source, dataDigest }: Today): string[] {
  const hasSameGraph = isSameFlow(readGraph(runDir), project.graph);
  return [
    ...sourceChanges(runDir, source),
    ...(hasSameGraph ? [] : ["tasks or flow have changed"]),
    ...(readRunConfig(runDir).dataDigest === dataDigest ? [] : ["the table or its images have changed"]),
  ];
}

const MOST_SHOWN = 8;

/** Source files that are not as they were when the run was made. */
export function sourceChanges(runDir: string, source: readonly SourceFile[]): string[] {
  const file = runFiles(runDir).source;
  if (!existsSync(file)) return ["its source is not on record"];
  const { files } = JSON.parse(readFileSync(file, "utf8")) as SourceRecord;
  const before = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const now = new Map(source.map(({ path, sha256 }) => [path, sha256]));
  const changes = [...new Set([...before.keys(), ...now.keys()])].sort().flatMap((path) => {
    if (!now.has(path)) return [`${path} is gone`];
    if (!before.has(path)) return [`${path} is new`];
    return before.get(path) === now.get(path) ? [] : [`${path} has changed`];
  });
  const more = changes.length - MOST_SHOWN;
  return more > 0 ? [...changes.slice(0, MOST_SHOWN), `${more} more files differ`] : changes;
}

/**
 * A repeated run is an exact one, or its user has said that it need not be.
 * @throws ConfigError that lists the changes, unless `force` makes it a warning
 */
export function assertRepeatable(
  run: RunRecord,
  changes: readonly string[],
  force: boolean,
  loggers: LoggerGroup,
): void {
  if (changes.length === 0) return;
  const what = `Run ${run.id} (${run.name}) cannot be repeated exactly: ${changes.join("; ")}.`;
  if (!force) {
    throw new ConfigError(
      `${what} Restore what it was made from (cool runs show ${run.id} names its commit), or take what there is now with --force.`,
      { run: run.id, changes },
    );
  }
  loggers.warning(`${what} It is repeated with what there is now.`);
}

/** Warns of what may change the last digits of weights: another backend, or another version of what computes. */
export function warnOfOtherArithmetic(run: RunRecord, backend: BackendInfo, loggers: LoggerGroup): void {
  const differences = [
    ...(run.backend === backend.name
      ? versions(`the backend ${backend.name}`, run.backendVersion, backend.version)
      : []),
    ...(run.backend === backend.name ? [] : [`the backend was ${run.backend} and is ${backend.name}`]),
    ...versions("dnn-cool", run.packageVersion, packageVersion()),
  ];
  if (differences.length === 0) return;
  loggers.warning(
    `Weights may differ in their last digits from those of run ${run.id} (${run.name}): ${differences.join("; ")}.`,
  );
}

function versions(what: string, before: string | null, now: string): string[] {
  return before === null || before === now ? [] : [`${what} was ${before} and is ${now}`];
}
