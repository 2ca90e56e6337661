/** @file The order in which an epoch visits rows, and its batches. */
import { createRandom } from "./rng.js";

/**
 * Rows in the order of one epoch. It depends on `(seed, epoch)` and the rows alone, so a resumed run goes on exactly
 * as one that was never stopped.
 * @returns a new array; `rows` stays as it is
 */
export function epochOrder(rows: Int32Array, seed: number | string, epoch: number): Int32Array {
  return createRandom(`epoch ${epoch} of seed ${seed}`).shuffle(rows.slice());
}

/** Consecutive pieces of `order`, views of it; the last one may be shorter. */
export function batchesOf(order: Int32Array, batchSize: number): Int32Array[] {
  if (!Number.isInteger(batchSize) || batchSize < 1) throw new RangeError(`no batches of ${batchSize} rows`);
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += batchSize) batches.push(order.subarray(start, start + batchSize));
  return batches;
}
