/** @file Which rows train, validate and test. */
import { createHash } from "node:crypto";
import { at } from "../arrays.js";
import { ConfigError, DataError } from "../errors.js";
import { atOnce, type Sliced } from "../platform/yield-to.js";
import { SPLITS, type Split } from "../tasks/evaluation.js";
import { columnOf, placeOf, quoteCell, type Table } from "./tables/table.js";

/** Row numbers of each split, ascending. */
export type Splits = Readonly<Record<Split, Int32Array>>;

/** Shares of the rows; they add up to 1. */
export interface SplitFractions {
  readonly train: number;
  readonly valid: number;
  readonly test: number;
  readonly seed: number;
}

/** Either shares or a column that says train, valid (val, validation) or test. */
export type SplitSpec = SplitFractions | { readonly column: string };

const FRACTION_TOLERANCE = 1e-6;

/**
 * Splits rows by a hash of (seed, id): rows are ordered by it and cut at the fractions. The result does not depend on
 * the order of the rows, and a few more rows move only those next to the cuts.
 * Counts are exact (largest remainder), except that rows of one image (ids that differ in a `#n` suffix) stay
 * together: such a group belongs to the split of its first place.
 * @throws ConfigError if a fraction is negative or they do not add up to 1
 */
export function splitRows(ids: readonly string[], fractions: SplitFractions): Splits {
  return atOnce(splitRowsSliced(ids, fractions));
}

/** `splitRows` with room for signals. */
export function* splitRowsSliced(ids: readonly string[], fractions: SplitFractions): Sliced<Splits> {
  assertFractions(fractions);
  const groups = yield* groupByImage(ids, fractions.seed);
  const counts = largestRemainder(
    SPLITS.map((split) => fractions[split]),
    ids.length,
  );
  const rows: number[][] = SPLITS.map(() => []);
  let current = 0;
  let room = at(counts, 0);
  for (const group of groups) {
    while (room <= 0 && current < SPLITS.length - 1) room += at(counts, ++current);
    rows[current]?.push(...group);
    room -= group.length;
  }
  return splitsOf(rows);
}

/**
 * Splits rows by a column's words, in any case: train; valid, val or validation; test.
 * @throws DataError for any other value, with its row
 */
export function splitByColumn(table: Table, column: string): Splits {
  const cells = columnOf(table, column, "the split");
  const rows: number[][] = SPLITS.map(() => []);
  cells.forEach((cell, row) => {
    const split = SPLIT_WORDS.get(String(cell).trim().toLowerCase());
    if (split === undefined) {
      throw new DataError(
        `${table.file}, ${placeOf(table, row)}, column "${column}": ${quoteCell(cell)} is not a split. Write train, valid (or val, validation) or test.`,
        { file: table.file, row: row + 1, column, value: cell },
      );
    }
    rows[SPLITS.indexOf(split)]?.push(row);
  });
  return splitsOf(rows);
}

const SPLIT_WORDS: ReadonlyMap<string, Split> = new Map([
  ["train", "train"],
  ["valid", "valid"],
  ["val", "valid"],
  ["validation", "valid"],
  ["test", "test"],
]);

function assertFractions(fractions: SplitFractions): void {
  const shares = SPLITS.map((split) => fractions[split]);
  const sum = shares.reduce((a, b) => a + b, 0);
  // written so that NaN fails too
  if (shares.every((share) => share >= 0) && Math.abs(sum - 1) <= FRACTION_TOLERANCE) return;
  throw new ConfigError(
    `The split's fractions are train ${shares[0]}, valid ${shares[1]}, test ${shares[2]}; each must be 0 or more and they must add up to 1.`,
    { train: shares[0], valid: shares[1], test: shares[2] },
  );
}

/** Images that are hashed or sorted at a time. */
const SLICE = 65_536;

/** Rows of each image, images in the order of their hashes. */
function* groupByImage(ids: readonly string[], seed: number): Sliced<readonly (readonly number[])[]> {
  const byImage = new Map<string, number[]>();
  for (let row = 0; row < ids.length; row += 1) {
    const image = at(ids, row).replace(/#\d+$/, "");
    const rows = byImage.get(image);
    if (rows === undefined) byImage.set(image, [row]);
    else rows.push(row);
    if (row % SLICE === 0) yield;
  }
  // by the first bytes of their hashes first: each bucket is then sorted by itself
  const buckets: { readonly key: string; readonly rows: number[] }[][] = Array.from({ length: 256 }, () => []);
  let hashed = 0;
  for (const [image, rows] of byImage) {
    const key = createHash("sha256").update(`${seed}\0${image}`).digest("binary");
    buckets[key.charCodeAt(0)]?.push({ key, rows });
    hashed += 1;
    if (hashed % SLICE === 0) yield;
  }
  const sorted: number[][] = [];
  for (const bucket of buckets) {
    for (const { rows } of bucket.sort((a, b) => (a.key < b.key ? -1 : 1))) sorted.push(rows);
    yield;
  }
  return sorted;
}

/** Integers near `fractions × total` that add up to `total`; spare ones go to the largest remainders, then the first. */
function largestRemainder(fractions: readonly number[], total: number): number[] {
  const counts = fractions.map((fraction) => Math.floor(fraction * total));
  const remainders = fractions.map((fraction, i) => ({ i, remainder: fraction * total - at(counts, i) }));
  remainders.sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  const spare = total - counts.reduce((a, b) => a + b, 0);
  for (const { i } of remainders.slice(0, spare)) counts[i] = at(counts, i) + 1;
  return counts;
}

function splitsOf(rows: readonly (readonly number[])[]): Splits {
  const [train, valid, test] = rows.map((list) => Int32Array.from(list).sort());
  return { train, valid, test } as Splits;
}
