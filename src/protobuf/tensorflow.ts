/** @file Graphs and tensors as TensorFlow writes them: field numbers of `tensor.proto`, `graph.proto`, `saved_model.proto`. */
import type { ProtoWriter } from "./wire.js";

export const TENSOR = { dtype: 1, shape: 2, content: 4, floats: 5, doubles: 6, strings: 8 } as const;
export const SHAPE = { dimension: 2 } as const;
export const DIMENSION = { size: 1 } as const;
/** Values of the enum `DataType`. */
export const DTYPE = {
  float: 1,
  double: 2,
  int32: 3,
  uint8: 4,
  string: 7,
  int64: 9,
  bool: 10,
  resource: 20,
} as const;

export const GRAPH = { node: 1, versions: 4 } as const;
export const VERSIONS = { producer: 1 } as const;
export const NODE = { name: 1, op: 2, input: 3, attribute: 5 } as const;
/** Entries of protocol buffer maps. */
export const MAP_ENTRY = { key: 1, value: 2 } as const;
export const ATTRIBUTE = {
  list: 1,
  string: 2,
  integer: 3,
  float: 4,
  boolean: 5,
  type: 6,
  shape: 7,
  tensor: 8,
} as const;
export const ATTRIBUTE_LIST = { string: 2, integer: 3, float: 4, boolean: 5, type: 6, shape: 7 } as const;

export const SAVED_MODEL = { schemaVersion: 1, metaGraph: 2 } as const;
export const META_GRAPH = { info: 1, graph: 2, signature: 5 } as const;
export const SIGNATURE = { inputs: 1, outputs: 2, method: 3 } as const;
export const TENSOR_INFO = { name: 1, dtype: 2, shape: 3 } as const;
export const META_INFO = { tag: 4 } as const;

/** Appends the fields of a `TensorShapeProto`. */
export function writeShape(out: ProtoWriter, shape: readonly number[]): void {
  for (const size of shape) {
    const dimension = out.begin(SHAPE.dimension);
    out.integer(DIMENSION.size, size);
    out.end(dimension);
  }
}

/** Appends the `TensorProto` of a dense tensor, little-endian as every platform of Node.js is. */
export function writeDenseTensor(out: ProtoWriter, dtype: number, shape: readonly number[], bytes: Uint8Array): void {
  out.integer(TENSOR.dtype, dtype);
  const shapeStart = out.begin(TENSOR.shape);
  writeShape(out, shape);
  out.end(shapeStart);
  out.raw(TENSOR.content, bytes);
}

/** Appends one entry of a node's map of attributes. */
export function writeAttribute(out: ProtoWriter, key: string, writeValue: () => void): void {
  const entry = out.begin(NODE.attribute);
  out.string(MAP_ENTRY.key, key);
  const value = out.begin(MAP_ENTRY.value);
  writeValue();
  out.end(value);
  out.end(entry);
}
