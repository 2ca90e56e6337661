/** @file Rows of an input as a network sees them → as the signature of an exported model takes them. */
import { at } from "../../arrays.js";
import type { InputSpec, InputValues } from "../../data/dataset.js";

/** Values of an input of a session. */
export interface FedValues {
  readonly data: Uint8Array | Int32Array | Float32Array;
  readonly dims: readonly number[];
}

/** @param values of the rows of a batch, as an input source reads them */
export function signatureValues(spec: InputSpec, values: InputValues, rows: number): FedValues {
  switch (spec.kind) {
    case "image":
      return { data: Uint8Array.from(values), dims: [rows, ...spec.size, spec.channels] };
    case "tokens":
      return { data: Int32Array.from(values), dims: [rows, values.length / rows] };
    case "categorical": {
      const width = values.length / rows;
      const isIndex = spec.encoding === "index";
      const place = (row: number): number =>
        isIndex ? at(values, row) : values.subarray(row * width, (row + 1) * width).indexOf(1) + 1;
      return { data: Int32Array.from({ length: rows }, (_, row) => place(row)), dims: [rows] };
    }
    case "numeric": {
      const width = values.length / rows;
      const { standardize, statistics } = spec;
      if (!standardize || statistics === null) return { data: Float32Array.from(values), dims: [rows, width] };
      // standardized inside
      const raw = (value: number, i: number): number =>
        value * at(statistics.deviation, i % width) + at(statistics.mean, i % width);
      return { data: Float32Array.from(values, raw), dims: [rows, width] };
    }
    default:
      return spec satisfies never;
  }
}

/** Ones, for an input that no logit hangs on. @param shape with names of free sizes */
export function anyValues(shape: readonly (number | string)[], rows: number): FedValues {
  const dims = shape.map((size, axis) => (axis > 0 && typeof size === "number" && size > 0 ? size : rows));
  return { data: new Float32Array(dims.reduce((product, size) => product * size, 1)).fill(1), dims };
}
