/** @file The curves of a run: metric_series names them, series_points holds them, the view metric_points reads both. */
import type { MetricPoint, Split } from "../../tasks/evaluation.js";
import { selection, where } from "./columns.js";
import type { Database } from "../database/database.js";
import { type CurveName, CurveNumbers } from "./curve-numbers.js";
import { updateMonitored } from "./monitored.js";

export type { CurveName } from "./curve-numbers.js";

/** Restricts what is read; nothing given: everything. */
export interface MetricFilter {
  readonly split?: Split | undefined;
  readonly taskPath?: string | undefined;
  readonly metricName?: string | undefined;
  /** Points of this step and later ones. */
  readonly fromStep?: number | undefined;
}

export interface MetricRow extends MetricPoint {
  readonly isNan: 0 | 1;
}

const FIELDS = ["split", "taskPath", "metricName", "step", "epoch", "value", "isNan", "wallTime"];
const KEY = "run_id, split, task_path, metric_name, step";
const CURVES_OF_RUN =
  "SELECT split, task_path AS taskPath, metric_name AS metricName FROM metric_series WHERE run_id = @runId ORDER BY id";
// a resumed run passes its last steps a second time: the later value holds
export const LATER_HOLDS = `ON CONFLICT (series_id, step) DO UPDATE SET
  epoch = excluded.epoch, value = excluded.value, is_nan = excluded.is_nan, wall_time = excluded.wall_time`;
const UPSERT = `INSERT INTO series_points (series_id, step, epoch, value, is_nan, wall_time) VALUES (?, ?, ?, ?, ?, ?)
  ${LATER_HOLDS}`;

// one statement for all curves: their index is then written in one go
const UPDATE_LAST = `UPDATE metric_series SET last_value =
  (SELECT value FROM series_points WHERE series_id = metric_series.id ORDER BY step DESC LIMIT 1)
  WHERE id IN (SELECT value FROM json_each(@ids))`;

/** To be called within `write`. @param numbers of the run's curves */
export function upsertMetrics(
  database: Database,
  runId: string,
  points: Iterable<MetricPoint>,
  numbers: CurveNumbers = new CurveNumbers(database, runId),
): void {
  const written = new Set<number>();
  database.runEach(UPSERT, toRows(points, numbers, written));
  updateLast(database, [...written]);
  updateMonitored(database, runId, written);
}

function updateLast(database: Database, ids: readonly number[]): void {
  database.run(UPDATE_LAST, { ids: JSON.stringify(ids) });
}

const COPY = `INSERT INTO series_points (series_id, step, epoch, value, is_nan, wall_time)
  SELECT @to, step, epoch, value, is_nan, wall_time FROM staged.points WHERE series_id = @from ORDER BY step
  ${LATER_HOLDS}`;

/** Takes curves from the attached database `staged`, where `id` is their number; to be called within `write`. */
export function copyPoints(
  database: Database,
  runId: string,
  curves: Iterable<CurveName & { readonly id: number }>,
): void {
  const numbers = new CurveNumbers(database, runId);
  for (const curve of curves) {
    const to = numbers.of(curve);
    database.run(COPY, { from: curve.id, to });
    updateLast(database, [to]);
  }
  updateMonitored(database, runId);
}

/** Points of one curve after another, by ascending step. */
export function readMetrics(database: Database, runId: string, filter: MetricFilter = {}): MetricPoint[] {
  const { split, taskPath, metricName, fromStep } = filter;
  const names = { runId, split, taskPath, metricName };
  const steps = fromStep === undefined ? "" : " AND step >= @fromStep";
  const sql = `SELECT ${selection(FIELDS)} FROM metric_points ${where(names)}${steps} ORDER BY ${KEY}`;
  return database.all<MetricRow>(sql, { ...names, ...(fromStep === undefined ? {} : { fromStep }) }).map(toPoint);
}

/** The names of a run's curves, in the order in which they first had a point; none of their points is read. */
export function listCurves(database: Database, runId: string): CurveName[] {
  return database.all<CurveName>(CURVES_OF_RUN, { runId });
}

/** How many points a curve has. */
export function countPoints(database: Database, runId: string, name: CurveName): number {
  const { split, taskPath, metricName } = name;
  const parameters = { runId, split, taskPath, metricName };
  const sql = `SELECT count(*) AS points FROM series_points WHERE series_id =
    (SELECT id FROM metric_series ${where(parameters)})`;
  return database.get<{ points: number }>(sql, parameters)?.points ?? 0;
}

/** The same points one by one; nothing else can be done with this connection before the last one is read. */
export function* eachMetric(database: Database, runId: string): Generator<MetricPoint> {
  const sql = `SELECT ${selection(FIELDS)} FROM metric_points WHERE run_id = @runId ORDER BY ${KEY}`;
  for (const row of database.each<MetricRow>(sql, { runId })) yield toPoint(row);
}

/** The point of the highest step of each curve. */
export function lastMetrics(database: Database, runId: string, filter: MetricFilter = {}): MetricPoint[] {
  const { split, taskPath, metricName } = filter;
  const parameters = { runId, split, taskPath, metricName };
  // the end of each curve is looked up: a run may have millions of points
  return database
    .all<MetricRow>(
      `SELECT ${selection(FIELDS)} FROM metric_series JOIN series_points ON series_id = id ${where(parameters)}
       AND step = (SELECT max(step) FROM series_points WHERE series_id = metric_series.id)
       ORDER BY split, task_path, metric_name`,
      parameters,
    )
    .map(toPoint);
}

/** @param written takes the numbers of the curves */
function* toRows(
  points: Iterable<MetricPoint>,
  numbers: CurveNumbers,
  written: Set<number>,
): Generator<(number | null)[]> {
  for (const point of points) {
    const { step, epoch, value, wallTime } = point;
    const id = numbers.of(point);
    written.add(id);
    yield [id, step, epoch, value, Number.isNaN(value) ? 1 : 0, wallTime];
  }
}

export function toPoint({ split, taskPath, metricName, step, epoch, value, isNan, wallTime }: MetricRow): MetricPoint {
  return { split, taskPath, metricName, step, epoch, value: isNan === 1 ? Number.NaN : value, wallTime };
}
