/** @file Items into parts of given shares, so that every stratum has its share of every part. */
import { at, i32At } from "../arrays.js";
import type { Sliced } from "../platform/yield-to.js";

/** Rows that belong together, such as those of one picture or of one patient. */
export type Item = readonly number[];

/** What rows are told apart by: for each stratum the rows that are in it. */
export interface Stratum {
  readonly name: string;
  /** Ascending. */
  readonly rows: Int32Array;
}

// items that are placed between two turns for signals
const SLICE = 65_536;

/**
 * Iterative stratification: Sechidis, Tsoumakas & Vlahavas, "On the Stratification of Multi-label Data" (2011). The
 * stratum with the fewest items left is dealt out first, each item to the part that lacks most of the stratum, then most
 * of all. An item of several rows takes as many places as it has rows, and of one stratum the largest items come first.
 * @param items in the order in which equal ones are placed; a row is in one item at most
 * @param shares of the parts; they add up to 1, and a part with a share of 0 stays empty
 * @returns the items of each part
 */
export function* stratify(
  items: readonly Item[],
  shares: readonly number[],
  strata: readonly Stratum[],
): Sliced<Item[][]> {
  const parts: Item[][] = shares.map(() => []);
  const rowCount = items.reduce((sum, item) => sum + item.length, 0);
  const { perStratum, ofItem } = yield* countStrata(items, strata);
  /** Rows that each part still lacks, of all and of each stratum. */
  const lacks = shares.map((share) => share * rowCount);
  const lacksOf = perStratum.map(({ rows }) => shares.map((share) => share * rows));
  const left = perStratum.map(({ items: own }) => own.length);
  const isPlaced = new Uint8Array(items.length);
  let placed = 0;
  const place = (index: number, part: number): void => {
    const item = at(items, index);
    isPlaced[index] = 1;
    at(parts, part).push(item);
    lacks[part] = at(lacks, part) - item.length;
    for (let i = i32At(ofItem.first, index); i < i32At(ofItem.first, index + 1); i++) {
      const s = i32At(ofItem.strata, i);
      left[s] = at(left, s) - 1;
      const own = at(lacksOf, s);
      own[part] = at(own, part) - i32At(ofItem.counts, i);
    }
    placed++;
  };
  for (let rarest = rarestOf(left); rarest !== null; rarest = rarestOf(left)) {
    // the largest first; sorting is stable, so that items of equal size keep their order
    for (const index of at(perStratum, rarest).items) {
      if (isPlaced[index] === 1) continue;
      place(index, neediest(shares, at(lacksOf, rarest), lacks));
      if (placed % SLICE === 0) yield;
    }
  }
  for (let index = 0; index < items.length; index++) {
    if (isPlaced[index] === 0) place(index, neediest(shares, lacks, lacks));
    if (index % SLICE === 0) yield;
  }
  return parts;
}

/** The part that lacks most of one thing; of equal ones that which lacks most of another, then the first. */
function neediest(shares: readonly number[], first: readonly number[], then: readonly number[]): number {
  let best = -1;
  for (const [part, share] of shares.entries()) {
    if (share === 0) continue;
    const ahead = best < 0 ? 1 : at(first, part) - at(first, best) || at(then, part) - at(then, best);
    if (ahead > 0) best = part;
  }
  return best;
}

/** The stratum with the fewest items left; null where none has any. */
function rarestOf(left: readonly number[]): number | null {
  let rarest: number | null = null;
  for (const [s, count] of left.entries()) {
    if (count > 0 && (rarest === null || count < at(left, rarest))) rarest = s;
  }
  return rarest;
}

interface StratumCounts {
  readonly perStratum: readonly {
    /** Items that have rows in it, those with most first. */
    readonly items: readonly number[];
    readonly rows: number;
  }[];
  /** Strata of item i with its rows in them: those from `first[i]` up to `first[i + 1]`. */
  readonly ofItem: { readonly first: Int32Array; readonly strata: Int32Array; readonly counts: Int32Array };
}

function* countStrata(items: readonly Item[], strata: readonly Stratum[]): Sliced<StratumCounts> {
  let rowCount = 0;
  for (const item of items) for (const row of item) rowCount = Math.max(rowCount, row + 1);
  const itemOf = new Int32Array(rowCount).fill(-1);
  for (let index = 0; index < items.length; index++) for (const row of at(items, index)) itemOf[row] = index;
  const perStratum: { readonly items: number[]; readonly counts: Int32Array; readonly rows: number }[] = [];
  const sizes = new Int32Array(items.length + 1);
  for (const stratum of strata) {
    const counts = new Int32Array(items.length);
    let rows = 0;
    for (const row of stratum.rows) {
      const index = row < rowCount ? i32At(itemOf, row) : -1;
      if (index < 0) continue;
      counts[index] = i32At(counts, index) + 1;
      rows++;
    }
    const own: number[] = [];
    for (let index = 0; index < items.length; index++) {
      if (counts[index] === 0) continue;
      own.push(index);
      sizes[index + 1] = i32At(sizes, index + 1) + 1;
    }
    perStratum.push({ items: own, counts, rows });
    yield;
  }
  for (let index = 0; index < items.length; index++) sizes[index + 1] = i32At(sizes, index + 1) + i32At(sizes, index);
  const total = i32At(sizes, items.length);
  const ofItem = { first: sizes, strata: new Int32Array(total), counts: new Int32Array(total) };
  const next = sizes.slice();
  for (const [s, { items: own, counts }] of perStratum.entries()) {
    for (const index of own) {
      const place = i32At(next, index);
      ofItem.strata[place] = s;
      ofItem.counts[place] = i32At(counts, index);
      next[index] = place + 1;
    }
    yield;
  }
  const sorted = perStratum.map(({ items: own, counts, rows }) => ({
    items: own.toSorted((a, b) => i32At(counts, b) - i32At(counts, a)),
    rows,
  }));
  return { perStratum: sorted, ofItem };
}
