/** @file Models as ONNX writes them: field numbers of `onnx.proto` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). */
import type { ProtoWriter } from "./wire.js";

export const MODEL = {
  irVersion: 1,
  producer: 2,
  producerVersion: 3,
  graph: 7,
  opset: 8,
  metadata: 14,
  functions: 25,
} as const;
export const OPSET = { domain: 1, version: 2 } as const;
export const ENTRY = { key: 1, value: 2 } as const;
export const ONNX_GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;
export const ONNX_NODE = { input: 1, output: 2, name: 3, type: 4, attribute: 5, domain: 7 } as const;
export const ONNX_ATTRIBUTE = {
  name: 1,
  float: 2,
  integer: 3,
  string: 4,
  tensor: 5,
  graph: 6,
  integers: 8,
  graphs: 11,
  type: 20,
} as const;
/** Values of the enum `AttributeProto.AttributeType`. */
export const ATTRIBUTE_TYPE = { float: 1, integer: 2, string: 3, tensor: 4, graph: 5, integers: 7 } as const;
export const ONNX_TENSOR = { dims: 1, type: 2, name: 8, raw: 9 } as const;
/** Values of the enum `TensorProto.DataType`. */
export const ONNX_TYPE = { float: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10 } as const;
export const VALUE_INFO = { name: 1, type: 2 } as const;
export const TYPE = { tensor: 1 } as const;
export const TENSOR_TYPE = { element: 1, shape: 2 } as const;
export const ONNX_SHAPE = { dimension: 1 } as const;
export const ONNX_DIMENSION = { value: 1, name: 2 } as const;

/** Appends a message as a field of another. */
export function embed(out: ProtoWriter, field: number, write: () => void): void {
  const start = out.begin(field);
  write();
  out.end(start);
}

/** Appends a `ValueInfoProto`: what a model or graph takes or puts out. @param shape sizes, or names of free ones */
export function writeValueInfo(
  out: ProtoWriter,
  field: number,
  name: string,
  element: number,
  shape: readonly (number | string)[] | null,
): void {
  embed(out, field, () => {
    out.string(VALUE_INFO.name, name);
    embed(out, VALUE_INFO.type, () =>
      embed(out, TYPE.tensor, () => {
        out.integer(TENSOR_TYPE.element, element);
        if (shape === null) return;
        embed(out, TENSOR_TYPE.shape, () => {
          for (const size of shape) {
            embed(out, ONNX_SHAPE.dimension, () => {
              if (typeof size === "number") out.integer(ONNX_DIMENSION.value, size);
              else out.string(ONNX_DIMENSION.name, size);
            });
          }
        });
      }),
    );
  });
}

/** Appends a `TensorProto` with its numbers little-endian, as every platform of Node.js is. */
export function writeOnnxTensor(
  out: ProtoWriter,
  field: number,
  name: string,
  type: number,
  shape: readonly number[],
  bytes: Uint8Array,
): void {
  embed(out, field, () => {
    for (const size of shape) out.integer(ONNX_TENSOR.dims, size);
    out.integer(ONNX_TENSOR.type, type);
    out.string(ONNX_TENSOR.name, name);
    out.raw(ONNX_TENSOR.raw, bytes);
  });
}
