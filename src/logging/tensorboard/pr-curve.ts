/** @file Labels and scores → precision and recall at evenly spaced thresholds. */
import { CoolError } from "../../errors.js";
import type { Tensor } from "./tensor.js";

/** One element per row of the evaluated split. */
export interface PrCurveInput {
  /** true (or 1) where the answer is yes. */
  readonly labels: ArrayLike<boolean | number>;
  /** Probability of yes, in [0, 1]. */
  readonly scores: ArrayLike<number>;
  /** Weight of each row; default 1. */
  readonly weights?: ArrayLike<number>;
  /** Number of thresholds, at least 2, at `i / (thresholds - 1)`; default 127. */
  readonly thresholds?: number;
}

const DEFAULT_THRESHOLDS = 127;

/** Keeps 0/0 at 0, as TensorBoard does. */
const MINIMUM_COUNT = 1e-7;

/**
 * The curve that TensorBoard's pr_curve plugin computes (`plugins/pr_curve/summary.py`): a row counts as yes at
 * threshold `i / (n - 1)` if `floor(score * (n - 1)) >= i`.
 *
 * @returns [6, n]: true positives, false positives, true negatives, false negatives, precision, recall
 * @throws CoolError for arrays of different length, a score outside [0, 1], a label other than 0 or 1
 */
export function prCurveTensor({ labels, scores, weights, thresholds = DEFAULT_THRESHOLDS }: PrCurveInput): Tensor {
  checkPrCurve({ labels, scores, thresholds, ...(weights && { weights }) });
  const truePositives = new Float64Array(thresholds);
  const falsePositives = new Float64Array(thresholds);
  for (let row = 0; row < scores.length; row++) {
    const counts = Number(labels[row]) === 1 ? truePositives : falsePositives;
    const bucket = Math.floor((scores[row] ?? 0) * (thresholds - 1));
    counts[bucket] = (counts[bucket] ?? 0) + (weights?.[row] ?? 1);
  }
  sumFromTheRight(truePositives);
  sumFromTheRight(falsePositives);
  const positives = truePositives[0] ?? 0;
  const negatives = falsePositives[0] ?? 0;
  const curve = new Float32Array(6 * thresholds);
  for (let i = 0; i < thresholds; i++) {
    const tp = truePositives[i] ?? 0;
    const fp = falsePositives[i] ?? 0;
    const fn = positives - tp;
    const column = [
      tp,
      fp,
      negatives - fp,
      fn,
      tp / Math.max(MINIMUM_COUNT, tp + fp),
      tp / Math.max(MINIMUM_COUNT, tp + fn),
    ];
    column.forEach((value, row) => {
      curve[row * thresholds + i] = value;
    });
  }
  return { shape: [6, thresholds], values: curve };
}

function sumFromTheRight(counts: Float64Array): void {
  for (let i = counts.length - 2; i >= 0; i--) counts[i] = (counts[i] ?? 0) + (counts[i + 1] ?? 0);
}

function checkPrCurve({ labels, scores, weights, thresholds }: PrCurveInput & { thresholds: number }): void {
  if (!Number.isSafeInteger(thresholds) || thresholds < 2) {
    throw new CoolError(`A PR curve needs at least two thresholds, not ${thresholds}.`, { thresholds });
  }
  const lengths = { labels: labels.length, scores: scores.length, ...(weights && { weights: weights.length }) };
  if (new Set(Object.values(lengths)).size > 1) {
    const shown = Object.entries(lengths).map(([name, length]) => `${length} ${name}`);
    throw new CoolError(
      `A PR curve needs one label and one score per row, but was given ${shown.join(", ")}.`,
      lengths,
    );
  }
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row] ?? Number.NaN;
    if (!(score >= 0 && score <= 1)) {
      throw new CoolError(`A PR curve's scores lie in [0, 1], but row ${row} has ${score}.`, { row, score });
    }
    const label = Number(labels[row]);
    if (label !== 0 && label !== 1) {
      throw new CoolError(`A PR curve's labels are 0 or 1, but row ${row} has ${label}: leave unlabelled rows out.`, {
        row,
        label,
      });
    }
  }
}
