/** @file Records what tfjs computes on TensorFlow, op by op, as nodes of a graph. */
import type * as tf from "@tensorflow/tfjs-core";
import { at } from "../../arrays.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import type {
  Binding,
  OpAttribute,
  TensorflowBackend,
  TensorId,
  TensorMetadata,
} from "../backends/tensorflow/binding.js";
import type { Attribute, GraphBuilder, Output } from "./graph-def.js";
import { outputOf } from "./graph-def.js";
import { computeByLibrary, type MakeCompute } from "./op-trail.js";
import { UntraceableError } from "./untraceable.js";

/** What recorded work may ask about its tensors. */
export interface OpRecorder {
  /** A tensor's place in the graph. */
  outputOf(tensor: tf.Tensor): Output;
  /** Gives a tensor a place of its own, such as a placeholder, whatever it was made from. */
  place(tensor: tf.Tensor, output: Output): void;
}

/**
 * Everything that tfjs does on this backend passes through its native binding: tensors are made from values, ops turn
 * tensors into others. While `work` runs, each is recorded as well as done. Tensors that have no place in the graph,
 * because they are older than the recording, become constants.
 *
 * @param makeCompute how ops are computed
 * @throws UntraceableError where values of a recorded tensor are read, since JavaScript would then decide what follows
 */
export function recordOps<T>(
  backend: TensorflowBackend,
  graph: GraphBuilder,
  work: (recorder: OpRecorder) => T,
  makeCompute: MakeCompute = computeByLibrary,
): T {
  const { binding, getInputTensorIds } = backend;
  const compute = makeCompute(binding);
  const outputs = new Map<TensorId, Output | (() => Output)>();
  const shapes = new Map<TensorId, readonly number[]>();
  const constants = new Set<TensorId>();
  const idOf = (tensor: tf.Tensor): TensorId => at(backend.getInputTensorIds([tensor]), 0);
  const outputOfId = (id: TensorId): Output => {
    const output = outputs.get(id);
    if (typeof output === "string") return output;
    if (output !== undefined) {
      const own = output();
      outputs.set(id, own);
      return own;
    }
    throw new UntraceableError("a layer reads a tensor of an unknown kind");
  };
  const recording: Binding = Object.create(binding, {
    createTensor: {
      value(shape: readonly number[], dtype: number, values: Float32Array | Int32Array | Uint8Array) {
        const id = binding.createTensor(shape, dtype, values);
        // most of what is large, such as a batch, gets a place before an op reads it
        outputs.set(id, () => graph.constant(dtype, shape, values));
        constants.add(id);
        return id;
      },
    },
    executeOp: {
      value(name: string, attributes: readonly OpAttribute[], inputs: readonly TensorId[], count: number) {
        const results = compute(name, attributes, inputs, count);
        const inferred = name in INFERRED ? (INFERRED[name] as InferAttributes)(results) : {};
        const op = isBias(
          name,
          results,
          inputs.map((id) => shapes.get(id)),
        )
          ? "BiasAdd"
          : name;
        const node = graph.node(op, inputs.map(outputOfId), { ...inferred, ...attributesOf(binding, attributes) });
        for (const [i, { id, shape }] of results.entries()) {
          outputs.set(id, outputOf(node, i));
          shapes.set(id, shape);
        }
        return results;
      },
    },
    tensorDataSync: {
      value(id: TensorId) {
        if (!outputs.has(id) || constants.has(id)) return binding.tensorDataSync(id);
        throw new UntraceableError("a layer reads the values of a tensor while it computes");
      },
    },
  });
  backend.binding = recording;
  backend.getInputTensorIds = (tensors) => {
    const ids = getInputTensorIds.call(backend, tensors);
    for (const [i, id] of ids.entries()) {
      if (outputs.has(id)) continue;
      const { dtype, shape } = at(tensors, i);
      if (!(dtype in ELEMENT_TYPES)) throw new UntraceableError(`a layer reads a tensor of type ${dtype}`);
      const type = ELEMENT_TYPES[dtype as keyof typeof ELEMENT_TYPES];
      outputs.set(id, () => graph.constant(type, shape, binding.tensorDataSync(id)));
    }
    return ids;
  };
  try {
    return work({
      outputOf: (tensor) => outputOfId(idOf(tensor)),
      place(tensor, output) {
        const id = idOf(tensor);
        outputs.set(id, output);
        shapes.set(id, tensor.shape);
      },
    });
  } finally {
    backend.binding = binding;
    Reflect.deleteProperty(backend, "getInputTensorIds");
  }
}

/**
 * Whether an op adds a vector to every row or pixel of floats: TensorFlow computes a convolution, a bias and an activation
 * in one go where the sum says that it is one.
 */
function isBias(
  name: string,
  [result]: readonly TensorMetadata[],
  [addend, vector]: readonly (readonly number[] | undefined)[],
): boolean {
  if (name !== "Add" || result?.dtype !== DTYPE.float || addend === undefined || vector === undefined) return false;
  const isSum = addend.length === 4 && addend.every((size, axis) => size === result.shape[axis]);
  return isSum && vector.length === 1 && vector[0] === addend.at(-1);
}

type InferAttributes = (results: readonly TensorMetadata[]) => Record<string, Attribute>;

/** Attributes that tfjs-node leaves to be inferred, which a graph does not do. */
const INFERRED: Readonly<Record<string, InferAttributes>> = {
  ExpandDims: ([result]) => ({ T: { type: (result as TensorMetadata).dtype }, Tdim: { type: DTYPE.int32 } }),
};

const ELEMENT_TYPES = { float32: DTYPE.float, int32: DTYPE.int32, bool: DTYPE.bool } as const;

function attributesOf(binding: Binding, attributes: readonly OpAttribute[]): Record<string, Attribute> {
  return Object.fromEntries(attributes.map(({ name, type, value }) => [name, attributeOf(binding, type, value)]));
}

function attributeOf(binding: Binding, type: number, value: unknown): Attribute {
  switch (type) {
    case binding.TF_ATTR_TYPE:
      return { type: value as number };
    case binding.TF_ATTR_BOOL:
      return Array.isArray(value) ? { booleans: value as boolean[] } : { boolean: value as boolean };
    case binding.TF_ATTR_INT:
      return Array.isArray(value) ? { integers: value as number[] } : { integer: value as number };
    case binding.TF_ATTR_FLOAT:
      return Array.isArray(value) ? { floats: value as number[] } : { float: value as number };
    case binding.TF_ATTR_STRING:
      return { string: value as string };
    case binding.TF_ATTR_SHAPE:
      return { shape: value as number[] };
    default:
      throw new UntraceableError(`an op has an attribute of the unknown type ${type}`);
  }
}
