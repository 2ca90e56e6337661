/** @file Lines of a task's arrays ↔ rows of the split and places in their sequences. */
import { at, i32At } from "../arrays.js";
import { axisOf, type TaskSpec } from "../flow/graph.js";
import type { Offsets } from "../flow/masks.js";
import type { ScoredSplit } from "./score.js";

/** What one line of a task's arrays is about. */
export interface Line {
  readonly row: number;
  /** Token of the row, from 0; null where the task is asked once per row. */
  readonly position: number | null;
}

/** Finds the row that a position belongs to, by bisection. */
export function lineOf(offsets: Offsets, line: number): Line & { readonly position: number } {
  let [low, high] = [0, offsets.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (i32At(offsets, middle) <= line) low = middle;
    else high = middle - 1;
  }
  return { row: low, position: line - i32At(offsets, low) };
}

/** What the lines of a task of this split are about. */
export function linesOf({ offsets }: Pick<ScoredSplit, "offsets">, spec: TaskSpec): (line: number) => Line {
  if (axisOf(spec) === "sample") return (row) => ({ row, position: null });
  return (line) => lineOf(neededOffsets(offsets), line);
}

/** The line of a row, or of a token of it, in a task's arrays. */
export function lineAt({ offsets }: Pick<ScoredSplit, "offsets">, { row, position }: Line): number {
  return position === null ? row : i32At(neededOffsets(offsets), row) + position;
}

export function neededOffsets(offsets: Offsets | null | undefined): Offsets {
  if (offsets == null) throw new Error("a task per token needs the offsets of the rows' tokens");
  return offsets;
}

/** Name of a row, or of one of its tokens: `sample[3]`. */
export function lineId(ids: readonly string[], { row, position }: Line): string {
  return position === null ? at(ids, row) : `${ids[row]}[${position}]`;
}
