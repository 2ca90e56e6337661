/** @file Intervals of shares: of the answers that count, those that are right. */
import { studentQuantile, Z } from "./quantiles.js";
import { type Interval, isFlat, meanInterval, type Spread, spreadOf, type Units } from "./spread.js";

/**
 * Wilson's interval of a share (Wilson, Journal of the American Statistical Association 22, 1927): the shares that a
 * score test would not reject.
 * @param count may be an effective number of answers, which is no whole one
 */
export function wilson(share: number, count: number): Interval {
  const square = Z * Z;
  const middle = share + square / (2 * count);
  const reach = Z * Math.sqrt((share * (1 - share)) / count + square / (4 * count * count));
  const whole = 1 + square / count;
  // the ends of none and of all are exact
  return [share === 0 ? 0 : (middle - reach) / whole, share === 1 ? 1 : (middle + reach) / whole];
}

/** Answers of which a share is taken, as places in the task's arrays. */
interface Share {
  readonly entries: Int32Array;
  /** Of the i-th entry: 0 or 1, or what lies between. */
  readonly value: (i: number) => number;
  readonly units: Units;
}

/**
 * Interval of a share: Wilson's. Over groups that of as many independent answers as have the share's cluster-robust
 * variance, scaled by the ratio of Student's quantiles (Korn & Graubard, Survey Methodology 24, 1998). Of answers that are
 * right in part that of a mean. Where all agree, there are as many independent answers as units.
 * @returns null without answers, or where one is unknown
 */
export function shareInterval({ entries, value, units }: Share): Interval | null {
  const count = entries.length;
  let sum = 0;
  let isDecision = true;
  for (let i = 0; i < count; i++) {
    const own = value(i);
    if (own !== 0 && own !== 1) isDecision = false;
    sum += own;
  }
  if (count === 0 || Number.isNaN(sum)) return null;
  const share = sum / count;
  if (units.of === null && isDecision) return wilson(share, count);
  const spread = spreadOf(
    entries,
    Float64Array.from(entries, (_, i) => value(i)),
    units,
    share,
    count,
  );
  if (spread.units < 2) return null;
  if (isFlat(share, spread)) return share === 0 || share === 1 ? wilson(share, spread.units) : null;
  return isDecision ? effectiveWilson(share, count, spread) : meanInterval(share, spread, [0, 1]);
}

function effectiveWilson(share: number, count: number, { variance, units }: Spread): Interval {
  const independent = (share * (1 - share)) / variance;
  const scaled = independent * (studentQuantile(Math.max(1, count - 1)) / studentQuantile(units - 1)) ** 2;
  return wilson(share, Math.min(count, scaled));
}
