/** @file Sets of rows as bits: 32 rows a word, so that thousands of conditions can be tried in a moment. */
import { f64At, u32At } from "../../arrays.js";

/** Which rows belong to a set. */
export type RowSet = Uint32Array;

export function emptySet(rows: number): RowSet {
  return new Uint32Array((rows + 31) >>> 5);
}

/** The rows for which `holds` answers true. */
export function rowsWhere(rows: number, holds: (row: number) => boolean): RowSet {
  const set = emptySet(rows);
  for (let row = 0; row < rows; row++) if (holds(row)) addRow(set, row);
  return set;
}

export function addRow(set: RowSet, row: number): void {
  const word = row >>> 5;
  set[word] = u32At(set, word) | (1 << (row & 31));
}

/** The rows of the set, in their order. */
export function forEachRow(set: RowSet, visit: (row: number) => void): void {
  for (let word = 0; word < set.length; word++) {
    for (let rest = u32At(set, word); rest !== 0; rest &= rest - 1) visit(32 * word + (31 - Math.clz32(rest & -rest)));
  }
}

/** The rows of both, in their order. */
export function forEachInBoth(left: RowSet, right: RowSet, visit: (row: number) => void): void {
  for (let word = 0; word < left.length; word++) {
    const rows = u32At(left, word) & u32At(right, word);
    for (let rest = rows; rest !== 0; rest &= rest - 1) visit(32 * word + (31 - Math.clz32(rest & -rest)));
  }
}

/** How many rows belong to the set. */
export function count(set: RowSet): number {
  let total = 0;
  for (let word = 0; word < set.length; word++) total += popCount(u32At(set, word));
  return total;
}

/** How many rows belong to both. */
export function countBoth(left: RowSet, right: RowSet): number {
  let total = 0;
  for (let word = 0; word < left.length; word++) total += popCount(u32At(left, word) & u32At(right, word));
  return total;
}

/** How many rows belong to the first and not to the second. */
export function countWithout(left: RowSet, right: RowSet): number {
  let total = 0;
  for (let word = 0; word < left.length; word++) total += popCount(u32At(left, word) & ~u32At(right, word));
  return total;
}

/** How many rows belong to all three. */
export function countThree(first: RowSet, second: RowSet, third: RowSet): number {
  let total = 0;
  for (let word = 0; word < first.length; word++)
    total += popCount(u32At(first, word) & u32At(second, word) & u32At(third, word));
  return total;
}

/** How many rows of a set belong to one of two others. */
export function countEither(set: RowSet, left: RowSet, right: RowSet): number {
  let total = 0;
  for (let word = 0; word < set.length; word++)
    total += popCount(u32At(set, word) & (u32At(left, word) | u32At(right, word)));
  return total;
}

/** Whether any row belongs to both. */
export function anyBoth(left: RowSet, right: RowSet): boolean {
  for (let word = 0; word < left.length; word++) if ((u32At(left, word) & u32At(right, word)) !== 0) return true;
  return false;
}

/** Whether any row belongs to the first and not to the second. */
export function anyOutside(left: RowSet, right: RowSet): boolean {
  for (let word = 0; word < left.length; word++) if ((u32At(left, word) & ~u32At(right, word)) !== 0) return true;
  return false;
}

export function both(left: RowSet, right: RowSet): RowSet {
  const set = new Uint32Array(left.length);
  for (let word = 0; word < set.length; word++) set[word] = u32At(left, word) & u32At(right, word);
  return set;
}

export function either(left: RowSet, right: RowSet): RowSet {
  const set = new Uint32Array(left.length);
  for (let word = 0; word < set.length; word++) set[word] = u32At(left, word) | u32At(right, word);
  return set;
}

export function without(left: RowSet, right: RowSet): RowSet {
  const set = new Uint32Array(left.length);
  for (let word = 0; word < set.length; word++) set[word] = u32At(left, word) & ~u32At(right, word);
  return set;
}

/** Position of a value among ascending ones, which hold it. */
export function firstOf(ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (f64At(ascending, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Set bits of a word (Hacker's Delight, §5-1). */
function popCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
