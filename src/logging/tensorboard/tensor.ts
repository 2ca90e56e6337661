/** @file Tensors as summaries hold them (`TensorProto`). */
import type { ProtoWriter } from "./proto.js";
import { DIMENSION, DTYPE, SHAPE, TENSOR } from "./schema.js";

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
  out.integer(TENSOR.dtype, dtypeOf(values));
  const shapeStart = out.begin(TENSOR.shape);
  writeShape(out, shape);
  out.end(shapeStart);
  if (values instanceof Float32Array || values instanceof Float64Array) {
    // the format asks for little-endian bytes, which is what every platform of Node.js has
    out.raw(TENSOR.content, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  } else {
    for (const value of values) out.raw(TENSOR.strings, value);
  }
}

/** Appends the fields of a `TensorShapeProto`. */
export function writeShape(out: ProtoWriter, shape: readonly number[]): void {
  for (const size of shape) {
    const dimension = out.begin(SHAPE.dimension);
    out.integer(DIMENSION.size, size);
    out.end(dimension);
  }
}

function dtypeOf(values: Tensor["values"]): number {
  if (values instanceof Float32Array) return DTYPE.float;
  return values instanceof Float64Array ? DTYPE.double : DTYPE.string;
}
