/** @file Curves of millions of points as a drawing shows them: what is left out never leaves SQLite. */
import type { MetricPoint } from "../../tasks/evaluation.js";
import type { Database } from "../database/database.js";
import { selection, where } from "./columns.js";
import type { CurveName } from "./curve-numbers.js";
import { type MetricRow, readMetrics, toPoint } from "./metric-points.js";

export interface ThinnedCurve {
  /** By ascending step. */
  readonly points: readonly MetricPoint[];
  /** How many points the curve has. */
  readonly total: number;
  /** How many of them are NaN or infinite. */
  readonly notFinite: number;
}

interface Part {
  readonly notFinite: number | null;
  readonly first: number | null;
  readonly last: number | null;
  readonly lowest: number | null;
  readonly highest: number | null;
}

interface Ends {
  readonly id: number;
  readonly total: number;
  readonly first: number;
  readonly last: number;
}

const ENDS = `SELECT id, (SELECT count(*) FROM series_points WHERE series_id = id) AS total,
  (SELECT min(step) FROM series_points WHERE series_id = id) AS first,
  (SELECT max(step) FROM series_points WHERE series_id = id) AS last FROM metric_series`;
const IS_FINITE = `value BETWEEN ${-Number.MAX_VALUE} AND ${Number.MAX_VALUE}`;
const PART = `SELECT sum(is_nan OR NOT (${IS_FINITE})) AS notFinite, min(step) AS first, max(step) AS last,
  min(iif(${IS_FINITE}, value, NULL)) AS lowest, max(iif(${IS_FINITE}, value, NULL)) AS highest
  FROM series_points WHERE series_id = @id AND step BETWEEN @from AND @to`;
const STEP_OF = `SELECT step FROM series_points
  WHERE series_id = @id AND step BETWEEN @from AND @to AND value = @value ORDER BY step LIMIT 1`;
const POINT = `SELECT ${selection(["step", "epoch", "value", "isNan", "wallTime"])} FROM series_points
  WHERE series_id = @id AND step = @step`;

/**
 * At most four points for each column of a drawing: the first, the lowest, the highest and the last of those that fall
 * into it (the M4 aggregation: Jugel et al., VLDB 2014), as `decimate` of plotting/ does with points that are read.
 * @param columns over the steps from the first to the last
 */
export function readThinned(database: Database, runId: string, name: CurveName, columns: number): ThinnedCurve {
  const { split, taskPath, metricName } = name;
  const key = { runId, split, taskPath, metricName };
  const ends = database.get<Ends>(`${ENDS} ${where(key)}`, key);
  if (ends === undefined) return { points: [], total: 0, notFinite: 0 };
  if (ends.total <= 4 * columns) {
    const points = readMetrics(database, runId, name);
    return { points, total: points.length, notFinite: points.filter(isNotFinite).length };
  }
  const points: MetricPoint[] = [];
  let notFinite = 0;
  for (const range of rangesOf(ends, columns)) {
    const bounds = { id: ends.id, ...range };
    const part = database.get<Part>(PART, bounds);
    if (part?.first === undefined || part.first === null) continue;
    notFinite += part.notFinite ?? 0;
    for (const step of stepsOf(database, bounds, part)) {
      const row = database.get<MetricRow>(POINT, { id: ends.id, step });
      if (row !== undefined) points.push({ ...toPoint(row), split, taskPath, metricName });
    }
  }
  return { points, total: ends.total, notFinite };
}

function isNotFinite({ value }: MetricPoint): boolean {
  return value !== null && !Number.isFinite(value);
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** The steps of each column that can have a point: the same that a drawing puts there. */
function* rangesOf({ first, last }: Ends, columns: number): Generator<Range> {
  const columnOf = (step: number): number =>
    Math.min(columns - 1, Math.floor(((step - first) / (last - first || 1)) * columns));
  let from = first;
  for (let column = 0; column < columns && from <= last; column += 1) {
    // a quotient of floating numbers may fall on the other side of a whole one
    let next = column === columns - 1 ? last + 1 : Math.ceil(first + ((column + 1) * (last - first)) / columns);
    while (next > from && columnOf(next - 1) > column) next -= 1;
    while (next <= last && columnOf(next) <= column) next += 1;
    if (next > from) yield { from, to: next - 1 };
    from = Math.max(from, next);
  }
}

function stepsOf(database: Database, bounds: Range & { readonly id: number }, part: Part): number[] {
  const stepOf = (value: number | null): number | null =>
    value === null ? null : (database.get<{ step: number }>(STEP_OF, { ...bounds, value })?.step ?? null);
  const steps = new Set([part.first, stepOf(part.lowest), stepOf(part.highest), part.last]);
  return [...steps].filter((step) => step !== null).sort((a, b) => a - b);
}
