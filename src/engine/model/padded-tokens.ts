/** @file The tokens of a padded batch. */
import type { InputSpec } from "../../data/dataset.js";
import { ConfigError } from "../../errors.js";
import type { InputBatch } from "./input-batch.js";

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

/** Says that a feature is not as long as the sequence of its tokens. */
export function changedLength(tokens: number | undefined, length: number | undefined): ConfigError {
  return new ConfigError(
    `The trunk's feature for tasks per token has ${length} positions where the sequence has ${tokens} tokens. Keep one per token: no strides, and padding: "same" in convolutions.`,
    { tokens, length },
  );
}
