/** @file `cool runs list` and `cool runs show`: the runs of a store, in the JSON contract's names. */
import { join } from "node:path";
import { type RunRecord, secondsUntil } from "../storage/run-record.js";
import type { RunStore, RunsQuery } from "../storage/run-store.js";
import { type EvaluationRow, type Split, SYSTEM_TASK } from "../tasks/evaluation.js";
import { peekJson, recordOf, runFiles } from "./run-folder.js";
import { isTracked } from "./tracked-run.js";

/** A run as lists show it. */
export interface ListedRun {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly state: string;
  readonly dir: string;
  readonly backend: string | null;
  readonly seed: number | null;
  readonly epochs: number | null;
  readonly epochs_done: number;
  /** The epoch of the checkpoint that the results come from; null where it is not known. */
  readonly best_epoch: number | null;
  readonly started_at: string;
  readonly ended_at: string | null;
  /** Time of training, over all sessions; null while it runs. */
  readonly duration_s: number | null;
  readonly git_commit: string | null;
  readonly tags: readonly string[];
  readonly starred: boolean;
  readonly note: string | null;
  readonly error: string | null;
  /** When it was moved to the trash. */
  readonly deleted_at: string | null;
  /** The columns that were asked for, by their names. */
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface ShownRun extends ListedRun {
  /** Name of the group that it belongs to, such as the folds of a cross-validation. */
  readonly group: string | null;
  readonly command_line: string | null;
  readonly host: string;
  readonly node_version: string;
  readonly package_version: string;
  readonly backend_version: string | null;
  readonly git_branch: string | null;
  readonly git_dirty: boolean | null;
  readonly data_digest: string | null;
  readonly source_digest: string | null;
  readonly config: Readonly<Record<string, unknown>>;
  /** Settings that were not as the project has them: changed by `--set` or by a flag. */
  readonly config_changes: Readonly<Record<string, "set" | "flag">>;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly thresholds: Readonly<Record<string, number | readonly number[]>>;
  readonly evaluation: readonly EvaluationRow[];
  /** Of a run that another program trained: the last point of each curve. */
  readonly last_values?: readonly LastValue[];
  /** Rows of the table that were left out because of their images; null where the run's folder does not tell. */
  readonly skipped: number | null;
}

/** The last point of a curve. */
export interface LastValue {
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: string;
  readonly step: number;
  /** null where it is undefined. */
  readonly value: number | null;
}

/** @throws UsageError for a condition, order or column that cannot be understood */
export function listRuns(store: RunStore, query: RunsQuery = {}): ListedRun[] {
  const hasColumns = (query.columns ?? []).length > 0;
  return store
    .queryRuns(query)
    .map(({ run, values }) => (hasColumns ? { ...listed(store, run), values } : listed(store, run)));
}

export function showRun(store: RunStore, reference: string): ShownRun {
  const run = store.findRun(reference);
  return {
    ...listed(store, run),
    group: store.groupOf(run.id)?.name ?? null,
    command_line: run.commandLine,
    host: run.host,
    node_version: run.nodeVersion,
    package_version: run.packageVersion,
    backend_version: run.backendVersion,
    git_branch: run.gitBranch,
    git_dirty: run.gitDirty,
    data_digest: run.dataDigest,
    source_digest: run.sourceDigest,
    config: store.readConfig(run.id),
    config_changes: store.readConfigChanges(run.id),
    environment: store.readEnvironment(run.id),
    thresholds: thresholdsOf(store, run.id),
    evaluation: store.readEvaluation(run.id),
    ...(isTracked(store.runDir(run.id)) ? { last_values: lastValues(store, run.id) } : {}),
    skipped: skippedRows(store.runDir(run.id)),
  };
}

/** The last points of a run's curves, but for the load of the machine. */
export function lastValues(store: RunStore, id: string): LastValue[] {
  return store
    .lastMetrics(id)
    .filter(({ taskPath }) => taskPath !== SYSTEM_TASK)
    .map(({ split, taskPath, metricName, step, value }) => ({
      ...{ split, task_path: taskPath, metric_name: metricName, step },
      value: value === null || Number.isNaN(value) ? null : value,
    }));
}

/** A number per task, or one per label. */
function thresholdsOf(store: RunStore, id: string): ShownRun["thresholds"] {
  const byPath = new Map<string, number | number[]>();
  for (const { taskPath, label, value } of store.readThresholds(id)) {
    const known = byPath.get(taskPath);
    if (label === null) byPath.set(taskPath, value);
    else byPath.set(taskPath, Array.isArray(known) ? [...known, value] : [value]);
  }
  return Object.fromEntries(byPath);
}

function skippedRows(runDir: string): number | null {
  // runs of the first version do not tell
  const { skipped } = recordOf(peekJson(runFiles(runDir).config));
  return Array.isArray(skipped) ? skipped.length : null;
}

/** A run in the contract's names. */
export function listed(store: RunStore, run: RunRecord): ListedRun {
  return {
    id: run.id,
    name: run.name,
    project: run.project,
    state: run.displayState,
    dir: join(store.dir, "runs", run.id),
    backend: run.backend,
    seed: run.seed,
    epochs: run.epochs,
    epochs_done: run.epochsDone,
    best_epoch: run.bestEpoch,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    duration_s: run.endedAt === null ? null : secondsUntil(run.endedAt, run),
    git_commit: run.gitCommit,
    tags: run.tags,
    starred: run.starred,
    note: run.note,
    error: run.error,
    deleted_at: run.deletedAt,
  };
}
