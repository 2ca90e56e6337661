/** @file Sets of rows as bits: 32 rows a word, so that thousands of conditions can be tried in a moment. */

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

export function hasRow(set: RowSet, row: number): boolean {
  return (((set[row >>> 5] ?? 0) >>> (row & 31)) & 1) === 1;
}

export function addRow(set: RowSet, row: number): void {
  const word = row >>> 5;
  set[word] = (set[word] ?? 0) | (1 << (row & 31));
}

/** How many rows belong to the set. */
export function count(set: RowSet): number {
  let total = 0;
  for (const word of set) total += popCount(word);
  return total;
}

/** How many rows belong to both. */
export function countBoth(left: RowSet, right: RowSet): number {
  let total = 0;
  for (let word = 0; word < left.length; word++) total += popCount((left[word] ?? 0) & (right[word] ?? 0));
  return total;
}

/** Whether any row belongs to the first and not to the second. */
export function anyOutside(left: RowSet, right: RowSet): boolean {
  for (let word = 0; word < left.length; word++) if (((left[word] ?? 0) & ~(right[word] ?? 0)) !== 0) return true;
  return false;
}

export const both = (left: RowSet, right: RowSet): RowSet => left.map((word, i) => word & (right[i] ?? 0));
export const either = (left: RowSet, right: RowSet): RowSet => left.map((word, i) => word | (right[i] ?? 0));
export const without = (left: RowSet, right: RowSet): RowSet => left.map((word, i) => word & ~(right[i] ?? 0));

/** Whether two sets over the same rows hold the same rows. */
export function sameRows(left: RowSet, right: RowSet): boolean {
  return left.every((word, i) => word === right[i]);
}

/** Set bits of a word (Hacker's Delight, §5-1). */
function popCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
