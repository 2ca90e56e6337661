/** @file The weights of a model that is taken into another one, in the precision of that one. */
import { at } from "../../arrays.js";
import { ONNX_ATTRIBUTE, ONNX_NODE, ONNX_TENSOR, ONNX_TYPE } from "../../protobuf/onnx.js";
import { readFields } from "../../protobuf/wire.js";
import type { Attribute, OnnxGraph } from "./graph.js";
import { convolution, times } from "./products.js";
import { permuted } from "./values.js";

/** Numbers of a constant. */
interface Numbers {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

const FLOAT_DATA = 4;

/** The numbers of a `TensorProto`; null where they are no floats of 32 bits, or lie elsewhere. */
export function floatsIn(tensor: Uint8Array): Numbers | null {
  const shape: number[] = [];
  let [type, values] = [0, new Float32Array(0)];
  const floats: number[] = [];
  for (const part of readFields(tensor)) {
    if (part.field === ONNX_TENSOR.dims) shape.push(...integersOf(part));
    else if (part.wire === "varint") type = part.field === ONNX_TENSOR.type ? part.value : type;
    else if (part.field === ONNX_TENSOR.raw) values = new Float32Array(new Uint8Array(part.value).buffer);
    else if (part.field === FLOAT_DATA) floats.push(...new Float32Array(new Uint8Array(part.value).buffer));
  }
  const own = values.length > 0 ? values : Float32Array.from(floats);
  const isWhole = own.length === shape.reduce((product, size) => product * size, 1);
  return type === ONNX_TYPE.float && isWhole ? { values: own, shape } : null;
}

type Field = ReturnType<typeof readFields> extends Generator<infer F> ? F : never;

/** Integers one by one, or packed. */
function integersOf(part: Field): number[] {
  if (part.wire === "varint") return [part.value];
  const packed: number[] = [];
  let [value, shift] = [0, 0];
  for (const byte of part.value) {
    value += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte >= 0x80) continue;
    packed.push(value);
    [value, shift] = [0, 0];
  }
  return packed;
}

interface OtherNode {
  readonly type: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

function nodeIn(message: Uint8Array): OtherNode {
  const [inputs, outputs]: [string[], string[]] = [[], []];
  const attributes: Record<string, Attribute> = {};
  let [type, domain] = ["", ""];
  for (const part of readFields(message)) {
    if (part.wire === "varint") continue;
    if (part.field === ONNX_NODE.attribute) {
      const { name, value } = attributeIn(part.value);
      if (value !== null) attributes[name] = value;
      continue;
    }
    const text = new TextDecoder().decode(part.value);
    if (part.field === ONNX_NODE.input) inputs.push(text);
    else if (part.field === ONNX_NODE.output) outputs.push(text);
    else if (part.field === ONNX_NODE.type) type = text;
    else if (part.field === ONNX_NODE.domain) domain = text;
  }
  return { type, domain, inputs, outputs, attributes };
}

/** @returns null for what no convolution or product has */
function attributeIn(message: Uint8Array): { readonly name: string; readonly value: Attribute | null } {
  let name = "";
  let value: Attribute | null = null;
  const integers: number[] = [];
  for (const part of readFields(message)) {
    if (part.field === ONNX_ATTRIBUTE.integers) integers.push(...integersOf(part));
    else if (part.wire === "varint") value = part.field === ONNX_ATTRIBUTE.integer ? part.value : value;
    else if (part.field === ONNX_ATTRIBUTE.name) name = new TextDecoder().decode(part.value);
    else if (part.field === ONNX_ATTRIBUTE.string) value = new TextDecoder().decode(part.value);
    else if (part.field === ONNX_ATTRIBUTE.float) {
      value = { float: at(new Float32Array(new Uint8Array(part.value).buffer), 0) };
    }
  }
  return { name, value: integers.length > 0 ? integers : value };
}

/** Constants of a model by their names, with the numbers of those that are worth fewer bits. */
export class MergedWeights {
  readonly #graph: OnnxGraph;
  readonly #numbers = new Map<string, Numbers>();
  readonly #narrow = new Map<string, string>();

  constructor(graph: OnnxGraph) {
    this.#graph = graph;
  }

  /** Takes a constant up where it is kept in fewer bits. @returns whether it may be left out of the graph */
  take(name: string, tensor: Uint8Array): boolean {
    const { precision, smallest } = this.#graph.weightForm;
    const numbers = precision === "float32" ? null : floatsIn(tensor);
    if (numbers === null || numbers.shape.length < 2 || numbers.values.length < smallest) return false;
    this.#numbers.set(name, numbers);
    if (precision === "float16") this.#narrow.set(name, this.#graph.weights(numbers.values, numbers.shape));
    return precision === "float16";
  }

  /** What a constant that was left out is called in the graph; undefined: it was not. */
  nameOf(name: string): string | undefined {
    return this.#narrow.get(name);
  }

  /**
   * Writes a node in whole numbers of 8 bits.
   * @returns the name of its result; null where the node stays as it is
   */
  inBytes(message: Uint8Array, rename: (name: string) => string): { output: string; value: string } | null {
    if (this.#graph.weightForm.precision !== "int8" || this.#numbers.size === 0) return null;
    const node = nodeIn(message);
    const [x = "", weights = "", bias = ""] = node.inputs;
    const numbers = this.#numbers.get(weights);
    const [output] = node.outputs;
    if (numbers === undefined || output === undefined || node.domain !== "") return null;
    const value = this.#product(node, rename(x), numbers, bias === "" ? null : rename(bias));
    return value === null ? null : { output: rename(output), value };
  }

  #product(node: OtherNode, x: string, { values, shape }: Numbers, bias: string | null): string | null {
    const graph = this.#graph;
    const { type, attributes } = node;
    if (type === "Conv") {
      const { group = 1 } = attributes;
      if (group !== 1) return null;
      const made = convolution(graph, x, values, shape, null, { ...attributes, group: 1 });
      const perFilter = [1, -1, ...shape.slice(2).map(() => 1)];
      return bias === null ? made : graph.op("Add", [made, graph.op("Reshape", [bias, graph.int64(perFilter)])]);
    }
    if (shape.length !== 2) return null;
    if (type === "MatMul") return times(graph, x, values, shape);
    if (type !== "Gemm" || !isPlainProduct(attributes)) return null;
    const isTurned = attributes.transB === 1;
    const turned = isTurned ? permuted(values, shape, [1, 0]) : values;
    const made = times(graph, x, turned, isTurned ? [at(shape, 1), at(shape, 0)] : shape);
    return bias === null ? made : graph.op("Add", [made, bias]);
  }
}

function isPlainProduct({ alpha, beta, transA = 0 }: OtherNode["attributes"]): boolean {
  const isOne = (value: Attribute | undefined): boolean =>
    value === undefined || (typeof value === "object" && "float" in value && value.float === 1);
  return isOne(alpha) && isOne(beta) && transA === 0;
}
