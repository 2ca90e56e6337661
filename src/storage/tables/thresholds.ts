/** @file The table thresholds: the tuned thresholds that a run decides with. */
import { insertion, selection } from "./columns.js";
import type { Database } from "../database/database.js";

/** One threshold in the activated scale, [0, 1]. */
export interface Threshold {
  readonly taskPath: string;
  /** Index of the label of a multilabel task; 0 for a task with one threshold. */
  readonly labelIndex: number;
  /** null for a task with one threshold. */
  readonly label: string | null;
  readonly value: number;
}

/** A threshold and the metric that it was tuned for. */
export interface StoredThreshold extends Threshold {
  readonly metricName: string;
}

const FIELDS = ["taskPath", "labelIndex", "label", "metricName", "value"];
const INSERT = insertion("thresholds", ["runId", ...FIELDS]);

/** Replaces the thresholds of the tasks that `rows` name; to be called within `write`. */
export function replaceThresholds(
  database: Database,
  runId: string,
  metricName: string,
  rows: readonly Threshold[],
): void {
  const tasks = [...new Set(rows.map((row) => row.taskPath))].map((taskPath) => ({ runId, taskPath }));
  database.runEach("DELETE FROM thresholds WHERE run_id = @runId AND task_path = @taskPath", tasks);
  database.runEach(
    INSERT,
    rows.map(({ taskPath, labelIndex, label, value }) => ({ runId, metricName, taskPath, labelIndex, label, value })),
  );
}

export function readThresholds(database: Database, runId: string): StoredThreshold[] {
  return database.all(
    `SELECT ${selection(FIELDS)} FROM thresholds WHERE run_id = @runId ORDER BY task_path, label_index`,
    { runId },
  );
}
