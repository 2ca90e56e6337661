/** @file Which rows an epoch draws, where tasks with few rows are to be seen more often. */
import { at, f64At, i32At } from "../arrays.js";
import type { RowMask } from "../flow/masks.js";
import { createRandom } from "./rng.js";

/** Rows drawn with probabilities of their own, and the weights that make up for them. */
export interface RowSampling {
  /** How much each row of the dataset counts where it is drawn: 1 / (rows of train × its probability); 0 of other rows. */
  readonly weights: Float32Array;
  /** As many rows as train has, in the order of the dataset, some more than once; the same ones each time. */
  rowsOf(epoch: number): Int32Array;
}

/**
 * Half of the draws are shared by all rows of train alike, the other half by the tasks, each of which shares its part
 * among the rows that it learns from. So a task that is asked of few rows is seen in most batches, and no row counts
 * more than twice. Weighted, the mean over many epochs of any sum over the rows is that sum: importance sampling, with
 * the low-variance draw of Kitagawa (1996), §3.4, in which the number of times that a row is drawn is its expectation
 * rounded down or up.
 * @param masks of each task, over all rows of the dataset: 1 where the task learns from the row
 * @param train rows of the train split
 */
export function activeSampling(
  masks: readonly RowMask[],
  train: Int32Array,
  rows: number,
  seed: number | string,
): RowSampling {
  const probabilities = probabilitiesOf(masks, train);
  const weights = new Float32Array(rows);
  for (let i = 0; i < train.length; i++) weights[i32At(train, i)] = 1 / (train.length * f64At(probabilities, i));
  return {
    weights,
    rowsOf: (epoch) => drawRows(train, probabilities, `sampling of epoch ${epoch} of seed ${seed}`),
  };
}

/** Of each row of train; their sum is 1. */
function probabilitiesOf(masks: readonly RowMask[], train: Int32Array): Float64Array {
  const asked = masks.map((mask) => Uint8Array.from(train, (row) => mask[row] ?? 0));
  const learning = asked.filter((mask) => mask.includes(1));
  // without any, all draws are shared alike
  const [shared, own] = learning.length === 0 ? [1, 0] : [0.5, 0.5 / learning.length];
  const probabilities = new Float64Array(train.length).fill(shared / train.length);
  for (const mask of learning) {
    const share = own / mask.reduce((count, one) => count + one, 0);
    for (let i = 0; i < mask.length; i++) if (mask[i] === 1) probabilities[i] = f64At(probabilities, i) + share;
  }
  return probabilities;
}

/** Marks at equal distances, from a random start, fall on the rows laid side by side in a random order. */
function drawRows(train: Int32Array, probabilities: Float64Array, seed: string): Int32Array {
  const random = createRandom(seed);
  const order = random.shuffle(Int32Array.from(train.keys()));
  const start = random.next();
  const counts = new Int32Array(train.length);
  let [end, drawn] = [0, 0];
  for (const [place, i] of order.entries()) {
    end += train.length * f64At(probabilities, i);
    // rounding must not lose the last mark
    const until = place === order.length - 1 ? train.length : Math.min(Math.ceil(end - start), train.length);
    counts[i] = Math.max(0, until - drawn);
    drawn = Math.max(drawn, until);
  }
  const rows = new Int32Array(train.length);
  let filled = 0;
  for (let i = 0; i < counts.length; i++) {
    rows.fill(at(train, i), filled, filled + i32At(counts, i));
    filled += i32At(counts, i);
  }
  return rows;
}
