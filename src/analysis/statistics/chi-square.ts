/** @file Pearson's test: do two samples fall into the same categories in the same shares? */
import { logGamma } from "./log-gamma.js";

/** A statistic, its degrees of freedom and its p-value. */
export interface ChiSquare {
  readonly statistic: number;
  readonly degrees: number;
  readonly p: number;
}

/** Fewest answers that are expected of a category (Cochran, Annals of Mathematical Statistics 23, 1952). */
const FEWEST = 5;

/**
 * Homogeneity of two rows of counts. Categories of which fewer than five are expected in either are put together.
 * Source: Pearson, Philosophical Magazine 50 (1900).
 * @param fewest expected; 0: every category counts alone
 * @returns null where fewer than two categories are left, or either sample is empty
 */
export function homogeneity(a: ArrayLike<number>, b: ArrayLike<number>, fewest: number = FEWEST): ChiSquare | null {
  const [na, nb] = [sumOf(a), sumOf(b)];
  if (na === 0 || nb === 0) return null;
  const least = Math.min(na, nb) / (na + nb);
  const columns = Array.from(a, (count, i) => [count, b[i] ?? 0] as const).filter(([x, y]) => x + y > 0);
  const kept = columns.filter(([x, y]) => (x + y) * least >= fewest);
  const rare = columns.filter(([x, y]) => (x + y) * least < fewest);
  const together = rare.reduce<readonly [number, number]>(([x, y], [u, v]) => [x + u, y + v], [0, 0]);
  const tested = rare.length === 0 ? kept : [...kept, together];
  if (tested.length < 2) return null;
  let statistic = 0;
  for (const [x, y] of tested) {
    for (const [count, size] of [
      [x, na],
      [y, nb],
    ] as const) {
      const expected = ((x + y) * size) / (na + nb);
      statistic += (count - expected) ** 2 / expected;
    }
  }
  const degrees = tested.length - 1;
  return { statistic, degrees, p: chiSquareTail(statistic, degrees) };
}

function sumOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0);
}

/** P(X ≥ x) of χ² with some degrees of freedom: the upper regularized incomplete gamma function Q(ν/2, x/2). */
export function chiSquareTail(x: number, degrees: number): number {
  return upperGamma(degrees / 2, x / 2);
}

const MOST_TERMS = 1000;

/** Q(a, x), by its series or its continued fraction (Abramowitz & Stegun, 6.5.29 and 6.5.31). */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let [term, sum] = [1 / a, 1 / a];
    for (let k = 1; k < MOST_TERMS && Math.abs(term) > Math.abs(sum) * 1e-16; k++) {
      term *= x / (a + k);
      sum += term;
    }
    return Math.max(0, 1 - front * sum);
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let fraction = d;
  for (let k = 1; k < MOST_TERMS; k++) {
    const step = -k * (k - a);
    b += 2;
    d = 1 / (step * d + b);
    c = b + step / c;
    const change = c * d;
    fraction *= change;
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** P(Z ≥ z) of the standard normal distribution. */
export function normalTail(z: number): number {
  const half = 0.5 * chiSquareTail(z * z, 1);
  return z >= 0 ? half : 1 - half;
}
