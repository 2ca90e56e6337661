/** @file Means, roots of means and shares of variance, of one number per entry. */
import { f32At, f64At, i32At } from "../../arrays.js";
import { doubles, integers } from "../scratch.js";
import { type Interval, isFlat, meanInterval, spreadOf, type Units } from "./spread.js";

/** One number of each entry that counts. */
export interface Numbers {
  readonly entries: Int32Array;
  /** [entries]; NaN where an answer is none. */
  readonly values: Float64Array;
  readonly units: Units;
}

export const FROM_ZERO: Interval = [0, Number.POSITIVE_INFINITY];

/** Of values that are all alike there is none. */
export function intervalOfMean({ entries, values, units }: Numbers, bounds: Interval = FROM_ZERO): Interval | null {
  const mean = meanOf(values);
  if (Number.isNaN(mean)) return null;
  return meanInterval(mean, spreadOf(entries, values, units, mean, values.length), bounds);
}

export function meanOf(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += f64At(values, i);
  return sum / values.length;
}

/** Of the root of a mean: the root of its interval. @param numbers squares */
export function intervalOfRoot(numbers: Numbers): Interval | null {
  const interval = intervalOfMean(numbers);
  return interval === null ? null : [Math.sqrt(interval[0]), Math.sqrt(interval[1])];
}

/**
 * Of R²: the delta method on log(1 − R²), the logarithm of the squared errors' sum by that of the labels' squared
 * distances from their mean.
 * @param numbers squared errors
 * @param labels of the same entries
 */
export function intervalOfDetermination({ entries, values, units }: Numbers, labels: Float64Array): Interval | null {
  const [errors, mean] = [meanOf(values), meanOf(labels)];
  const distances = doubles(labels.length);
  for (let i = 0; i < labels.length; i++) distances[i] = (f64At(labels, i) - mean) ** 2;
  const distance = meanOf(distances);
  if (labels.length < 2 || !(distance > 0) || !(errors > 0)) return null;
  const influence = doubles(labels.length);
  for (let i = 0; i < labels.length; i++) {
    influence[i] = (f64At(values, i) / errors - f64At(distances, i) / distance) / values.length;
  }
  const spread = spreadOf(entries, influence, units);
  // on the scale of a logarithm
  const ends = isFlat(1, spread) ? null : meanInterval(Math.log(errors / distance), { ...spread, skewness: 0 }, REAL);
  return ends === null ? null : [1 - Math.exp(ends[1]), 1 - Math.exp(ends[0])];
}

const REAL: Interval = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/**
 * Of a mean in which entries count with weights, as the loss of rows with several terms: Σ weight·value / Σ weight.
 * @param values of each place of the task's arrays
 * @returns also what each entry adds to the mean
 */
export function weightedMean(
  entries: Int32Array,
  values: Float32Array,
  weights: Float64Array,
): { readonly value: number; readonly influence: Float64Array } | null {
  let [sum, all] = [0, 0];
  for (let i = 0; i < entries.length; i++) {
    const weight = f64At(weights, i);
    if (weight === 0) continue;
    sum += weight * f32At(values, i32At(entries, i));
    all += weight;
  }
  const mean = sum / all;
  if (Number.isNaN(mean)) return null;
  // in the place of the weights, which nobody needs any more
  for (let i = 0; i < entries.length; i++) {
    const weight = f64At(weights, i);
    weights[i] = weight === 0 ? 0 : (weight * (f32At(values, i32At(entries, i)) - mean)) / all;
  }
  return { value: mean, influence: weights };
}

/** Places of a mask that are set. */
export function placesOf(mask: Uint8Array): Int32Array {
  const places = integers(mask.length);
  let count = 0;
  for (let place = 0; place < mask.length; place++) if (mask[place] === 1) places[count++] = place;
  return places.subarray(0, count);
}

/** Places of a mask where a condition holds. */
export function placesWhere(mask: Uint8Array, holds: (place: number) => boolean): Int32Array {
  const places = integers(mask.length);
  let count = 0;
  for (let place = 0; place < mask.length; place++) if (mask[place] === 1 && holds(place)) places[count++] = place;
  return places.subarray(0, count);
}

/**
 * A number of each place. Of many places a loop of one's own is faster: a function that several callers hand over is not
 * compiled into this one, and gives each number in a box.
 */
export function valuesAt(entries: Int32Array, value: (place: number) => number): Float64Array {
  const values = doubles(entries.length);
  for (let i = 0; i < entries.length; i++) values[i] = value(i32At(entries, i));
  return values;
}
