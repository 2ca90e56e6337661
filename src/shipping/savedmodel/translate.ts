/** @file An exported ONNX model as a SavedModel of TensorFlow: the same signature, weights as constants. */
import { at } from "../../arrays.js";
import { GraphBuilder, type Output, type SignatureTensor } from "../../engine/step-graph/graph-def.js";
import { DTYPE } from "../../protobuf/tensorflow.js";
import type { Constant, Node, OnnxGraph, OnnxType, Port } from "../onnx/graph.js";
import type { Operand, OperatorNode } from "./operand.js";
import { operators } from "./operators.js";
import { Untranslated } from "./untranslated.js";

const TYPES: { readonly [T in Exclude<OnnxType, "float16">]: number } = {
  float: DTYPE.float,
  uint8: DTYPE.uint8,
  int32: DTYPE.int32,
  int64: DTYPE.int64,
  bool: DTYPE.bool,
};

/** Operators of layers that say more by their own name. */
const SPOKEN: Readonly<Record<string, string>> = {
  Scan: "recurrent layers (LSTM, GRU …)",
  ConstantOfShape: "recurrent layers (LSTM, GRU …)",
  ConvTranspose: "transposed convolutions",
};

/** The bytes of `saved_model.pb`. @throws Untranslated that names the layer */
export function savedModelOf(graph: OnnxGraph): Uint8Array {
  const builder = new GraphBuilder();
  const values = new Map<string, Operand>();
  const inputs = graph.inputs.map((port): SignatureTensor => {
    const [dtype, shape] = [dtypeOf(port.type), shapeOf(port)];
    const output = builder.placeholder(dtype, shape);
    values.set(port.name, { output, dtype, numbers: null });
    return { name: port.name, output, dtype, shape };
  });
  const { constants } = graph;
  const operand = (name: string): Operand => {
    const known = values.get(name);
    if (known !== undefined) return known;
    const constant = constants.get(name);
    const made = constant === undefined ? MISSING : constantOf(builder, constant);
    values.set(name, made);
    return made;
  };
  for (const node of graph.nodes) {
    if (node instanceof Uint8Array) throw new Untranslated("an ONNX model as its trunk");
    values.set(at(node.outputs, 0), translated(builder, node, node.inputs.map(operand)));
  }
  const outputs = graph.outputs.map((port): SignatureTensor => {
    const { output } = operand(port.name);
    return { name: port.name, output: named(builder, output, port), dtype: dtypeOf(port.type), shape: shapeOf(port) };
  });
  return builder.encode(
    [...inputs, ...outputs].map(({ output }) => output),
    { inputs, outputs },
  );
}

/** An input that is left out. */
const MISSING: Operand = { output: "", dtype: DTYPE.float, numbers: null };

/** A node of its own for each output, also where two are the same. */
function named(builder: GraphBuilder, output: Output, { type }: Port): Output {
  return builder.node("Identity", [output], { T: { type: dtypeOf(type) } });
}

function translated(builder: GraphBuilder, { type, attributes }: Node, inputs: readonly Operand[]): Operand {
  const translate = Object.hasOwn(operators, type) ? operators[type] : undefined;
  if (translate === undefined) throw new Untranslated(SPOKEN[type] ?? `an operator ${type}`);
  const node: OperatorNode = {
    inputs,
    integer(name, fallback) {
      const value = attributes[name];
      return typeof value === "number" ? value : fallback;
    },
    integers(name) {
      const value = attributes[name];
      return Array.isArray(value) ? value.map(Number) : [];
    },
    float(name, fallback) {
      const value = attributes[name];
      return typeof value === "object" && "float" in value && typeof value.float === "number" ? value.float : fallback;
    },
    text(name) {
      const value = attributes[name];
      return typeof value === "string" ? value : "";
    },
  };
  return translate(builder, node);
}

function constantOf(builder: GraphBuilder, { type, shape, bytes }: Constant): Operand {
  const dtype = dtypeOf(type);
  const own = new Uint8Array(bytes).buffer;
  const output = builder.constant(dtype, shape, type === "float" ? new Float32Array(own) : new Int32Array(own));
  const numbers =
    type === "float" ? new Float32Array(own) : type === "int64" ? new BigInt64Array(own) : new Int32Array(own);
  return { output, dtype, numbers, shape };
}

function dtypeOf(type: OnnxType): number {
  if (type === "float16") throw new Untranslated("weights in 16 bits");
  return TYPES[type];
}

function shapeOf({ shape }: Port): number[] {
  return (shape ?? []).map((size) => (typeof size === "number" ? size : -1));
}
