/**
 * @file How far a metric would be off on other rows like these: the sum of what each row adds to it, over what was drawn
 * independently (rows, or groups of rows).
 */
import { f64At, i32At } from "../../arrays.js";
import { doubles, integers } from "../scratch.js";
import { studentQuantile } from "./quantiles.js";

/** Lower and upper end. */
export type Interval = readonly [low: number, high: number];

/** What was drawn independently: each entry by itself, or groups of entries. */
export interface Units {
  /** Group of each entry of a task's arrays, from 0; null: each entry is its own. */
  readonly of: Int32Array | null;
  /** Groups that there are; without groups of no meaning. */
  readonly count: number;
}

/** Every entry by itself. */
export const SINGLE: Units = { of: null, count: 0 };

/** Spread of a metric: the moments of what each unit adds to it. */
export interface Spread {
  /** Units that take part. */
  readonly units: number;
  /** Square of the standard error. */
  readonly variance: number;
  readonly skewness: number;
}

/**
 * Variance by influence: Σ over units of (Σ influence of the unit's entries)², times U / (U − 1). For a mean this is the
 * textbook's standard error, with groups the cluster-robust one (Liang & Zeger, Biometrika 73, 1986), for smooth metrics
 * the delta method (Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, chapter 6).
 * @param entries places in the task's arrays
 * @param values of each of them its influence, which is the metric's derivative by its weight and adds up to 0; or, with
 *   `mean` and `divisor`, a number v of which (v − mean) / divisor is the influence
 */
export function spreadOf(
  entries: Int32Array,
  values: Float64Array,
  { of, count }: Units,
  mean = 0,
  divisor = 1,
): Spread {
  if (of === null) {
    let [squares, cubes] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      const own = (f64At(values, i) - mean) / divisor;
      squares += own * own;
      cubes += own * own * own;
    }
    return spreadFromSums(values.length, squares, cubes);
  }
  const sums = doubles(count).fill(Number.NaN);
  for (let i = 0; i < entries.length; i++) {
    const unit = i32At(of, i32At(entries, i));
    const known = f64At(sums, unit);
    sums[unit] = (Number.isNaN(known) ? 0 : known) + (f64At(values, i) - mean) / divisor;
  }
  return spreadOfUnits(sums);
}

/** @param sums influence of each unit; NaN: it takes no part */
export function spreadOfUnits(sums: Float64Array): Spread {
  let [units, squares, cubes] = [0, 0, 0];
  for (let unit = 0; unit < sums.length; unit++) {
    const own = f64At(sums, unit);
    if (Number.isNaN(own)) continue;
    units++;
    squares += own * own;
    cubes += own * own * own;
  }
  return spreadFromSums(units, squares, cubes);
}

/** @param squares Σ of the units' squared influences, and `cubes` of their cubes */
export function spreadFromSums(units: number, squares: number, cubes: number): Spread {
  const skewness = squares > 0 ? cubes / units / (squares / units) ** 1.5 : 0;
  return { units, variance: units < 2 ? Number.NaN : (squares * units) / (units - 1), skewness };
}

/**
 * Adds what entries add to a metric to the sums of their units.
 * @param sums NaN: the unit takes no part yet
 * @param influence of each entry, counted `by` so much
 * @param of unit of each place of the task's arrays; null: each place is one
 */
export function addInfluence(
  sums: Float64Array,
  entries: Int32Array,
  influence: Float64Array,
  by: number,
  of: Int32Array | null,
): void {
  const units = of === null ? entries : unitsOfEntries(entries, of);
  for (let i = 0; i < units.length; i++) {
    const unit = i32At(units, i);
    const known = f64At(sums, unit);
    sums[unit] = (Number.isNaN(known) ? 0 : known) + f64At(influence, i) * by;
  }
}

function unitsOfEntries(entries: Int32Array, of: Int32Array): Int32Array {
  const units = integers(entries.length);
  for (let i = 0; i < entries.length; i++) units[i] = i32At(of, i32At(entries, i));
  return units;
}

/** Whether nothing is known of how far a value may be off, because all that it is made of agrees. */
export function isFlat(value: number, { variance }: Spread): boolean {
  // a derivative by differences leaves crumbs where there is nothing
  return !(Math.sqrt(variance) > 1e-9 * Math.max(Math.abs(value), Number.MIN_VALUE));
}

/** What an interval is symmetric on. */
export interface Scale {
  to(value: number): number;
  from(value: number): number;
  /** Derivative of `to`. */
  slope(value: number): number;
}

const IDENTITY: Scale = { to: (x) => x, from: (x) => x, slope: () => 1 };
/** Of what lies in [0, 1]. */
export const LOGIT: Scale = {
  to: (x) => Math.log(x / (1 - x)),
  from: (x) => 1 / (1 + Math.exp(-x)),
  slope: (x) => 1 / (x * (1 - x)),
};
/** Of what lies in [−1, 1]: Fisher's z. */
export const FISHER: Scale = { to: Math.atanh, from: Math.tanh, slope: (x) => 1 / (1 - x * x) };

/** Value ± t standard errors on a scale on which a metric is closer to normal; null where it has no spread there. */
export function intervalOn(value: number, spread: Spread, scale: Scale = IDENTITY): Interval | null {
  if (isFlat(value, spread)) return null;
  const middle = scale.to(value);
  const reach = studentQuantile(spread.units - 1) * Math.sqrt(spread.variance) * scale.slope(value);
  return Number.isFinite(middle) && Number.isFinite(reach)
    ? [scale.from(middle - reach), scale.from(middle + reach)]
    : null;
}

/**
 * Interval of a mean that follows the skew of its values: the t statistic through Hall's monotone cubic, as close as a
 * bootstrap-t and in closed form (Hall, Journal of the Royal Statistical Society B 54, 1992).
 * @param bounds between which the mean lies by nature
 * @returns null without spread
 */
export function meanInterval(value: number, spread: Spread, bounds: Interval): Interval | null {
  if (isFlat(value, spread)) return null;
  const error = Math.sqrt(spread.variance);
  const quantile = studentQuantile(spread.units - 1);
  const skew = spread.skewness / Math.sqrt(spread.units);
  const undone = (x: number): number =>
    Math.abs(skew) < 1e-6 ? x : (3 / skew) * (Math.cbrt(1 + skew * (x - skew / 6)) - 1);
  const inside = (end: number): number => Math.min(bounds[1], Math.max(bounds[0], end));
  return [inside(value - error * undone(quantile)), inside(value - error * undone(-quantile))];
}
