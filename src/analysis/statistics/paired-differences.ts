/** @file How sure is a mean difference that was measured on the same samples? */
import { at as itemAt, f64At } from "../../arrays.js";
import { meanOf } from "./moments.js";

export const RESAMPLES = 2000;
export const CONFIDENCE = 0.95;
/** With fewer pairs nothing can be decided: the smallest p-value of five is 1/16. */
export const FEWEST_PAIRS = 6;
/** Up to so many pairs all flips of signs are counted. */
const EXACT_PAIRS = 20;

/** Uniform integers in [0, bound). */
export type RandomInt = (bound: number) => number;

export interface PairedResult {
  readonly mean: number;
  /** Of the mean at the given confidence; null where all differences are equal, so that no spread is known. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Two-sided, of a mean of 0. */
  readonly pValue: number;
}

/**
 * Sign-flip permutation test and bootstrap-t interval of the mean of paired differences.
 * @param differences second value − first value of each sample
 * @returns null below {@link FEWEST_PAIRS}
 */
export function pairedDifference(
  differences: ArrayLike<number>,
  options: { readonly random: RandomInt; readonly resamples?: number; readonly confidence?: number },
): PairedResult | null {
  if (differences.length < FEWEST_PAIRS) return null;
  const { random, resamples = RESAMPLES, confidence = CONFIDENCE } = options;
  return {
    mean: meanOf(differences),
    interval: bootstrapTInterval(differences, random, resamples, confidence),
    pValue: signFlipPValue(differences, random, resamples),
  };
}

/**
 * Share of the flips of signs whose sum is at least as far from 0 as the measured one: the exact distribution of a
 * mean whose differences are symmetric about 0 (Fisher, The Design of Experiments, 1935, §21). Up to 20 pairs all 2ⁿ
 * flips are counted; above, `resamples` random ones, the measured one among them, so that p is never 0 (Phipson &
 * Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010).
 */
export function signFlipPValue(differences: ArrayLike<number>, random: RandomInt, resamples: number): number {
  const n = differences.length;
  let [sum, scale] = [0, 0];
  for (let i = 0; i < n; i++) {
    sum += itemAt(differences, i);
    scale += Math.abs(itemAt(differences, i));
  }
  // sums of the same numbers in another order differ in their last digits
  const limit = Math.abs(sum) - 1e-12 * scale;
  return n <= EXACT_PAIRS ? exactShare(differences, limit) : randomShare(differences, limit, random, resamples);
}

/** Over all flips, each one sign away from the one before (Gray code). */
function exactShare(differences: ArrayLike<number>, limit: number): number {
  const n = differences.length;
  const signed = Float64Array.from({ length: n }, (_, i) => itemAt(differences, i));
  let sum = signed.reduce((total, value) => total + value, 0);
  const flips = 2 ** n;
  let extreme = Math.abs(sum) >= limit ? 1 : 0;
  for (let flip = 1; flip < flips; flip++) {
    const i = 31 - Math.clz32(flip & -flip);
    signed[i] = -f64At(signed, i);
    sum += 2 * f64At(signed, i);
    if (Math.abs(sum) >= limit) extreme++;
  }
  return extreme / flips;
}

function randomShare(differences: ArrayLike<number>, limit: number, random: RandomInt, resamples: number): number {
  let extreme = 1;
  for (let flip = 0; flip < resamples; flip++) {
    let [sum, bits] = [0, 0];
    for (let i = 0; i < differences.length; i++) {
      if ((i & 15) === 0) bits = random(1 << 16);
      sum += (bits & 1) === 1 ? itemAt(differences, i) : -itemAt(differences, i);
      bits >>>= 1;
    }
    if (Math.abs(sum) >= limit) extreme++;
  }
  return extreme / (resamples + 1);
}

/**
 * Bootstrap-t: quantiles of the resampled mean's distance in its own standard errors, which follow the skew of the
 * differences where a percentile interval does not (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, 12.5).
 * @returns null where all differences are equal
 */
function bootstrapTInterval(
  differences: ArrayLike<number>,
  random: RandomInt,
  resamples: number,
  confidence: number,
): readonly [number, number] | null {
  const n = differences.length;
  const { mean, error } = meanAndError(n, (i) => itemAt(differences, i));
  if (!(error > 0)) return null;
  const distances: number[] = [];
  const drawn = new Float64Array(n);
  for (let resample = 0; resample < resamples; resample++) {
    for (let i = 0; i < n; i++) drawn[i] = itemAt(differences, random(n));
    const again = meanAndError(n, (i) => f64At(drawn, i));
    // a resample of one value again and again has no error of its own
    if (again.error > 0) distances.push((again.mean - mean) / again.error);
  }
  const ascending = Float64Array.from(distances).sort();
  const tail = (1 - confidence) / 2;
  return [mean - quantile(ascending, 1 - tail) * error, mean - quantile(ascending, tail) * error];
}

/** Mean, and its standard error √(Σ(x − mean)² / (n − 1) / n). */
function meanAndError(n: number, value: (i: number) => number): { readonly mean: number; readonly error: number } {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += value(i);
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (value(i) - mean) ** 2;
  return { mean, error: Math.sqrt(squares / (n - 1) / n) };
}

/** Linear between order statistics: definition 7 of Hyndman & Fan, The American Statistician 50 (1996), as numpy has it. */
function quantile(ascending: Float64Array, fraction: number): number {
  const place = fraction * (ascending.length - 1);
  const below = Math.floor(place);
  const low = f64At(ascending, below);
  const high = f64At(ascending, Math.min(below + 1, ascending.length - 1));
  return low + (place - below) * (high - low);
}
