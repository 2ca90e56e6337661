/** @file The table evaluation: the last evaluation of each split, with gates by truth, by prediction, and end to end. */
import type { EvaluatedGates, EvaluationRow, Split } from "../../tasks/evaluation.js";
import { where } from "./columns.js";
import type { Database } from "../database/database.js";

/** Restricts what is read; nothing given: everything. */
export interface EvaluationFilter {
  readonly split?: Split | undefined;
  readonly gates?: EvaluatedGates | undefined;
  readonly taskPath?: string | undefined;
  readonly metricName?: string | undefined;
}

const COLUMNS =
  "split, task_path, metric_name, metric_res, num_samples, gates, baseline, beats_baseline, interval_low, interval_high";

type StoredRow = Omit<EvaluationRow, "baseline" | "beats_baseline" | "interval"> & {
  readonly baseline: number | null;
  readonly beats_baseline: number | null;
  readonly interval_low: number | null;
  readonly interval_high: number | null;
};

/** Replaces every frame (split and gates) of which `rows` has a row; to be called within `write`. */
export function replaceEvaluation(database: Database, runId: string, rows: readonly EvaluationRow[]): void {
  const frames = new Map(rows.map(({ split, gates }) => [`${split} ${gates}`, { runId, split, gates }]));
  database.runEach(
    "DELETE FROM evaluation WHERE run_id = @runId AND split = @split AND gates = @gates",
    frames.values(),
  );
  database.runEach(
    `INSERT INTO evaluation (run_id, ${COLUMNS})
     VALUES (@runId, ${COLUMNS.replace(/(\w+)/g, "@$1")})`,
    rows.map(({ baseline = null, beats_baseline, interval, ...row }) => ({
      ...{ ...row, runId, baseline },
      ...{ interval_low: interval?.[0] ?? null, interval_high: interval?.[1] ?? null },
      beats_baseline: beats_baseline === undefined ? null : Number(beats_baseline),
    })),
  );
}

/** Rows by split, gates and then as they were given; a metric that was NaN is null. */
export function readEvaluation(database: Database, runId: string, filter: EvaluationFilter = {}): EvaluationRow[] {
  const { split, gates, taskPath, metricName } = filter;
  const parameters = { runId, split, gates, taskPath, metricName };
  const rows = database.all<StoredRow>(
    `SELECT ${COLUMNS} FROM evaluation ${where(parameters)}
     ORDER BY CASE split WHEN 'train' THEN 0 WHEN 'valid' THEN 1 ELSE 2 END, gates DESC, seq`,
    parameters,
  );
  return rows.map(toRow);
}

/** A row without a baseline says nothing of one, as those of runs before there were any. */
function toRow(stored: StoredRow): EvaluationRow {
  const { split, task_path, metric_name, metric_res, num_samples, gates } = stored;
  const { interval_low: low, interval_high: high, baseline, beats_baseline } = stored;
  // filled in step by step: spreading parts takes three times as long, of hundreds of runs most of a comparison
  const row: { -readonly [Key in keyof EvaluationRow]: EvaluationRow[Key] } = {
    split,
    task_path,
    metric_name,
    metric_res,
    num_samples,
    gates,
  };
  if (low !== null && high !== null) row.interval = [low, high];
  if (baseline !== null) row.baseline = baseline;
  if (beats_baseline !== null) row.beats_baseline = beats_baseline === 1;
  return row;
}
