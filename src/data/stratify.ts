/** @file Items into parts of given shares, so that every stratum has its share of every part. */
import { at, f64At, i32At } from "../arrays.js";
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
  const lacks = { all: shares.map((share) => share * rowCount), of: new Map<number, number[]>() };
  const counts = yield* countStrata(items, strata);
  const isPlaced = new Uint8Array(items.length);
  const left = counts.perStratum.map((own) => own.size);
  for (const [s, own] of counts.perStratum.entries()) {
    const total = [...own.values()].reduce((sum, count) => sum + count, 0);
    lacks.of.set(
      s,
      shares.map((share) => share * total),
    );
  }
  let placed = 0;
  const place = (index: number, part: number): void => {
    const item = at(items, index);
    isPlaced[index] = 1;
    at(parts, part).push(item);
    lacks.all[part] = at(lacks.all, part) - item.length;
    for (const [s, count] of counts.perItem[index] ?? []) {
      left[s] = at(left, s) - 1;
      const own = lacks.of.get(s) ?? [];
      own[part] = at(own, part) - count;
    }
    placed++;
  };
  for (let rarest = rarestOf(left); rarest !== null; rarest = rarestOf(left)) {
    const own = at(counts.perStratum, rarest);
    const waiting = [...own].filter(([index]) => isPlaced[index] === 0);
    // sorting is stable: items of equal size keep their order
    for (const [index] of waiting.sort(([, a], [, b]) => b - a)) {
      place(index, neediest(shares, lacks.of.get(rarest) ?? [], lacks.all));
      if (placed % SLICE === 0) yield;
    }
  }
  for (const index of items.keys()) {
    if (isPlaced[index] === 0) place(index, neediest(shares, lacks.all, lacks.all));
    if (placed % SLICE === 0) yield;
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
  /** Per stratum the rows of each item in it; items in their order. */
  readonly perStratum: readonly ReadonlyMap<number, number>[];
  /** Per item the strata that it has rows of, with their numbers. */
  readonly perItem: readonly (readonly (readonly [stratum: number, rows: number])[])[];
}

function* countStrata(items: readonly Item[], strata: readonly Stratum[]): Sliced<StratumCounts> {
  let rows = 0;
  for (const item of items) for (const row of item) rows = Math.max(rows, row + 1);
  const itemOf = new Int32Array(rows).fill(-1);
  for (const [index, item] of items.entries()) for (const row of item) itemOf[row] = index;
  const perItem: [number, number][][] = items.map(() => []);
  const perStratum: Map<number, number>[] = [];
  for (const [s, stratum] of strata.entries()) {
    const counts = new Float64Array(items.length);
    for (const row of stratum.rows) {
      const index = row < rows ? i32At(itemOf, row) : -1;
      if (index >= 0) counts[index] = f64At(counts, index) + 1;
    }
    const own = new Map<number, number>();
    for (const [index, count] of counts.entries()) {
      if (count === 0) continue;
      own.set(index, count);
      perItem[index]?.push([s, count]);
    }
    perStratum.push(own);
    yield;
  }
  return { perStratum, perItem };
}
