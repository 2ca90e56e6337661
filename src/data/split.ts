/** @file Which rows train, validate and test. */
import { createHash } from "node:crypto";
import { at, i32At, u32At } from "../arrays.js";
import { ConfigError, DataError } from "../errors.js";
import { atOnce, type Sliced } from "../platform/yield-to.js";
import { SPLITS, type Split } from "../tasks/evaluation.js";
import { KeyHash } from "./key-hash.js";
import type { Item } from "./stratify.js";
import { columnOf, placeOf, quoteCell, type Table } from "./tables/table.js";

/** Row numbers of each split, ascending. */
export type Splits = Readonly<Record<Split, Int32Array>>;

/** What a split takes care of besides shares. */
export interface SplitCare {
  /** A column: rows of one value of it stay in one split. */
  readonly groupBy?: string | undefined;
  /** Whether every class of every task gets its share of every split. */
  readonly stratify?: boolean | undefined;
  /** Parts that train and valid together are cut into for cross-validation. */
  readonly folds?: number | undefined;
  /** The part, from 1, that is valid while the others train. */
  readonly fold?: number | undefined;
}

/** Shares of the rows; they add up to 1. */
export interface SplitFractions extends SplitCare {
  readonly train: number;
  readonly valid: number;
  readonly test: number;
  readonly seed: number;
}

/** A column that says train, valid (val, validation) or test. */
export interface SplitColumn extends SplitCare {
  readonly column: string;
  /** Of the folds. */
  readonly seed?: number | undefined;
}

/** Either shares or a column. */
export type SplitSpec = SplitFractions | SplitColumn;

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
  const rows = Int32Array.from(ids, (_, row) => row);
  const items = yield* itemsOf(rows, (row) => imageOf(at(ids, row)), fractions.seed);
  const [train, valid, test] = cutRows(items, sharesOf(fractions));
  return { train, valid, test } as Splits;
}

/** Shares of train, valid and test. */
export function sharesOf(fractions: SplitFractions): number[] {
  return SPLITS.map((split) => fractions[split]);
}

/** The picture that a row is about, by the row's id. */
export function imageOf(id: string): string {
  if (!id.includes("#")) return id;
  return id.replace(/#\d+$/, "");
}

/** Items, in their order, cut where the shares of the rows are reached; an item belongs to the part of its first place. */
export function cut(items: readonly Item[], shares: readonly number[]): Item[][] {
  const counts = largestRemainder(
    shares,
    items.reduce((sum, item) => sum + item.length, 0),
  );
  const parts: Item[][] = shares.map(() => []);
  let current = 0;
  let room = at(counts, 0);
  for (const item of items) {
    while (room <= 0 && current < shares.length - 1) room += at(counts, ++current);
    parts[current]?.push(item);
    room -= item.length;
  }
  return parts;
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
  return splitsOf(rows.map((own) => [own]));
}

const SPLIT_WORDS: ReadonlyMap<string, Split> = new Map([
  ["train", "train"],
  ["valid", "valid"],
  ["val", "valid"],
  ["validation", "valid"],
  ["test", "test"],
]);

export function assertFractions(fractions: SplitFractions): void {
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

/** Rows of each key, such as an image, in the order of the hashes of (seed, key). */
export function* itemsOf(
  someRows: Int32Array,
  keyOf: (row: number) => string,
  seed: number | string,
): Sliced<OrderedItems> {
  const digestOf = (key: string): Buffer => createHash("sha256").update(`${seed}\0${key}`).digest();
  // the first eight bytes of each hash: what they leave undecided is one key, but for one case in 10¹⁹
  const [high, low] = [new Uint32Array(someRows.length), new Uint32Array(someRows.length)];
  const digest = new KeyHash(`${seed}\0`);
  for (let i = 0; i < someRows.length; i += 1) {
    digest.hash(keyOf(i32At(someRows, i)));
    high[i] = digest.high;
    low[i] = digest.low;
    if (i % SLICE === 0) yield;
  }
  const order = yield* orderOf(high, low);
  const isNext = (at: number): boolean => {
    const [a, b] = [u32At(order, at - 1), u32At(order, at)];
    return high[a] === high[b] && low[a] === low[b];
  };
  const rows = Int32Array.from(order, (i) => i32At(someRows, i));
  const ends = new Int32Array(rows.length);
  let count = 0;
  for (let from = 0, to = 1; from < order.length; from = to, to = from + 1) {
    while (to < order.length && isNext(to)) to += 1;
    let end = from;
    // most stand alone
    for (const item of to === from + 1 ? [] : itemsOfOne([...rows.subarray(from, to)], keyOf, digestOf)) {
      rows.set(item, end);
      end += item.length;
      ends[count++] = end;
    }
    if (to === from + 1) ends[count++] = to;
    if (count % SLICE === 0) yield;
  }
  return new OrderedItems(rows, ends.subarray(0, count));
}

/** Items in their order, without an array for each. */
export class OrderedItems implements Iterable<Item> {
  /** Rows of one item after the other. */
  readonly rows: Int32Array;
  /** Where each item ends among the rows. */
  readonly ends: Int32Array;

  constructor(rows: Int32Array, ends: Int32Array) {
    this.rows = rows;
    this.ends = ends;
  }

  *[Symbol.iterator](): Iterator<Item> {
    let from = 0;
    for (const end of this.ends) {
      yield [...this.rows.subarray(from, end)];
      from = end;
    }
  }
}

/** Rows of each part, ascending, as {@link cut} cuts the items. */
export function cutRows({ rows, ends }: OrderedItems, shares: readonly number[]): Int32Array[] {
  const counts = largestRemainder(shares, rows.length);
  const partEnds = shares.map(() => 0);
  let [current, room, from] = [0, at(counts, 0), 0];
  for (let i = 0; i < ends.length; i += 1) {
    while (room <= 0 && current < shares.length - 1) room += at(counts, ++current);
    room -= i32At(ends, i) - from;
    from = i32At(ends, i);
    partEnds[current] = from;
  }
  let start = 0;
  return partEnds.map((end) => {
    const own = rows.slice(start, Math.max(start, end)).sort();
    start = Math.max(start, end);
    return own;
  });
}

/** Items of rows whose hashes begin alike: one, unless their keys differ. */
function itemsOfOne(
  rows: readonly number[],
  keyOf: (row: number) => string,
  digestOf: (key: string) => Buffer,
): readonly Item[] {
  const byKey = new Map<string, number[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const own = byKey.get(key);
    if (own === undefined) byKey.set(key, [row]);
    else own.push(row);
  }
  if (byKey.size === 1) return [...byKey.values()];
  return [...byKey].sort(([a], [b]) => digestOf(a).compare(digestOf(b))).map(([, own]) => own);
}

const DIGITS = 65_536;

/** Indices in the order of (high, low), those of equal ones as they were: sorted by sixteen bits after the other. */
function* orderOf(high: Uint32Array, low: Uint32Array): Sliced<Uint32Array> {
  let order = Uint32Array.from(high, (_, i) => i);
  let sorted = new Uint32Array(high.length);
  for (const [words, shift] of [
    [low, 0],
    [low, 16],
    [high, 0],
    [high, 16],
  ] as const) {
    yield;
    const starts = new Uint32Array(DIGITS + 1);
    const digitOf = (i: number): number => (u32At(words, i) >>> shift) % DIGITS;
    for (let i = 0; i < words.length; i += 1) starts[digitOf(i) + 1] = u32At(starts, digitOf(i) + 1) + 1;
    for (let digit = 0; digit < DIGITS; digit += 1) starts[digit + 1] = u32At(starts, digit + 1) + u32At(starts, digit);
    for (let at = 0; at < order.length; at += 1) {
      const i = u32At(order, at);
      const digit = digitOf(i);
      const place = u32At(starts, digit);
      sorted[place] = i;
      starts[digit] = place + 1;
    }
    [order, sorted] = [sorted, order];
  }
  return order;
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

/** Splits of the rows of some items each. */
export function splitsOf(parts: readonly (readonly Item[])[]): Splits {
  const [train, valid, test] = parts.map(rowsIn);
  return { train, valid, test } as Splits;
}

/** Rows of some items, ascending. */
export function rowsIn(items: readonly Item[]): Int32Array {
  return Int32Array.from(items.flat()).sort();
}
