/** @file Mean and spread of a few values. */

import { at } from "../../arrays.js";

/** A sample's mean, spread and size. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation, √(Σ(x − mean)² / (n − 1)); null for a single value. */
  readonly sd: number | null;
  readonly n: number;
}

/** Of the numbers among the values; null where there is none. Two passes, so that large means cost no precision. */
export function spreadOf(values: readonly (number | null)[]): Spread | null {
  const defined = values.filter((value): value is number => value !== null && Number.isFinite(value));
  const n = defined.length;
  if (n === 0) return null;
  const mean = meanOf(defined);
  if (n === 1) return { mean, sd: null, n };
  const squares = defined.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / (n - 1)), n };
}

/** NaN of nothing. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += at(values, i);
  return sum / values.length;
}
