/** @file Tensors as summaries hold them (`TensorProto`). */

import { DTYPE, TENSOR, writeDenseTensor, writeShape } from "../../protobuf/tensorflow.js";
import type { ProtoWriter } from "../../protobuf/wire.js";

/** A dense tensor in row-major order; the element type is that of `values`. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array | readonly Uint8Array[];
}

/** A tensor of byte strings. */
export function stringTensor(shape: readonly number[], values: readonly (string | Uint8Array)[]): Tensor {
  return { shape, values: values.map((value) => (typeof value === "string" ? Buffer.from(value, "utf8") : value)) };
}

/** Appends the fields of a `TensorProto`. */
export function writeTensor(out: ProtoWriter, { shape, values }: Tensor): void {
  if (values instanceof Float32Array || values instanceof Float64Array) {
    const dtype = values instanceof Float32Array ? DTYPE.float : DTYPE.double;
    writeDenseTensor(out, dtype, shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return;
  }
  out.integer(TENSOR.dtype, DTYPE.string);
  const shapeStart = out.begin(TENSOR.shape);
  writeShape(out, shape);
  out.end(shapeStart);
  for (const value of values) out.raw(TENSOR.strings, value);
}
