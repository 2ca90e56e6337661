/** @file Isotonic regression: the never-falling map of scores to probabilities that is nearest to the labels. */
import { f32At, f64At, u8At } from "../../arrays.js";
import type { ScoreMap } from "../../decoding/calibration.js";
import { sortByScore } from "../../tasks/metrics/sort.js";

/** Answers of one score, or of several between which the map does not rise. */
interface Blocks {
  /** Lowest and highest score of each. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Share of yes in each. */
  readonly share: Float64Array;
  readonly count: number;
}

/**
 * Least squares under the condition that the map never falls, by pooling adjacent violators: Ayer et al., "An Empirical
 * Distribution Function for Sampling with Incomplete Information" (1955). Equal scores are one point, with the share of
 * yes among them. Linear between the points, as scikit-learn's `IsotonicRegression(out_of_bounds="clip")`.
 * @param scores [answers], no NaN
 * @param truths [answers], 0 or 1
 */
export function fitIsotonic(scores: Float32Array, truths: Uint8Array): ScoreMap {
  const { low, high, share, count } = pooled(scores, truths);
  const points: { scores: number[]; probabilities: number[] } = { scores: [], probabilities: [] };
  for (let block = 0; block < count; block++) {
    const ends = new Set([f64At(low, block), f64At(high, block)]);
    for (const score of ends) {
      points.scores.push(score);
      points.probabilities.push(f64At(share, block));
    }
  }
  return points;
}

function pooled(scores: Float32Array, truths: Uint8Array): Blocks {
  const ranked = sortByScore(scores, truths);
  const most = scores.length;
  const [low, high, yes, size] = [0, 0, 0, 0].map(() => new Float64Array(most)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let count = 0;
  for (let i = 0; i < most; ) {
    const score = f32At(ranked.scores, i);
    const from = i;
    let positives = 0;
    for (; i < most && ranked.scores[i] === score; i++) positives += u8At(ranked.truths, i);
    low[count] = score;
    high[count] = score;
    yes[count] = positives;
    size[count] = i - from;
    count++;
    // the last block joins the one before it as long as its share is no higher
    while (
      count > 1 &&
      f64At(yes, count - 2) * f64At(size, count - 1) >= f64At(yes, count - 1) * f64At(size, count - 2)
    ) {
      high[count - 2] = f64At(high, count - 1);
      yes[count - 2] = f64At(yes, count - 2) + f64At(yes, count - 1);
      size[count - 2] = f64At(size, count - 2) + f64At(size, count - 1);
      count--;
    }
  }
  const share = yes.map((positives, block) => (block < count ? positives / f64At(size, block) : 0));
  return { low, high, share, count };
}
