/** @file Rows that were read → everything that a runner feeds its network. */
import { at } from "../arrays.js";
import { frameOf, type PixelSize } from "../decoding/framing.js";
import type { PredictorInput } from "./document.js";
import { type FedInput, feed, type InputForm, type ReadValues } from "./inputs.js";

/** What was read of one row. */
export interface ReadRow {
  /** Of the inputs. */
  readonly names: readonly string[];
  /** Of each input. */
  readonly values: readonly ReadValues[];
  /** Of the original picture. */
  readonly size: PixelSize | null;
  /** How many there are; null: no input is made of tokens. */
  readonly tokens: number | null;
  /** Answers of known tasks by path: 1, 0 or NaN. */
  readonly known: Readonly<Record<string, number>>;
}

/** What is known of rows besides their logits. */
export interface RowFacts {
  /** Tokens of each row, where a task is asked per token. */
  readonly lengths?: ArrayLike<number>;
  /** Sizes of the original pictures, where answers are in their pixels, or of parts of them. */
  readonly sizes?: { readonly width: Float32Array; readonly height: Float32Array };
  /** Answers of known tasks by path: 1, 0 or NaN for each row. */
  readonly known?: Readonly<Record<string, Float32Array>>;
}

/** Inputs, known answers, and what a model needs to know of the pictures, by name. */
export function feedsOf(
  inputs: Readonly<Record<string, PredictorInput>>,
  rows: readonly ReadRow[],
  takes: InputForm,
  facts: RowFacts,
): Record<string, FedInput> {
  const fed = Object.entries(inputs).map(([name, input]) => {
    const values = rows.map((row) => at(row.values, row.names.indexOf(name)));
    return [name, feed(input, values, takes)] as const;
  });
  const known = Object.entries(facts.known ?? {}).map(
    ([path, data]) => [path, { data, shape: [rows.length] }] as const,
  );
  const { sizes } = facts;
  const ofPictures = Object.entries(inputs).flatMap(([name, input]) => {
    if (input.kind !== "image" || sizes === undefined) return [];
    const rowsOf = (width: number, row: (size: PixelSize) => number[]): FedInput => ({
      data: Float32Array.from(rows.flatMap((_, i) => row({ width: at(sizes.width, i), height: at(sizes.height, i) }))),
      shape: [rows.length, width],
    });
    const frame = (size: PixelSize): number[] => {
      const { left, top, width, height } = frameOf(input, size);
      return [left, top, width, height];
    };
    return [
      [`${name}/size`, rowsOf(2, ({ width, height }) => [height, width])] as const,
      [`${name}/frame`, rowsOf(4, frame)] as const,
    ];
  });
  return Object.fromEntries([...fed, ...known, ...ofPictures]);
}
