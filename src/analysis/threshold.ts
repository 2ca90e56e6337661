/** @file The exact best threshold of one yes-or-no question, from one sort. */
import { f32At, u32At, u8At } from "../arrays.js";
import { type Confusion, type DecisionMetric, decisionMetrics } from "../tasks/metrics/decisions.js";
import { type RankedAnswers, sortByScore } from "../tasks/metrics/sort.js";

/** Thresholds that all reach one metric value: above `low` (from it where nothing is below), up to `high`. */
export interface Plateau {
  readonly low: number;
  high: number;
}

// single precision resolves about 6e-8 below 1; widths and distances that differ by less than this are equal
const RESOLUTION = 1e-6;

/**
 * The threshold t whose decisions `score >= t` maximise a metric. Only the order of the scores matters, so the
 * candidates are the gaps between consecutive distinct scores, and below and above all of them: one sort, one walk.
 * Among equally good stretches of thresholds the widest is taken, then the one nearest 0.5, then the lower; its middle
 * is the answer, rounded to single precision so that it decides alike in either precision.
 * @param scores [answers] in [0, 1]; NaN is decided "no" by every threshold
 * @param truths [answers], 0 or 1
 * @returns at most 1, except where only deciding "no" on a score of exactly 1 is best: then just above 1
 */
export function bestThreshold(scores: Float32Array, truths: Uint8Array, metric: DecisionMetric): number {
  const ranked = sortByScore(
    // below every threshold in [0, 1]
    scores.map((score) => (Number.isNaN(score) ? -1 : score)),
    truths,
  );
  const best = bestPlateaus(ranked, decisionMetrics[metric]);
  const widest = best.reduce((width, plateau) => Math.max(width, widthOf(plateau)), 0);
  const wide = best.filter((plateau) => widthOf(plateau) >= widest - RESOLUTION);
  const nearest = wide.reduce((distance, plateau) => Math.min(distance, distanceToHalf(plateau)), 1);
  const chosen = wide.find((plateau) => distanceToHalf(plateau) <= nearest + RESOLUTION) as Plateau;
  return middleOf(chosen);
}

/** Maximal stretches of thresholds in [0, 1] that reach the best value, in ascending order. */
function bestPlateaus({ scores, truths }: RankedAnswers, metric: (counts: Confusion) => number): Plateau[] {
  const positives = truths.reduce((sum, truth) => sum + truth, 0);
  let best = Number.NEGATIVE_INFINITY;
  let plateaus: Plateau[] = [];
  let previousValue = Number.NaN;
  let falseNegatives = 0;
  for (let below = 0; below <= scores.length; ) {
    // a threshold in this gap decides "no" on the `below` lowest scores
    const trueNegatives = below - falseNegatives;
    const truePositives = positives - falseNegatives;
    const falsePositives = scores.length - positives - trueNegatives;
    const low = below === 0 ? 0 : Math.max(0, f32At(scores, below - 1));
    const high = below === scores.length ? Math.max(1, low) : Math.min(1, f32At(scores, below));
    if (high >= 0) {
      const defined = metric({ truePositives, falsePositives, falseNegatives, trueNegatives });
      // undefined where all labels and all decisions are the same: worse than any number
      const value = Number.isNaN(defined) ? Number.NEGATIVE_INFINITY : defined;
      const last = plateaus.at(-1);
      if (value === best && value === previousValue && last !== undefined) last.high = high;
      else if (value === best) plateaus.push({ low, high });
      else if (value > best) plateaus = [{ low, high }];
      best = Math.max(best, value);
      previousValue = value;
    }
    if (below === scores.length) break;
    const score = scores[below];
    for (; below < scores.length && scores[below] === score; below++) falseNegatives += u8At(truths, below);
  }
  return plateaus;
}

function widthOf({ low, high }: Plateau): number {
  return high - low;
}

function distanceToHalf({ low, high }: Plateau): number {
  return Math.abs((low + high) / 2 - 0.5);
}

/** A single-precision number above `low` (or equal to it at 0), at most `high`, as near the middle as there is. */
export function middleOf({ low, high }: Plateau): number {
  const middle = Math.fround((low + high) / 2);
  if (middle > low || high === 0) return middle;
  return high > low ? high : nextAbove(low);
}

/** The next single-precision number above one that is positive. */
function nextAbove(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = u32At(bits, 0) + 1;
  return f32At(new Float32Array(bits.buffer), 0);
}
