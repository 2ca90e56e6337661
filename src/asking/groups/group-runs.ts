/** @file A group of runs as it is on record: its runs, and what they come to together. */
import { join } from "node:path";
import { StoreError } from "../../errors.js";
import { askAmong } from "../../project/metrics.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import type { ThresholdsByPath } from "../../records/thresholds.js";
import type { RunStore } from "../../storage/run-store.js";
import type { RunGroup } from "../../storage/tables/groups.js";
import type { EvaluatedGates, GroupEvaluationRow, Split } from "../../tasks/evaluation.js";
import { type OpenRunOptions, openStoredRun, type StoredRun } from "../stored-run.js";

/** What a group of runs comes to. */
export interface GroupResult {
  readonly group: GroupSummary;
  readonly thresholds: ThresholdsByPath;
  readonly evaluation: readonly GroupEvaluationRow[];
}

/** A group as the results of commands name it. */
export interface GroupSummary {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** Out-of-fold answers (valid.parquet) and those of the ensemble (test.parquet). */
  readonly predictions: string;
  readonly runs: readonly RunSummary[];
}

/** What is asked of a group's evaluation; nothing: all of it. */
export interface GroupFilter {
  readonly split?: Split | undefined;
  readonly gates?: EvaluatedGates | undefined;
  /** Names of metrics that are on record, or `all`. */
  readonly metrics?: readonly string[] | undefined;
}

/**
 * A group as it is on record.
 * @throws StoreError where it has no results yet, UnknownNameError for a metric that was not computed
 */
export function groupResult(
  store: RunStore,
  group: RunGroup,
  { split, gates, metrics }: GroupFilter = {},
): Omit<GroupResult, "thresholds"> {
  const rows = store.readGroupEvaluation(group.id);
  if (rows.length === 0) throw noResults(group);
  const asked = metrics === undefined ? null : askAmong(rows, metrics, `what the store keeps of group ${group.name}`);
  const evaluation = rows.filter(
    (row) =>
      (split === undefined || row.split === split) &&
      (gates === undefined || row.gates === gates) &&
      (asked?.selects(row) ?? true),
  );
  return { group: summarizeGroup(store, group), evaluation };
}

/** A group as results name it, with its runs. */
export function summarizeGroup(store: RunStore, { id, name, kind, runs }: RunGroup): GroupSummary {
  return {
    ...{ id, name, kind, predictions: groupFolder(store, id) },
    runs: runs.map((run) => summarize(store.getRun(run.id), store.runDir(run.id))),
  };
}

/** The runs of a group with their thresholds and graphs. @throws StoreError where one is missing or has not finished */
export async function openMembers(
  store: RunStore,
  group: RunGroup,
  options: OpenRunOptions = {},
): Promise<readonly StoredRun[]> {
  if (group.kind === "sweep") throw noResults(group);
  const finished = group.runs.filter(({ id }) => store.getRun(id).state === "finished");
  if (finished.length < group.planned) throw noResults(group, finished.length);
  return Promise.all(group.runs.map(({ id }) => openStoredRun(store, id, options)));
}

function noResults({ id, name, kind, planned }: RunGroup, finished = 0): StoreError {
  if (kind === "sweep") {
    return new StoreError(
      `${name} is a sweep, whose trials are runs that answer one by one. Name one of them; cool sweep show ${name} says which are the best.`,
      { group: id },
    );
  }
  return new StoreError(
    `The group ${name} (${id}) has no results: ${finished} of ${planned} folds are finished. Go on with: cool run --folds --resume ${name}`,
    { group: id, finished, planned },
  );
}

/** Folder of the answers of all runs together. */
export function groupFolder(store: RunStore, id: string): string {
  return join(store.dir, "groups", id, "predictions");
}
