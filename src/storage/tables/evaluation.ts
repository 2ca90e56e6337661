/** @file The table evaluation: the last evaluation of each split, with gates by truth and by prediction. */
import type { EvaluationRow, Gates, Split } from "../../tasks/evaluation.js";
import { where } from "./columns.js";
import type { Database } from "../database/database.js";

/** Restricts what is read; nothing given: everything. */
export interface EvaluationFilter {
  readonly split?: Split | undefined;
  readonly gates?: Gates | undefined;
  readonly taskPath?: string | undefined;
  readonly metricName?: string | undefined;
}

const COLUMNS = "split, task_path, metric_name, metric_res, num_samples, gates";

/** Replaces every frame (split and gates) of which `rows` has a row; to be called within `write`. */
export function replaceEvaluation(database: Database, runId: string, rows: readonly EvaluationRow[]): void {
  const frames = new Map(rows.map(({ split, gates }) => [`${split} ${gates}`, { runId, split, gates }]));
  database.runEach(
    "DELETE FROM evaluation WHERE run_id = @runId AND split = @split AND gates = @gates",
    frames.values(),
  );
  database.runEach(
    `INSERT INTO evaluation (run_id, ${COLUMNS})
     VALUES (@runId, @split, @task_path, @metric_name, @metric_res, @num_samples, @gates)`,
    rows.map((row) => ({ ...row, runId })),
  );
}

/** Rows by split, gates and then as they were given; a metric that was NaN is null. */
export function readEvaluation(database: Database, runId: string, filter: EvaluationFilter = {}): EvaluationRow[] {
  const { split, gates, taskPath, metricName } = filter;
  const parameters = { runId, split, gates, taskPath, metricName };
  return database.all(
    `SELECT ${COLUMNS} FROM evaluation ${where(parameters)}
     ORDER BY CASE split WHEN 'train' THEN 0 WHEN 'valid' THEN 1 ELSE 2 END, gates DESC, seq`,
    parameters,
  );
}
