/** @file Several curves as one: their mean, and how far they lie apart. */
import { type BandPoint, isGap, type PlotPoint } from "./curve.js";

/**
 * At each x that any of the curves has: the mean of the values there, and one sample standard deviation on either side
 * of it where two curves or more have a value.
 */
export function meanWithBand(curves: readonly (readonly PlotPoint[])[]): {
  readonly points: readonly PlotPoint[];
  readonly band: readonly BandPoint[];
} {
  const byX = new Map<number, number[]>();
  for (const points of curves) {
    for (const point of points) {
      const values = byX.get(point.x) ?? [];
      byX.set(point.x, values);
      if (!isGap(point)) values.push(point.y);
    }
  }
  const columns = [...byX].sort(([a], [b]) => a - b).map(([x, values]) => ({ x, ...momentsOf(values) }));
  return {
    points: columns.map(({ x, mean }) => ({ x, y: mean })),
    band: columns.flatMap(({ x, mean, deviation }) =>
      Number.isFinite(deviation) ? [{ x, low: mean - deviation, high: mean + deviation }] : [],
    ),
  };
}

/** NaN where there are too few values. */
function momentsOf(values: readonly number[]): { readonly mean: number; readonly deviation: number } {
  const mean = values.reduce((sum, value) => sum + value / values.length, values.length === 0 ? Number.NaN : 0);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? Number.NaN : Math.sqrt(squares / (values.length - 1)) };
}
