/** @file McNemar's test: do two deciders who answered the same samples differ in how often they are right? */
import { logGamma } from "./log-gamma.js";

/**
 * Exact two-sided p-value: of the pairs in which only one decider is right, either one is it with probability ½, so
 * that `lost` is Binomial(lost + gained, ½) and p = min(1, 2·P(X ≤ min(lost, gained))).
 * Source: McNemar, Psychometrika 12 (1947); exact form: Fagerland, Lydersen & Laake, BMC Medical Research Methodology
 * 13:91 (2013). It holds for every number of pairs; no approximation is used for large ones.
 * @param lost pairs in which the first alone is right
 * @param gained pairs in which the second alone is right
 * @returns 1 where no pair differs
 */
export function mcNemarExact(lost: number, gained: number): number {
  return Math.min(1, 2 * binomialHalfTail(Math.min(lost, gained), lost + gained));
}

/** P(X ≤ k) of X ~ Binomial(n, ½), for k ≤ n/2. */
function binomialHalfTail(k: number, n: number): number {
  // from the largest term downwards: each is the one above it times i / (n − i + 1)
  let term = Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) - n * Math.LN2);
  let sum = term;
  for (let i = k; i > 0 && term > sum * Number.EPSILON; i--) {
    term *= i / (n - i + 1);
    sum += term;
  }
  return sum;
}
