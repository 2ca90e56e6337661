/** @file McNemar's test: do two deciders who answered the same samples differ in how often they are right? */
import { logGamma } from "./log-gamma.js";
import { studentTail } from "./student.js";

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

/**
 * One-sided p-value of the second decider being right in a share that is lower by more than a margin. Without one the
 * exact binomial tail; with one Tango's score test of paired shares (Tango, Statistics in Medicine 17, 1998).
 * @param lost pairs in which the first alone is right
 * @param gained pairs in which the second alone is right
 * @param pairs all of them
 */
export function worseDecisions(lost: number, gained: number, pairs: number, margin: number): number {
  if (margin === 0) {
    if (lost === 0) return 1;
    const tail = binomialHalfTail(Math.min(lost, gained), lost + gained);
    // P(X ≥ lost): where fewer are lost than gained, what the other tail leaves and the term that both have
    return lost >= gained ? Math.min(1, tail) : Math.min(1, 1 - tail + halfTerm(lost, lost + gained));
  }
  const a = 2 * pairs;
  const b = -lost - gained + (2 * pairs - lost + gained) * margin;
  const c = -gained * margin * (1 - margin);
  const both = (Math.sqrt(b * b - 4 * a * c) - b) / (2 * a);
  const variance = pairs * (2 * both + margin * (1 - margin));
  const beyond = lost - gained - pairs * margin;
  if (variance <= 0) return beyond > 0 ? 0 : 1;
  return studentTail(beyond / Math.sqrt(variance), NORMAL);
}

/** Degrees of freedom with which Student's distribution is the normal one. */
const NORMAL = 1e7;

/** P(X = k) of X ~ Binomial(n, ½). */
function halfTerm(k: number, n: number): number {
  return Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) - n * Math.LN2);
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
