/** @file A graph of ONNX operators as it grows, and its bytes. */
import { toHalf } from "../../engine/features/numbers.js";
import {
  ATTRIBUTE_TYPE,
  embed,
  ONNX_ATTRIBUTE,
  ONNX_GRAPH,
  ONNX_NODE,
  ONNX_TYPE,
  writeOnnxTensor,
  writeValueInfo,
} from "../../protobuf/onnx.js";
import { encodeMessage, type ProtoWriter } from "../../protobuf/wire.js";
import { fitsHalf, type WeightForm } from "./precision.js";

export type OnnxType = keyof typeof ONNX_TYPE;

/** An integer, integers, a text, a number with a fraction, or the body of a loop. */
export type Attribute = number | readonly number[] | string | { readonly float: number } | OnnxGraph;

/** What a graph takes or puts out. */
export interface Port {
  readonly name: string;
  readonly type: OnnxType;
  /** Sizes, or names of free ones; null: they are not said. */
  readonly shape: readonly (number | string)[] | null;
}

/** An operator. */
export interface Node {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** Numbers of a graph. */
export interface Constant {
  readonly type: OnnxType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Whether it is read as float32 numbers, whatever it is kept as. */
  readonly isWidened?: boolean;
}

/** What a graph and the bodies within it share: names, and numbers that all may read. */
interface Scope {
  names: number;
  readonly weights: WeightForm;
  readonly constants: Map<string, Constant>;
  /** Names of constants by their content. */
  readonly byContent: Map<string, string>;
}

/** Small constants are written once, whoever asks for them. */
const SHARED_BYTES = 256;

const PLAIN: WeightForm = { precision: "float32", smallest: 0 };

/** Operators in the order in which they are added; names are unique, also among the bodies within. */
export class OnnxGraph {
  /** Version of the standard operators. */
  readonly opset: number;
  readonly inputs: Port[] = [];
  readonly outputs: Port[] = [];
  readonly #nodes: (Node | Uint8Array)[] = [];
  readonly #foreign: Uint8Array[] = [];
  readonly #scope: Scope;
  /** Its large constants: a runtime prepares the weights of a branch or a loop only where they are its own. */
  readonly #own = new Map<string, Constant>();
  /** What reads a tensor in 8 bits shares them. */
  readonly #quantized = new Map<string, readonly string[]>();

  constructor(opset: number, weights: WeightForm = PLAIN, scope?: Scope) {
    this.opset = opset;
    this.#scope = scope ?? { names: 0, weights, constants: new Map(), byContent: new Map() };
  }

  /** The body of a loop or a branch, which may read whatever this graph has so far. */
  body(): OnnxGraph {
    return new OnnxGraph(this.opset, this.weightForm, this.#scope);
  }

  /** How the weights of its layers are kept. */
  get weightForm(): WeightForm {
    return this.#scope.weights;
  }

  /** Operators in their order; those of another model as its bytes. */
  get nodes(): readonly (Node | Uint8Array)[] {
    return this.#nodes;
  }

  /** Numbers by name. */
  get constants(): ReadonlyMap<string, Constant> {
    return new Map([...this.#scope.constants, ...this.#own]);
  }

  /** A name that nothing else has. */
  fresh(hint: string): string {
    this.#scope.names += 1;
    return `${hint}_${this.#scope.names}`;
  }

  /** Adds an operator. @returns the name of its output */
  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const output = this.fresh(type);
    this.#nodes.push({ type, inputs, outputs: [output], attributes });
    return output;
  }

  /** Adds an operator of several outputs. */
  ops(
    type: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.fresh(type));
    this.#nodes.push({ type, inputs, outputs, attributes });
    return outputs;
  }

  /** A tensor in 8 bits, with its scale and its zero point, by its own range (`DynamicQuantizeLinear`). */
  quantized(value: string): readonly string[] {
    const outputs = this.#quantized.get(value) ?? this.ops("DynamicQuantizeLinear", [value], 3);
    this.#quantized.set(value, outputs);
    return outputs;
  }

  /** Adds nodes and constants of another model as they are: `NodeProto`s and `TensorProto`s. */
  take(nodes: readonly Uint8Array[], constants: readonly Uint8Array[]): void {
    this.#nodes.push(...nodes);
    this.#foreign.push(...constants);
  }

  /** A value under another name. */
  alias(name: string, value: string): void {
    this.#nodes.push({ type: "Identity", inputs: [value], outputs: [name], attributes: {} });
  }

  /** A value under a name of its own, which the graph puts out. */
  output(name: string, value: string, type: OnnxType, shape: Port["shape"]): void {
    this.alias(name, value);
    this.outputs.push({ name, type, shape });
  }

  input(name: string, type: OnnxType, shape: Port["shape"]): string {
    this.inputs.push({ name, type, shape });
    return name;
  }

  floats(values: ArrayLike<number>, shape: readonly number[] = [values.length]): string {
    return this.#constant("float", shape, bytesOf(Float32Array.from(values)));
  }

  float(value: number): string {
    return this.floats([value], []);
  }

  int64(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.#constant("int64", shape, bytesOf(BigInt64Array.from(values, BigInt)));
  }

  int32(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.#constant("int32", shape, bytesOf(Int32Array.from(values)));
  }

  /** Numbers of a layer that it has learnt, which may be kept in fewer bits. */
  weights(values: Float32Array, shape: readonly number[]): string {
    const { precision, smallest } = this.weightForm;
    if (precision !== "float16" || values.length < smallest || !fitsHalf(values)) return this.floats(values, shape);
    const name = this.fresh("weights");
    const bytes = bytesOf(Uint16Array.from(values, toHalf));
    this.#own.set(name, { type: "float16", shape, bytes, isWidened: true });
    return name;
  }

  uint8(values: ArrayLike<number>, shape: readonly number[] = [values.length]): string {
    return this.#constant("uint8", shape, Uint8Array.from(values));
  }

  #constant(type: OnnxType, shape: readonly number[], bytes: Uint8Array): string {
    const { byContent, constants } = this.#scope;
    const key = bytes.length > SHARED_BYTES ? null : `${type}/${shape.join("x")}/${Buffer.from(bytes).toString("hex")}`;
    const known = key === null ? undefined : byContent.get(key);
    if (known !== undefined) return known;
    const name = this.fresh("constant");
    (key === null ? this.#own : constants).set(name, { type, shape, bytes });
    if (key !== null) byContent.set(key, name);
    return name;
  }

  /** Appends the fields of its `GraphProto`; small constants stand in the outermost one. */
  write(out: ProtoWriter, name: string, isBody = false): void {
    const widened = [...this.#own].filter(([, { isWidened }]) => isWidened === true);
    for (const [constant] of widened) {
      embed(out, ONNX_GRAPH.node, () => writeNode(out, widening(constant)));
    }
    for (const node of this.#nodes) {
      if (node instanceof Uint8Array) out.raw(ONNX_GRAPH.node, node);
      else embed(out, ONNX_GRAPH.node, () => writeNode(out, node));
    }
    out.string(ONNX_GRAPH.name, name);
    for (const bytes of this.#foreign) out.raw(ONNX_GRAPH.initializer, bytes);
    for (const [constant, { type, shape, bytes, isWidened }] of [
      ...(isBody ? [] : this.#scope.constants),
      ...this.#own,
    ]) {
      const kept = isWidened === true ? narrow(constant) : constant;
      writeOnnxTensor(out, ONNX_GRAPH.initializer, kept, ONNX_TYPE[type], shape, bytes);
    }
    for (const { name: port, type, shape } of this.inputs) {
      writeValueInfo(out, ONNX_GRAPH.input, port, ONNX_TYPE[type], shape);
    }
    for (const { name: port, type, shape } of this.outputs) {
      writeValueInfo(out, ONNX_GRAPH.output, port, ONNX_TYPE[type], shape);
    }
  }
}

/** What a constant is called before it is read as float32. */
const narrow = (constant: string): string => `${constant}/float16`;

/** A runtime does this once, when it opens the model. */
function widening(constant: string): Node {
  return { type: "Cast", inputs: [narrow(constant)], outputs: [constant], attributes: { to: ONNX_TYPE.float } };
}

function bytesOf({
  buffer,
  byteOffset,
  byteLength,
}: Float32Array | BigInt64Array | Int32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function writeNode(out: ProtoWriter, { type, inputs, outputs, attributes }: Node): void {
  for (const input of inputs) out.string(ONNX_NODE.input, input);
  for (const output of outputs) out.string(ONNX_NODE.output, output);
  out.string(ONNX_NODE.name, `node/${outputs[0] ?? type}`);
  out.string(ONNX_NODE.type, type);
  for (const [name, value] of Object.entries(attributes)) {
    embed(out, ONNX_NODE.attribute, () => writeAttribute(out, name, value));
  }
}

function writeAttribute(out: ProtoWriter, name: string, value: Attribute): void {
  out.string(ONNX_ATTRIBUTE.name, name);
  out.integer(ONNX_ATTRIBUTE.type, ATTRIBUTE_TYPE[attributeType(value)]);
  if (typeof value === "number") out.integer(ONNX_ATTRIBUTE.integer, value);
  else if (typeof value === "string") out.string(ONNX_ATTRIBUTE.string, value);
  else if (value instanceof OnnxGraph) {
    out.raw(
      ONNX_ATTRIBUTE.graph,
      encodeMessage((body) => value.write(body, "body", true)),
    );
  } else if ("float" in value) out.float(ONNX_ATTRIBUTE.float, value.float);
  else for (const each of value) out.integer(ONNX_ATTRIBUTE.integers, each);
}

function attributeType(value: Attribute): keyof typeof ATTRIBUTE_TYPE {
  if (typeof value === "number") return "integer";
  if (typeof value === "string") return "string";
  if (value instanceof OnnxGraph) return "graph";
  return "float" in value ? "float" : "integers";
}
