/** @file The elements of a batch: tokens, which are padded to one length, or pixels, of which each row has as many. */
import type { InputSpec } from "../../data/dataset.js";
import { ConfigError } from "../../errors.js";
import { pixelsPerSample } from "../../flow/graph.js";
import type { InputBatch } from "./input-batch.js";
import type { NetworkForm } from "./layout.js";

type Specs = Readonly<Record<string, InputSpec>>;

/** The token input that a network reads, or whose tokens it reads a vector for each of; null where there is none. */
export function tokenInputOf(specs: Specs): string | null {
  const own = Object.keys(specs).find((key) => specs[key]?.kind === "tokens");
  return own ?? Object.values(specs).flatMap((spec) => perTokenOf(spec) ?? [])[0] ?? null;
}

/** The token input of whose tokens an input has a vector for each. */
function perTokenOf(spec: InputSpec): string | null {
  return spec.kind === "numeric" ? (spec.perToken ?? null) : null;
}

/** Inputs of a network as sequences come, which are as long as the longest of a batch. */
export function isSequence(spec: InputSpec): boolean {
  return spec.kind === "tokens" || perTokenOf(spec) !== null;
}

/** Ids of the batch's token input, [rows, padded length]; null where there is none. */
export function tokenIds(specs: Specs, batch: InputBatch): Int32Array | null {
  const name = tokenInputOf(specs);
  return name === null ? null : (batch[name] as Int32Array);
}

/** What knows which elements the rows of a batch have. */
type ElementForm = Pick<NetworkForm, "graph" | "inputs">;

/** Elements in each row of a batch: all pixels, or all tokens before the padding, which is 0. */
export function rowLengths({ graph, inputs: specs }: ElementForm, batch: InputBatch, rows: number): Int32Array {
  const pixels = pixelsPerSample(graph);
  if (pixels !== null) return new Int32Array(rows).fill(pixels);
  const ids = tokenIds(specs, batch);
  if (ids === null) throw new Error("a task per token needs a token input");
  const padded = ids.length / rows;
  return Int32Array.from({ length: rows }, (_, row) => {
    let length = padded;
    while (length > 0 && ids[row * padded + length - 1] === 0) length--;
    return length;
  });
}

/** Elements in each row of a batch with its padding; 0 where there are none. */
export function paddedLength({ graph, inputs: specs }: ElementForm, batch: InputBatch, rows: number): number {
  return pixelsPerSample(graph) ?? (tokenIds(specs, batch)?.length ?? 0) / rows;
}

/** Says that a feature is not as long as the sequence of its tokens. */
export function changedLength(tokens: number | undefined, length: number | undefined): ConfigError {
  return new ConfigError(
    `The trunk's feature for tasks per token has ${length} positions where the sequence has ${tokens} tokens. Keep one per token: no strides, and padding: "same" in convolutions.`,
    { tokens, length },
  );
}
