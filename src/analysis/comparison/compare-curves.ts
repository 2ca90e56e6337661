/** @file Curves side by side: where each ended, its best point, its lowest and highest value. */
import { bestOf } from "./compare.js";
import { directionOf, type MetricDirections } from "./directions.js";

/** One value of one metric at one step of training. */
export interface CurvePoint {
  readonly split: string;
  readonly taskPath: string;
  readonly metricName: string;
  readonly step: number;
  /** null where the metric is undefined. */
  readonly value: number | null;
}

/** One curve in a few numbers. Undefined and non-finite values count only as the last one. */
export interface CurveSummary {
  readonly points: number;
  /** Null where the last point is undefined or not finite. */
  readonly last: number | null;
  readonly last_step: number;
  /** The minimum or maximum, whichever is better; null for what is neither (learning rate, speed, load). */
  readonly best: number | null;
  /** The first step with that value. */
  readonly best_step: number | null;
  readonly min: number | null;
  readonly max: number | null;
}

/** A curve of all runs. */
export interface ComparedCurve {
  readonly split: string;
  readonly task_path: string;
  readonly metric_name: string;
  /** One per run; null where a run does not have it. */
  readonly values: readonly (CurveSummary | null)[];
  /** Index of the run with the best `best`; null if none beats another. */
  readonly best: number | null;
}

/**
 * Compares the curves of several runs, in the order in which the runs first mention them.
 * @param directions of the metrics of the runs' tasks
 */
export function compareCurves(
  runs: readonly (readonly CurvePoint[])[],
  directions: MetricDirections = {},
): ComparedCurve[] {
  const curvesOf = runs.map(curvesByKey);
  const keys = new Set(curvesOf.flatMap((curves) => [...curves.keys()]));
  return [...keys].map((key) => {
    const [split, task_path, metric_name] = JSON.parse(key) as [string, string, string];
    const higher = curveDirection(directions, task_path, metric_name);
    const values = curvesOf.map((curves) => {
      const points = curves.get(key);
      return points === undefined ? null : summarizeCurve(points, higher);
    });
    const bests = values.map((summary) => summary?.best ?? null);
    return { split, task_path, metric_name, values, best: bestOf(bests, higher) };
  });
}

/**
 * @param points one curve, by ascending step; at least one
 * @param higher whether a higher value is better; null: neither is
 */
export function summarizeCurve(points: readonly CurvePoint[], higher: boolean | null): CurveSummary {
  let [lowest, highest]: (CurvePoint | null)[] = [null, null];
  for (const point of points) {
    if (!isDefined(point.value)) continue;
    if (!isDefined(lowest?.value) || point.value < lowest.value) lowest = point;
    if (!isDefined(highest?.value) || point.value > highest.value) highest = point;
  }
  const last = points[points.length - 1];
  const best = higher === null ? null : higher ? highest : lowest;
  return {
    points: points.length,
    last: isDefined(last?.value) ? last.value : null,
    last_step: last?.step ?? 0,
    best: best?.value ?? null,
    best_step: best?.step ?? null,
    min: lowest?.value ?? null,
    max: highest?.value ?? null,
  };
}

function isDefined(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function curveDirection(directions: MetricDirections, taskPath: string, metricName: string): boolean | null {
  // the machine's load is kept under a task of its own
  return taskPath === "_system" ? null : directionOf(directions, taskPath, metricName);
}

function curvesByKey(points: readonly CurvePoint[]): Map<string, CurvePoint[]> {
  const curves = new Map<string, CurvePoint[]>();
  let [key, curve]: [string, CurvePoint[]] = ["", []];
  let previous: CurvePoint | null = null;
  for (const point of points) {
    // points of one curve follow each other
    if (
      previous?.split !== point.split ||
      previous.taskPath !== point.taskPath ||
      previous.metricName !== point.metricName
    ) {
      key = JSON.stringify([point.split, point.taskPath, point.metricName]);
      curve = curves.get(key) ?? [];
      curves.set(key, curve);
    }
    curve.push(point);
    previous = point;
  }
  return curves;
}
