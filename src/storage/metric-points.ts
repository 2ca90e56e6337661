/** @file The table metric_points: the curves of a run. */
import type { Split } from "../tasks/evaluation.js";
import { insertion, selection, where } from "./columns.js";
import type { Database } from "./database.js";

/** One value of one metric at one step of training. */
export interface MetricPoint {
  readonly split: Split;
  /** `_total` for what belongs to no task. */
  readonly taskPath: string;
  readonly metricName: string;
  /** Optimizer steps since the start of the run, for every split. */
  readonly step: number;
  readonly epoch: number | null;
  /** null where the metric is undefined; NaN and the infinities are kept. */
  readonly value: number | null;
  /** Seconds since 1970. */
  readonly wallTime: number;
}

/** Restricts what is read; nothing given: everything. */
export interface MetricFilter {
  readonly split?: Split | undefined;
  readonly taskPath?: string | undefined;
  readonly metricName?: string | undefined;
}

interface MetricRow extends MetricPoint {
  readonly isNan: 0 | 1;
}

const FIELDS = ["split", "taskPath", "metricName", "step", "epoch", "value", "isNan", "wallTime"];
const KEY = "run_id, split, task_path, metric_name, step";
// a resumed run passes its last steps a second time: the later value holds
const UPSERT = `${insertion("metric_points", ["runId", ...FIELDS])} ON CONFLICT (${KEY}) DO UPDATE SET
  epoch = excluded.epoch, value = excluded.value, is_nan = excluded.is_nan, wall_time = excluded.wall_time`;

/** To be called within `write`. */
export function upsertMetrics(database: Database, runId: string, points: Iterable<MetricPoint>): void {
  database.runEach(UPSERT, toRows(runId, points));
}

/** Points of one curve after another, by ascending step. */
export function readMetrics(database: Database, runId: string, filter: MetricFilter = {}): MetricPoint[] {
  const { split, taskPath, metricName } = filter;
  const parameters = { runId, split, taskPath, metricName };
  return database
    .all<MetricRow>(`SELECT ${selection(FIELDS)} FROM metric_points ${where(parameters)} ORDER BY ${KEY}`, parameters)
    .map(toPoint);
}

/** The point of the highest step of each curve. */
export function lastMetrics(database: Database, runId: string, filter: MetricFilter = {}): MetricPoint[] {
  const { split, taskPath, metricName } = filter;
  const parameters = { runId, split, taskPath, metricName };
  // SQLite takes the other columns from the row that holds max(): https://sqlite.org/lang_select.html#bareagg
  return database
    .all<MetricRow & { last: number }>(
      `SELECT ${selection(FIELDS)}, max(step) AS last FROM metric_points ${where(parameters)}
       GROUP BY split, task_path, metric_name ORDER BY split, task_path, metric_name`,
      parameters,
    )
    .map(toPoint);
}

function* toRows(runId: string, points: Iterable<MetricPoint>) {
  for (const point of points) {
    const { split, taskPath, metricName, step, epoch, value, wallTime } = point;
    const isNan = Number.isNaN(value) ? 1 : 0;
    yield { runId, split, taskPath, metricName, step, epoch, value, isNan, wallTime };
  }
}

function toPoint({ split, taskPath, metricName, step, epoch, value, isNan, wallTime }: MetricRow): MetricPoint {
  return { split, taskPath, metricName, step, epoch, value: isNan === 1 ? Number.NaN : value, wallTime };
}
