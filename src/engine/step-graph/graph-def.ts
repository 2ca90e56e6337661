/** @file Builds a TensorFlow graph node by node, and writes it as a saved model. */
import {
  ATTRIBUTE,
  ATTRIBUTE_LIST,
  DTYPE,
  GRAPH,
  MAP_ENTRY,
  META_GRAPH,
  META_INFO,
  NODE,
  SAVED_MODEL,
  SIGNATURE,
  TENSOR_INFO,
  VERSIONS,
  writeAttribute,
  writeDenseTensor,
  writeShape,
} from "../../protobuf/tensorflow.js";
import { encodeMessage, type ProtoWriter } from "../../protobuf/wire.js";

/** One output of a node as other nodes name it: `name`, or `name:1` for the second one. */
export type Output = string;

export type Attribute =
  | { readonly type: number }
  | { readonly shape: readonly number[] }
  | { readonly integer: number }
  | { readonly float: number }
  | { readonly boolean: boolean }
  | { readonly string: string }
  | { readonly integers: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly booleans: readonly boolean[] }
  | { readonly tensor: { readonly dtype: number; readonly shape: readonly number[]; readonly bytes: Uint8Array } };

export type Attributes = Readonly<Record<string, Attribute>>;

interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
}

type Values = Float32Array | Int32Array | Uint8Array;

/** The attribute of a type that is single precision. */
export const FLOAT: Attribute = { type: DTYPE.float };

/** Of TensorFlow 2.9, the oldest library that tfjs-node 4 runs on. */
const PRODUCER = 1087;

/** The tag by which a saved model's graph is found again. */
export const SERVE = "serve";

/** Constants of at most this many bytes are kept once however often they are asked for. */
const SHARED_BYTES = 256;

/** A tensor of a signature. */
export interface SignatureTensor {
  readonly name: string;
  readonly output: Output;
  readonly dtype: number;
  /** −1: any size. */
  readonly shape: readonly number[];
}

export interface Signature {
  readonly inputs: readonly SignatureTensor[];
  readonly outputs: readonly SignatureTensor[];
}

/** What servers and `tf.saved_model.load` look for. */
const SERVING = { name: "serving_default", method: "tensorflow/serving/predict" } as const;

function writeSignature(out: ProtoWriter, { inputs, outputs }: Signature): void {
  const entry = out.begin(META_GRAPH.signature);
  out.string(MAP_ENTRY.key, SERVING.name);
  const signature = out.begin(MAP_ENTRY.value);
  for (const tensor of inputs) writeTensorInfo(out, SIGNATURE.inputs, tensor);
  for (const tensor of outputs) writeTensorInfo(out, SIGNATURE.outputs, tensor);
  out.string(SIGNATURE.method, SERVING.method);
  out.end(signature);
  out.end(entry);
}

function writeTensorInfo(out: ProtoWriter, field: number, { name, output, dtype, shape }: SignatureTensor): void {
  const entry = out.begin(field);
  out.string(MAP_ENTRY.key, name);
  const info = out.begin(MAP_ENTRY.value);
  out.string(TENSOR_INFO.name, output.includes(":") ? output : `${output}:0`);
  out.integer(TENSOR_INFO.dtype, dtype);
  const own = out.begin(TENSOR_INFO.shape);
  writeShape(out, shape);
  out.end(own);
  out.end(info);
  out.end(entry);
}

/** A graph that only grows. */
export class GraphBuilder {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #constants = new Map<string, Output>();

  /**
   * @param inputs outputs of earlier nodes; `^name` only waits for that node
   * @returns the node's first output, which is its name
   */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}): Output {
    const name = `n${this.#nodes.size}_${op}`;
    this.#nodes.set(name, { name, op, inputs, attributes });
    return name;
  }

  /** An element-wise or matrix op on floats. */
  float(op: string, ...inputs: readonly string[]): Output {
    return this.node(op, inputs, { T: FLOAT });
  }

  /** @param values as many as the shape says; int64 values as pairs of int32, low word first */
  constant(dtype: number, shape: readonly number[], values: Values): Output {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const key = bytes.length <= SHARED_BYTES ? `${dtype} ${shape} ${bytes}` : null;
    const shared = key === null ? undefined : this.#constants.get(key);
    if (shared !== undefined) return shared;
    const tensor = { dtype, shape: [...shape], bytes: bytes.slice() };
    const output = this.node("Const", [], { dtype: { type: dtype }, value: { tensor } });
    if (key !== null) this.#constants.set(key, output);
    return output;
  }

  floatConstant(...values: readonly number[]): Output {
    return this.constant(DTYPE.float, [values.length], Float32Array.from(values));
  }

  floatScalar(value: number): Output {
    return this.constant(DTYPE.float, [], Float32Array.of(value));
  }

  intVector(values: readonly number[]): Output {
    return this.constant(DTYPE.int32, [values.length], Int32Array.from(values));
  }

  intScalar(value: number): Output {
    return this.constant(DTYPE.int32, [], Int32Array.of(value));
  }

  placeholder(dtype: number, shape: readonly number[]): Output {
    return this.node("Placeholder", [], { dtype: { type: dtype }, shape: { shape } });
  }

  /** A float vector that keeps its values between runs. */
  variable(name: string, size: number): Output {
    return this.node("VarHandleOp", [], {
      container: { string: "" },
      shared_name: { string: name },
      dtype: FLOAT,
      shape: { shape: [size] },
    });
  }

  read(variable: Output): Output {
    return this.node("ReadVariableOp", [variable], { dtype: FLOAT });
  }

  /** @returns the node to wait for */
  assign(variable: Output, value: Output, ...after: readonly string[]): string {
    return this.node("AssignVariableOp", [variable, value, ...after], { dtype: FLOAT });
  }

  reshape(value: Output, shape: readonly number[]): Output {
    return this.node("Reshape", [value, this.intVector(shape)], { T: FLOAT, Tshape: { type: DTYPE.int32 } });
  }

  /** Vectors one after the other. */
  join(vectors: readonly Output[]): Output {
    const [only] = vectors;
    if (vectors.length === 1 && only !== undefined) return only;
    return this.node("ConcatV2", [...vectors, this.intScalar(0)], {
      T: FLOAT,
      Tidx: { type: DTYPE.int32 },
      N: { integer: vectors.length },
    });
  }

  /** A vector cut into pieces of these lengths. */
  cut(vector: Output, lengths: readonly number[]): Output[] {
    if (lengths.length < 2) return lengths.map(() => vector);
    const node = this.node("SplitV", [vector, this.intVector(lengths), this.intScalar(0)], {
      T: FLOAT,
      Tlen: { type: DTYPE.int32 },
      num_split: { integer: lengths.length },
    });
    return lengths.map((_, i) => outputOf(node, i));
  }

  /**
   * The bytes of `saved_model.pb`, with the nodes that `outputs` need.
   * @param signature what it takes and puts out, as `serving_default`
   */
  encode(outputs: readonly string[], signature: Signature | null = null): Uint8Array {
    return encodeMessage((out) => {
      out.integer(SAVED_MODEL.schemaVersion, 1);
      const metaGraph = out.begin(SAVED_MODEL.metaGraph);
      const info = out.begin(META_GRAPH.info);
      out.string(META_INFO.tag, SERVE);
      out.end(info);
      const graph = out.begin(META_GRAPH.graph);
      for (const node of this.#needed(outputs)) writeNode(out, node);
      const versions = out.begin(GRAPH.versions);
      out.integer(VERSIONS.producer, PRODUCER);
      out.end(versions);
      out.end(graph);
      if (signature !== null) writeSignature(out, signature);
      out.end(metaGraph);
    });
  }

  #needed(outputs: readonly string[]): GraphNode[] {
    const needed = new Set<string>();
    const waiting = outputs.map(nodeOf);
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (needed.has(name)) continue;
      needed.add(name);
      waiting.push(...(this.#nodes.get(name)?.inputs ?? []).map(nodeOf));
    }
    return [...this.#nodes.values()].filter(({ name }) => needed.has(name));
  }
}

/** The name of one of a node's outputs. */
export function outputOf(node: string, index: number): Output {
  return index === 0 ? node : `${node}:${index}`;
}

function nodeOf(output: string): string {
  return output.replace(/^\^/, "").replace(/:\d+$/, "");
}

function writeNode(out: ProtoWriter, { name, op, inputs, attributes }: GraphNode): void {
  const node = out.begin(GRAPH.node);
  out.string(NODE.name, name);
  out.string(NODE.op, op);
  // control inputs stand last
  const ordered = [...inputs].sort((a, b) => Number(a.startsWith("^")) - Number(b.startsWith("^")));
  for (const input of ordered) out.string(NODE.input, input);
  for (const [key, attribute] of Object.entries(attributes)) {
    writeAttribute(out, key, () => writeValue(out, attribute));
  }
  out.end(node);
}

function writeValue(out: ProtoWriter, attribute: Attribute): void {
  if ("type" in attribute) out.integer(ATTRIBUTE.type, attribute.type);
  else if ("integer" in attribute) out.integer(ATTRIBUTE.integer, attribute.integer);
  else if ("float" in attribute) out.float(ATTRIBUTE.float, attribute.float);
  else if ("boolean" in attribute) out.boolean(ATTRIBUTE.boolean, attribute.boolean);
  else if ("string" in attribute) out.string(ATTRIBUTE.string, attribute.string);
  else if ("shape" in attribute) {
    const shape = out.begin(ATTRIBUTE.shape);
    writeShape(out, attribute.shape);
    out.end(shape);
  } else if ("tensor" in attribute) {
    const { dtype, shape, bytes } = attribute.tensor;
    const tensor = out.begin(ATTRIBUTE.tensor);
    writeDenseTensor(out, dtype, shape, bytes);
    out.end(tensor);
  } else {
    const list = out.begin(ATTRIBUTE.list);
    if ("integers" in attribute) for (const value of attribute.integers) out.integer(ATTRIBUTE_LIST.integer, value);
    else if ("floats" in attribute) for (const value of attribute.floats) out.float(ATTRIBUTE_LIST.float, value);
    else for (const value of attribute.booleans) out.boolean(ATTRIBUTE_LIST.boolean, value);
    out.end(list);
  }
}
