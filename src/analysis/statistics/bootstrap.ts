/** @file The paired bootstrap: how sure is a mean difference that was measured on the same samples? */
import { at as itemAt, f64At } from "../../arrays.js";
import { meanOf } from "./moments.js";

export const RESAMPLES = 2000;
export const CONFIDENCE = 0.95;

/** Uniform integers in [0, bound). */
export type RandomInt = (bound: number) => number;

export interface BootstrapResult {
  /** Mean of the differences. */
  readonly mean: number;
  /** Percentile interval of the mean at the given confidence. */
  readonly interval: readonly [low: number, high: number];
  /** Two-sided, of a mean of 0. */
  readonly pValue: number;
}

/**
 * Percentile bootstrap of the mean of paired differences: samples are drawn with replacement, both runs' values of a
 * sample together. Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 13; the p-value is
 * the smallest significance level at which the interval excludes 0 (their 15.4, achieved significance level),
 * counting the measured sample itself as one more resample so that it is never 0 (Davison & Hinkley, Bootstrap
 * Methods and their Application, 1997, 4.2).
 * @param differences second value − first value of each sample
 * @returns null for fewer than two samples, of which no spread is known
 */
export function pairedBootstrap(
  differences: ArrayLike<number>,
  options: { readonly random: RandomInt; readonly resamples?: number; readonly confidence?: number },
): BootstrapResult | null {
  if (differences.length < 2) return null;
  const means = resampledMeans(differences, options.random, options.resamples ?? RESAMPLES);
  return {
    mean: meanOf(differences),
    interval: percentileInterval(means, options.confidence ?? CONFIDENCE),
    pValue: achievedSignificance(means),
  };
}

/** The bootstrap distribution of the mean, ascending. */
export function resampledMeans(values: ArrayLike<number>, random: RandomInt, resamples: number): Float64Array {
  const n = values.length;
  return Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += itemAt(values, random(n));
    return sum / n;
  }).sort();
}

/** The middle `confidence` of a distribution. @param ascending sorted values */
export function percentileInterval(ascending: Float64Array, confidence: number): readonly [number, number] {
  const tail = (1 - confidence) / 2;
  return [quantile(ascending, tail), quantile(ascending, 1 - tail)];
}

/** Linear between order statistics: definition 7 of Hyndman & Fan, The American Statistician 50 (1996), as numpy has it. */
function quantile(ascending: Float64Array, fraction: number): number {
  const at = fraction * (ascending.length - 1);
  const below = Math.floor(at);
  const low = f64At(ascending, below);
  const high = f64At(ascending, Math.min(below + 1, ascending.length - 1));
  return low + (at - below) * (high - low);
}

/** Twice the smaller share of means on one side of 0. */
export function achievedSignificance(means: Float64Array): number {
  let atMostZero = 0;
  let atLeastZero = 0;
  for (const mean of means) {
    if (mean <= 0) atMostZero++;
    if (mean >= 0) atLeastZero++;
  }
  return Math.min(1, (2 * (Math.min(atMostZero, atLeastZero) + 1)) / (means.length + 1));
}
