/** @file Padded batches of sequences ↔ the positions that hold tokens. */
import type { InputSpec } from "../data/dataset.js";
import { ConfigError } from "../errors.js";
import { joinArrays } from "./arrays.js";
import type { InputBatch } from "./network.js";

/** Ids of the batch's token input, [rows, padded length]; null where there is none. */
export function tokenIds(specs: Readonly<Record<string, InputSpec>>, batch: InputBatch): Int32Array | null {
  const name = Object.keys(specs).find((key) => specs[key]?.kind === "tokens");
  return name === undefined ? null : (batch[name] as Int32Array);
}

/** Tokens in each row of a batch: all before the padding, which is 0. */
export function rowLengths(specs: Readonly<Record<string, InputSpec>>, batch: InputBatch, rows: number): Int32Array {
  const ids = tokenIds(specs, batch);
  if (ids === null) throw new Error("a task per token needs a token input");
  const padded = ids.length / rows;
  return Int32Array.from({ length: rows }, (_, row) => {
    let length = padded;
    while (length > 0 && ids[row * padded + length - 1] === 0) length--;
    return length;
  });
}

/**
 * Lines of one row's tokens, without those of its padding, in a new array.
 * @param lines [rows × padded length, width]
 * @param lengths tokens of each row
 */
export function tokensOfRow(lines: Float32Array, row: number, lengths: Int32Array, width: number): Float32Array {
  const padded = lines.length / lengths.length;
  return lines.slice(row * padded, row * padded + (lengths[row] as number) * width);
}

/**
 * Lines of the tokens without those of the padding, in a new array.
 * @param lines [rows × padded length, width]
 * @param lengths tokens of each row
 */
export function keepTokens(lines: Float32Array, lengths: Int32Array, width: number): Float32Array {
  return joinArrays(Array.from(lengths, (_, row) => tokensOfRow(lines, row, lengths, width)));
}

/** Says that a feature has not one place per token. */
export function changedLength(tokens: number | undefined, places: number | undefined): ConfigError {
  return new ConfigError(
    `The trunk's feature for tasks per token has ${places} places where the sequence has ${tokens} tokens. Keep one per token: no strides, and padding: "same" in convolutions.`,
    { tokens, places },
  );
}
