/** @file The order in which an epoch visits rows, and its batches. */
import { i32At } from "../arrays.js";
import { type InputSource, isTokenSource } from "./dataset.js";
import { createRandom } from "./rng.js";

/**
 * Rows in the order of one epoch. It depends on `(seed, epoch)` and the rows alone, so a resumed run goes on exactly
 * as one that was never stopped.
 * @returns a new array; `rows` stays as it is
 */
export function epochOrder(rows: Int32Array, seed: number | string, epoch: number): Int32Array {
  return createRandom(`epoch ${epoch} of seed ${seed}`).shuffle(rows.slice());
}

// large enough to find rows of like length, small enough that epochs still mix them
const BATCHES_PER_POOL = 64;

/**
 * The order of one epoch where rows are sequences: rows of like length lie in the same batch, so that little of it is
 * padding. Pools of shuffled rows are sorted by length and cut into batches, which are then shuffled; a last, shorter
 * batch stays last. It depends on `(seed, epoch)`, the rows and their lengths alone.
 * @param lengths of all rows of the dataset
 */
export function bucketedOrder(
  rows: Int32Array,
  lengths: Int32Array,
  batchSize: number,
  seed: number | string,
  epoch: number,
): Int32Array {
  const shuffled = epochOrder(rows, seed, epoch);
  const length = (row: number): number => i32At(lengths, row);
  // sorting is stable, so rows of one length keep their shuffled order
  const pools = batchesOf(shuffled, BATCHES_PER_POOL * batchSize).map((pool) =>
    Int32Array.from([...pool].sort((a, b) => length(a) - length(b))),
  );
  const batches = pools.flatMap((pool) => batchesOf(pool, batchSize));
  const last = batches.at(-1)?.length === batchSize ? [] : batches.splice(-1);
  createRandom(`batches of epoch ${epoch} of seed ${seed}`).shuffle(batches);
  const order = new Int32Array(rows.length);
  let at = 0;
  for (const batch of [...batches, ...last]) {
    order.set(batch, at);
    at += batch.length;
  }
  return order;
}

/** Length of each row's longest sequence; null where no input is one. */
export function sequenceLengths(inputs: Readonly<Record<string, InputSource>>): Int32Array | null {
  const [first, ...more] = tokenLengths(inputs);
  if (first === undefined) return null;
  return first.map((length, row) => Math.max(length, ...more.map((lengths) => i32At(lengths, row))));
}

/** Tokens of every row, for each input of sequences. */
export function tokenLengths(inputs: Readonly<Record<string, InputSource>>): Int32Array[] {
  return Object.values(inputs)
    .filter(isTokenSource)
    .map(({ lengths }) => lengths);
}

/** Consecutive pieces of `order`, views of it; the last one may be shorter. */
export function batchesOf(order: Int32Array, batchSize: number): Int32Array[] {
  if (!Number.isInteger(batchSize) || batchSize < 1) throw new RangeError(`no batches of ${batchSize} rows`);
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += batchSize) batches.push(order.subarray(start, start + batchSize));
  return batches;
}
