/** @file Whether what an earlier run was made from is still there: to repeat it, or to go on with it, exactly. */
import { existsSync } from "node:fs";
import type { BackendInfo } from "../engine/backends/choose.js";
import { ConfigError, UsageError } from "../errors.js";
import type { LoggerGroup } from "../logging/logger-group.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import { packageVersion } from "../platform/version.js";
import { isFromOutside, isSourceName, type SourceFile } from "../provenance/source-files.js";
import type { LoadedProject } from "../project/resolve-project.js";
import { readGraph, readRunConfig, readSource } from "../records/run-documents.js";
import { runFiles } from "../records/run-folder.js";
import { type Settings, tablesOf } from "../project/settings.js";
import { isQuery } from "../data/tables/sql.js";
import { isSameFlow } from "../project/elements/token-tasks.js";

/** Which earlier run a new one belongs to; at most one of them is given. */
export interface EarlierRunOptions {
  readonly resume?: string | undefined;
  readonly again?: string | undefined;
  readonly from?: string | undefined;
}

/** @throws UsageError where the options contradict each other */
export function checkEarlierRunOptions({
  key,
  ...earlier
}: EarlierRunOptions & { readonly key?: string | undefined }): void {
  const { resume, again, from } = earlier;
  if (key !== undefined && (resume ?? again) !== undefined) {
    throw new UsageError("The key of a run says which run it is: leave out resume and again.");
  }
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
  return readRunConfig(store.runDir(run.id)).settings;
}

/** What there is now of what a run was made from. */
export interface Today {
  readonly project: Pick<LoadedProject, "graph" | "settings">;
  readonly source: readonly SourceFile[];
  /** null: the data has not been read yet, and is not compared. */
  readonly dataDigest: string | null;
}

/**
 * Compares project, source and data with those of a run, each difference as a clause.
 * @returns nothing where the run can be repeated exactly
 */
export function changesSince(runDir: string, { project, source, dataDigest }: Today): string[] {
  const hasSameGraph = isSameFlow(readGraph(runDir), project.graph);
  const config = readRunConfig(runDir);
  return [
    ...sourceChanges(runDir, source),
    ...(hasSameGraph ? [] : ["tasks or flow have changed"]),
    ...(foreignQueries(config.settings, project.settings).length === 0 ? [] : ["its SQL query is not the project's"]),
    ...(dataDigest === null || config.dataDigest === dataDigest ? [] : ["the table or its images have changed"]),
  ];
}

/** SQL of a run that its project does not have: it may come from anywhere, and is never executed. */
export function foreignQueries(run: Pick<Settings, "data">, project: Pick<Settings, "data">): string[] {
  const own = new Set(tablesOf(project.data));
  return tablesOf(run.data).filter((table) => isQuery(table) && !own.has(table));
}

const MOST_SHOWN = 8;

/** @throws ConfigError where a run's own SQL would be executed to go on with it */
export function assertOwnQueries(run: RunRecord, settings: Settings, project: LoadedProject): void {
  const [query] = foreignQueries(settings, project.settings);
  if (query === undefined) return;
  throw new ConfigError(
    `Run ${run.id} (${run.name}) cannot go on: it reads a SQL query that is not among the project's tables, and a run's own SQL is never executed. Name it with data.table in ${project.configFile ?? "the project"}, or start a new run.`,
    { run: run.id, query },
  );
}

/** Source files that are not as they were when the run was made. */
export function sourceChanges(runDir: string, source: readonly SourceFile[]): string[] {
  const file = runFiles(runDir).source;
  if (!existsSync(file)) return ["its source is not on record"];
  const record = readSource(runDir);
  // a run of an earlier version names its tooling, and no module from outside of the project
  const isOld = (record.formatVersion ?? 1) < 2;
  const isCompared = ({ path }: { readonly path: string }): boolean =>
    isSourceName(path) && !(isOld && isFromOutside(path));
  const before = new Map(record.files.filter(isCompared).map(({ path, sha256 }) => [path, sha256]));
  const now = new Map(source.filter(isCompared).map(({ path, sha256 }) => [path, sha256]));
  const changes = [...new Set([...before.keys(), ...now.keys()])].sort().flatMap((path) => {
    if (!now.has(path)) return [`${path} is gone`];
    if (!before.has(path)) return [`${path} is new`];
    return before.get(path) === now.get(path) ? [] : [`${path} has changed`];
  });
  const more = changes.length - MOST_SHOWN;
  return more > 0 ? [...changes.slice(0, MOST_SHOWN), `${more} more files differ`] : changes;
}

/** @throws ConfigError that lists the changes: a repeated run is an exact one */
export function assertRepeatable(run: RunRecord, changes: readonly string[]): void {
  if (changes.length === 0) return;
  throw new ConfigError(
    `${unlike(run, changes)} Restore what it was made from (cool runs show ${run.id} names its commit), or take what there is now with --force.`,
    { run: run.id, changes },
  );
}

/** Its user has said that the repeated run need not be an exact one. */
export function warnOfChanges(run: RunRecord, changes: readonly string[], loggers: LoggerGroup): void {
  if (changes.length === 0) return;
  loggers.warning(`${unlike(run, changes)} It is repeated with what there is now.`);
}

function unlike(run: RunRecord, changes: readonly string[]): string {
  return `Run ${run.id} (${run.name}) cannot be repeated exactly: ${changes.join("; ")}.`;
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
