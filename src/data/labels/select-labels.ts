/** @file Labels of some rows, in their order: one entry for each row or, of a task per token, one for each token. */
import { at, f32At, i32At, u8At } from "../../arrays.js";
import { isPerElement, type TaskSpec } from "../../flow/graph.js";
import { answerWidth, neededOffsets, type Offsets, offsetsOf, tokensIn } from "../../flow/masks.js";
import { scalesPerRow } from "./unit-scale.js";
import type { Labels } from "../../tasks/index.js";

/** Offsets of some rows, in their order. */
export function selectOffsets(offsets: Offsets, rows: ArrayLike<number>): Offsets {
  return offsetsOf(Array.from(rows, (row) => i32At(offsets, row + 1) - i32At(offsets, row)));
}

/**
 * A task's labels of some rows, in their order.
 * @param offsets of all rows; needed where the task is asked per token
 */
export function selectLabels(
  spec: TaskSpec,
  { answers, unitScale }: Labels,
  rows: ArrayLike<number>,
  offsets?: Offsets | null,
): Labels {
  const own = isPerElement(spec) ? neededOffsets(offsets) : null;
  return {
    answers: selectEntries(answers, rows, answerWidth(spec), own),
    unitScale: unitScale === null ? null : selectEntries(unitScale, rows, scalesPerRow(spec), own),
  };
}

/**
 * Entries of some rows, in their order.
 * @param entries [rows, width], or [tokens, width] where there are offsets
 * @param offsets of all rows; null: every row has one entry
 */
export function selectEntries<A extends Float32Array | Uint8Array>(
  entries: A,
  rows: ArrayLike<number>,
  width: number,
  offsets: Offsets | null,
): A {
  const count = offsets === null ? rows.length : tokensIn(selectOffsets(offsets, rows));
  const selected = new (entries.constructor as new (length: number) => A)(count * width);
  if (offsets === null && width === 1) {
    // a loop for each type: one that meets several takes ten times as long
    if (entries instanceof Float32Array) copyFloats(entries, rows, selected);
    else copyBytes(entries, rows, selected);
    return selected;
  }
  let to = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = at(rows, i);
    const [from, end] = offsets === null ? [row, row + 1] : [i32At(offsets, row), i32At(offsets, row + 1)];
    // a row has few entries: a call for each would take longer than to copy them
    for (let entry = from * width; entry < end * width; entry++) selected[to++] = at(entries, entry);
  }
  return selected;
}

function copyFloats(entries: Float32Array, rows: ArrayLike<number>, selected: Float32Array | Uint8Array): void {
  if (!(rows instanceof Int32Array)) for (let i = 0; i < rows.length; i++) selected[i] = f32At(entries, at(rows, i));
  else for (let i = 0; i < rows.length; i++) selected[i] = f32At(entries, i32At(rows, i));
}

function copyBytes(entries: Uint8Array, rows: ArrayLike<number>, selected: Float32Array | Uint8Array): void {
  if (!(rows instanceof Int32Array)) for (let i = 0; i < rows.length; i++) selected[i] = u8At(entries, at(rows, i));
  else for (let i = 0; i < rows.length; i++) selected[i] = u8At(entries, i32At(rows, i));
}
