/** @file A curve as all drawings take it: points by ascending x, with gaps where a value is none. */

export interface PlotPoint {
  readonly x: number;
  /** A gap where it is NaN or infinite. */
  readonly y: number;
}

/** The spread of several curves at one x. */
export interface BandPoint {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

export interface PlotCurve {
  readonly name: string;
  /** Whether it is the only one of its chart, whose title says all: no legend and no letter. */
  readonly isUnnamed?: boolean;
  /** By ascending x. */
  readonly points: readonly PlotPoint[];
  /** What was smoothed, drawn faintly behind. */
  readonly raw?: readonly PlotPoint[];
  /** Drawn as an area behind the curve. */
  readonly band?: readonly BandPoint[];
}

export interface Extent {
  readonly low: number;
  readonly high: number;
}

export function isGap({ y }: PlotPoint): boolean {
  return !Number.isFinite(y);
}

/** Lowest and highest of numbers, without those that `accepts` refuses; null where none is left. */
export function extentOf(
  values: Iterable<number>,
  accepts: (value: number) => boolean = Number.isFinite,
): Extent | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!accepts(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? { low, high } : null;
}

/** Values on either axis of curves, with what stands behind them. */
export function* valuesOf(curves: readonly PlotCurve[], axis: "x" | "y"): Generator<number> {
  for (const { points, raw = [], band = [] } of curves) {
    for (const point of points) yield axis === "x" && isGap(point) ? Number.NaN : point[axis];
    for (const point of raw) yield axis === "x" && isGap(point) ? Number.NaN : point[axis];
    for (const { x, low, high } of band) {
      if (axis === "x") yield x;
      else {
        yield low;
        yield high;
      }
    }
  }
}
