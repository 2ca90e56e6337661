/** @file What an entry of a task's arrays is about: a row of the split or, of a task per token, a token of a row. */
import { at, i32At } from "../arrays.js";
import { isPerElement, type TaskSpec } from "../flow/graph.js";
import { neededOffsets, type Offsets } from "../flow/masks.js";
import type { ScoredSplit } from "./score.js";

/** What one entry of a task's arrays is about. */
export interface RowOrToken {
  readonly row: number;
  /** Index of the token in its row, from 0; null where the task is asked once per row. */
  readonly position: number | null;
}

/**
 * Finds the row that a token belongs to, by bisection.
 * @param token among those of all rows
 */
export function tokenAt(offsets: Offsets, token: number): RowOrToken & { readonly position: number } {
  let [low, high] = [0, offsets.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (i32At(offsets, middle) <= token) low = middle;
    else high = middle - 1;
  }
  return { row: low, position: token - i32At(offsets, low) };
}

/** What the entries of a task of this split are about. */
export function subjectsOf({ offsets }: Pick<ScoredSplit, "offsets">, spec: TaskSpec): (index: number) => RowOrToken {
  if (!isPerElement(spec)) return (row) => ({ row, position: null });
  return (token) => tokenAt(neededOffsets(offsets), token);
}

/** Index of a row, or of a token of it, in a task's arrays. */
export function indexOf({ offsets }: Pick<ScoredSplit, "offsets">, { row, position }: RowOrToken): number {
  return position === null ? row : i32At(neededOffsets(offsets), row) + position;
}

/** Name of a row, or of one of its tokens: `sample[3]`. */
export function nameOf(ids: readonly string[], { row, position }: RowOrToken): string {
  return position === null ? at(ids, row) : `${ids[row]}[${position}]`;
}
