/** @file Log loss of probabilities. */

// scikit-learn's ε of single precision: a probability of 0 costs 15.9, not ∞
const EPSILON = 2 ** -23;

/** −log of the probability that was given to what is true, kept within [ε, 1 − ε] as `sklearn.metrics.log_loss` does. */
export function negativeLogLikelihood(probability: number): number {
  return -Math.log(Math.min(Math.max(probability, EPSILON), 1 - EPSILON));
}
