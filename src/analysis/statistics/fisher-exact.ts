/** @file Fisher's exact test of two shares, one-sided. */
import { logGamma } from "./log-gamma.js";

/**
 * P(X ≤ right) of a hypergeometric X: that a part of some answers has at most so many right ones by chance, where all of
 * them are known (Fisher, Statistical Methods for Research Workers, 1934, §21.02).
 * @param right right answers in the part
 * @param part answers of the part
 * @param allRight right answers in the part and the rest
 * @param all answers in the part and the rest
 */
export function fisherLower(right: number, part: number, allRight: number, all: number): number {
  const fewest = Math.max(0, part - (all - allRight));
  // from the most likely term down each one is smaller than the one before
  let sum = 0;
  for (let k = right; k >= fewest; k--) {
    const term = Math.exp(logChoose(allRight, k) + logChoose(all - allRight, part - k) - logChoose(all, part));
    sum += term;
    if (k < right && term < sum * 1e-16) break;
  }
  return Math.min(1, sum);
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
