/** @file Errors of numbers on a robust scale, and how many of the labels are none of the network's business. */
import { at } from "../../arrays.js";

/** Of a t distribution: heavy tails, as errors of networks have. Lange, Little & Taylor, JASA 84 (1989). */
const FREEDOM = 4;
/** Its density at 0, and the median of its absolute value, in units of its scale. */
const PEAK = 0.375;
const MEDIAN = 0.7407;
/** The share of rows that are taken to be labelled rightly at least, and the absolute value that so many are below. */
const RIGHT = 0.8;
const RIGHT_QUANTILE = 1.5332;
const ROUNDS = 20;
/** Labels in a range hardly wider than the errors: an error must stand out from the others all the same. */
const LEAST_VALUES = 20;

/** How errors of one number are distributed. */
export interface ErrorScale {
  /** Middle of the errors: a network may be off by the same everywhere. */
  readonly centre: number;
  /** Scale of the t distribution, from the median absolute deviation or, where that is wider, from four in five errors. */
  readonly scale: number;
  /** How many numbers of the labels' range can be told apart at that scale. */
  readonly values: number;
}

/** @param errors label − answer of each row; at least one @param range of the labels */
export function errorScale(errors: ArrayLike<number>, range: number): ErrorScale {
  const centre = middleOf(Float64Array.from(errors).sort());
  const deviations = Float64Array.from(errors, (error) => Math.abs(error - centre)).sort();
  // a network that is half of the time very close and else not makes errors with tails beyond those of the distribution
  const wide = at(deviations, Math.ceil(RIGHT * deviations.length) - 1) / RIGHT_QUANTILE;
  // of errors that are nearly all the same only the rounding of single precision is left
  const scale = Math.max(middleOf(deviations) / MEDIAN, wide, range * 1e-4, Number.MIN_VALUE);
  return { centre, scale, values: Math.max(LEAST_VALUES, (range * PEAK) / scale) };
}

/** The median of sorted numbers. */
function middleOf(sorted: Float64Array): number {
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? at(sorted, Math.floor(middle)) : (at(sorted, middle - 1) + at(sorted, middle)) / 2;
}

/** −log of the density of an error, relative to that of no error. */
export function errorCost(error: number, { centre, scale }: ErrorScale): number {
  const z = (error - centre) / scale;
  return ((FREEDOM + 1) / 2) * Math.log1p((z * z) / FREEDOM);
}

/**
 * Share of the labels that are wrong: of a mixture of the errors' distribution and numbers that are anywhere in the range,
 * found by expectation maximization.
 * @param costs errorCost of each row @param values that can be told apart
 */
export function wrongShare(costs: ArrayLike<number>, values: number): number {
  let share = 0.05;
  for (let round = 0; round < ROUNDS; round++) {
    const wrong = share / values;
    let sum = 0;
    for (let i = 0; i < costs.length; i++) sum += wrong / (wrong + (1 - share) * Math.exp(-at(costs, i)));
    share = Math.min(0.5, (sum + 0.5) / (costs.length + 1));
  }
  return share;
}
