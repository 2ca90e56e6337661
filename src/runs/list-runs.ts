/** @file `cool runs list` and `cool runs show`: the runs of a store, in the JSON contract's names. */
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";
import type { EvaluationRow } from "../tasks/evaluation.js";

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
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly git_commit: string | null;
  readonly tags: readonly string[];
  readonly note: string | null;
  readonly error: string | null;
}

export interface ShownRun extends ListedRun {
  readonly command_line: string | null;
  readonly host: string;
  readonly node_version: string;
  readonly package_version: string;
  readonly backend_version: string | null;
  readonly git_branch: string | null;
  readonly git_dirty: boolean | null;
  readonly config: Readonly<Record<string, unknown>>;
  readonly thresholds: Readonly<Record<string, number | readonly number[]>>;
  readonly evaluation: readonly EvaluationRow[];
}

export function listRuns(
  store: RunStore,
  options: { readonly limit?: number | undefined; readonly trash?: boolean } = {},
): ListedRun[] {
  return store
    .listRuns({ limit: options.limit, includeTrash: options.trash ?? false })
    .map((run) => listed(store, run));
}

export function showRun(store: RunStore, reference: string): ShownRun {
  const run = store.findRun(reference);
  const thresholds: Record<string, number | number[]> = {};
  for (const { taskPath, label, value } of store.readThresholds(run.id)) {
    if (label === null) thresholds[taskPath] = value;
    else thresholds[taskPath] = [...((thresholds[taskPath] as number[] | undefined) ?? []), value];
  }
  return {
    ...listed(store, run),
    command_line: run.commandLine,
    host: run.host,
    node_version: run.nodeVersion,
    package_version: run.packageVersion,
    backend_version: run.backendVersion,
    git_branch: run.gitBranch,
    git_dirty: run.gitDirty,
    config: store.readConfig(run.id),
    thresholds,
    evaluation: store.readEvaluation(run.id),
  };
}

function listed(store: RunStore, run: RunRecord): ListedRun {
  return {
    id: run.id,
    name: run.name,
    project: run.project,
    state: run.displayState,
    dir: store.runDir(run.id),
    backend: run.backend,
    seed: run.seed,
    epochs: run.epochs,
    epochs_done: run.epochsDone,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    git_commit: run.gitCommit,
    tags: run.tags,
    note: run.note,
    error: run.error,
  };
}
