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
const OF_COLUMN = "FROM series_points WHERE series_id = @id AND step BETWEEN @from AND @to";
const PART = `SELECT sum(is_nan) AS notFinite, min(step) AS first, max(step) AS last,
  min(value) AS lowest, max(value) AS highest ${OF_COLUMN}`;
// takes three times as long
const PART_WITH_INFINITIES = `SELECT sum(is_nan OR NOT (${IS_FINITE})) AS notFinite, min(step) AS first, max(step) AS last,
  min(iif(${IS_FINITE}, value, NULL)) AS lowest, max(iif(${IS_FINITE}, value, NULL)) AS highest ${OF_COLUMN}`;
const STEP_OF = `SELECT step ${OF_COLUMN} AND value = @value ORDER BY step LIMIT 1`;
const POINTS = `SELECT ${selection(["step", "epoch", "value", "isNan", "wallTime"])} FROM series_points
  WHERE series_id = @id AND step IN (@first, @lowest, @highest, @last) ORDER BY step`;

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
    const part = partOf(database, bounds);
    if (part === null) continue;
    notFinite += part.notFinite ?? 0;
    const rows = database.all<MetricRow>(POINTS, { id: ends.id, ...stepsOf(database, bounds, part) });
    for (const row of rows) points.push({ ...toPoint(row), split, taskPath, metricName });
  }
  return { points, total: ends.total, notFinite };
}

/** null where the column is empty. */
function partOf(database: Database, bounds: Bounds): Part | null {
  const all = database.get<Part>(PART, bounds);
  if (all === undefined || all.first === null) return null;
  const hasInfinities = Math.abs(all.lowest ?? 0) === Infinity || Math.abs(all.highest ?? 0) === Infinity;
  return hasInfinities ? (database.get<Part>(PART_WITH_INFINITIES, bounds) ?? null) : all;
}

function isNotFinite({ value }: MetricPoint): boolean {
  return value !== null && !Number.isFinite(value);
}

/** Steps of a column. */
type Range = Readonly<Record<"from" | "to", number>>;
type Bounds = Range & Readonly<Record<"id", number>>;

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

function stepsOf(database: Database, bounds: Bounds, { first, last, lowest, highest }: Part) {
  const stepOf = (value: number | null): number | null =>
    value === null ? null : (database.get<{ step: number }>(STEP_OF, { ...bounds, value })?.step ?? null);
  return { first, last, lowest: stepOf(lowest), highest: stepOf(highest) };
}
