/** @file A model that feeds a network, taken into the one that is written: its graph under names of its own. */
import { at } from "../../arrays.js";
import { ConfigError } from "../../errors.js";
import {
  embed,
  MODEL,
  ONNX_ATTRIBUTE,
  ONNX_GRAPH,
  ONNX_NODE,
  ONNX_TENSOR,
  ONNX_SHAPE,
  OPSET,
  TENSOR_TYPE,
  TYPE,
  VALUE_INFO,
  ONNX_DIMENSION,
} from "../../protobuf/onnx.js";
import { encodeMessage, type ProtoWriter, readFields } from "../../protobuf/wire.js";
import type { OnnxGraph } from "./graph.js";
import { MergedWeights } from "./merged-weights.js";
import { NOTHING_TAKEN, OPSET_VERSION, type TakenIn } from "./model.js";

/** A parsed model, as far as it is taken over. */
export interface OtherModel {
  /** Version of the standard operators. */
  readonly opset: number;
  readonly irVersion: number;
  readonly opsets: TakenIn["opsets"];
  readonly functions: readonly Uint8Array[];
  readonly graph: Uint8Array;
  /** All that it reads, constants left out. At least one. */
  readonly inputs: readonly OtherInput[];
}

/** An input of a parsed model. */
export interface OtherInput {
  readonly name: string;
  /** Type of its numbers, a value of `TensorProto.DataType`. */
  readonly element: number;
  /** 0 where a size is free. */
  readonly shape: readonly number[];
}

const OLDEST = 13;
const NEWEST = 22;
const SPARSE = 15;
const DATA_LOCATION = 14;

/**
 * @param name of the model, for messages
 * @throws ConfigError where it cannot be taken in
 */
export function readOtherModel(bytes: Uint8Array, name: string): OtherModel {
  const opsets = new Map<string, number>();
  const functions: Uint8Array[] = [];
  let [graph, irVersion] = [new Uint8Array(0), NOTHING_TAKEN.irVersion];
  for (const part of readFields(bytes)) {
    if (part.wire === "varint") {
      if (part.field === MODEL.irVersion) irVersion = part.value;
    } else if (part.field === MODEL.graph) graph = Uint8Array.from(part.value);
    else if (part.field === MODEL.functions) functions.push(part.value);
    else if (part.field === MODEL.opset)
      opsets.set(textIn(part.value, OPSET.domain), numberIn(part.value, OPSET.version));
  }
  const opset = opsets.get("") ?? opsets.get("ai.onnx") ?? 1;
  if (opset < OLDEST || opset > NEWEST) {
    throw new ConfigError(
      `The ONNX model ${name} is written with operators of version ${opset}, and is taken into an export from ${OLDEST} to ${NEWEST}. Export it again with opset ${OPSET_VERSION}.`,
      { model: name, opset },
    );
  }
  const others = [...opsets].filter(([domain]) => domain !== "" && domain !== "ai.onnx");
  return { opset, irVersion, opsets: others, functions, graph, inputs: inputsOf(graph, name) };
}

function inputsOf(graph: Uint8Array, name: string): OtherInput[] {
  const constants = new Set<string>();
  const inputs: Uint8Array[] = [];
  for (const part of readFields(graph)) {
    if (part.wire === "varint") continue;
    if (part.field === SPARSE) throw outside(name, "sparse constants");
    if (part.field === ONNX_GRAPH.initializer) {
      if (numberIn(part.value, DATA_LOCATION) === 1) throw outside(name, "weights in a file of their own");
      constants.add(textIn(part.value, ONNX_TENSOR.name));
    }
    if (part.field === ONNX_GRAPH.input) inputs.push(part.value);
  }
  // older files list their constants among the inputs, too
  const own = inputs.filter((each) => !constants.has(textIn(each, VALUE_INFO.name)));
  if (own.length === 0) throw outside(name, "no input");
  return own.map((each) => ({
    name: textIn(each, VALUE_INFO.name),
    element: numberIn(tensorTypeIn(each), TENSOR_TYPE.element),
    shape: shapeIn(each),
  }));
}

/** How the one input of a model that reads pictures is laid out. */
export function pictureEntrance({ inputs }: OtherModel): {
  readonly name: string;
  readonly isChannelsFirst: boolean;
  /** null: any number. */
  readonly channels: number | null;
} {
  const { name, shape } = at(inputs, 0);
  const [, second, , fourth] = shape;
  const isColour = (size: number | undefined): boolean => size === 1 || size === 3;
  const isChannelsFirst = isColour(second) || !isColour(fourth);
  const channels = (isChannelsFirst ? second : fourth) ?? 0;
  return { name, isChannelsFirst, channels: channels > 0 ? channels : null };
}

function outside(model: string, what: string): ConfigError {
  return new ConfigError(
    `The ONNX model ${model} has ${what}, and cannot be taken into an export. Export it again as one file with its weights inside.`,
    { model, what },
  );
}

/** Sizes that a `ValueInfoProto` says; 0 where one is free. */
function shapeIn(info: Uint8Array): number[] {
  const shape = messageIn(tensorTypeIn(info), TENSOR_TYPE.shape);
  return [...readFields(shape)].flatMap((part) =>
    part.wire === "bytes" && part.field === ONNX_SHAPE.dimension ? [numberIn(part.value, ONNX_DIMENSION.value)] : [],
  );
}

function tensorTypeIn(info: Uint8Array): Uint8Array {
  return messageIn(messageIn(info, VALUE_INFO.type), TYPE.tensor);
}

function messageIn(message: Uint8Array, field: number): Uint8Array {
  let found: Uint8Array = new Uint8Array(0);
  for (const part of readFields(message)) if (part.field === field && part.wire === "bytes") found = part.value;
  return found;
}

function textIn(message: Uint8Array, field: number): string {
  return new TextDecoder().decode(messageIn(message, field));
}

function numberIn(message: Uint8Array, field: number): number {
  let found = 0;
  for (const part of readFields(message)) if (part.field === field && part.wire === "varint") found = part.value;
  return found;
}

/**
 * Adds the nodes and constants of a model to a graph, their names after a prefix.
 * @param feeds what its inputs are called in the graph that takes it in
 */
export function takeIn(
  graph: OnnxGraph,
  model: OtherModel,
  prefix: string,
  feeds: ReadonlyMap<string, string>,
): TakenIn {
  const parts = [...readFields(model.graph)].flatMap((part) => (part.wire === "varint" ? [] : [part]));
  const weights = new MergedWeights(graph);
  const constants = parts.filter(
    ({ field, value }) => field === ONNX_GRAPH.initializer && !weights.take(textIn(value, ONNX_TENSOR.name), value),
  );
  const renamed = (name: string): string => {
    if (name === "") return "";
    return feeds.get(name) ?? weights.nameOf(name) ?? `${prefix}${name}`;
  };
  const read = new Set<string>();
  for (const { field, value } of parts) {
    if (field !== ONNX_GRAPH.node) continue;
    const rename = (name: string): string => renamed(noted(read, name));
    const inBytes = weights.inBytes(value, rename);
    if (inBytes !== null) graph.alias(inBytes.output, inBytes.value);
    else graph.take([renamedNode(value, rename)], []);
  }
  for (const { field, value } of parts) {
    if (field === ONNX_GRAPH.output) read.add(textIn(value, VALUE_INFO.name));
  }
  // weights that are read in 8 bits alone are there in 8 bits alone
  const needed = constants.filter(({ value }) => read.has(textIn(value, ONNX_TENSOR.name)));
  graph.take(
    [],
    needed.map(({ value }) => withName(value, ONNX_TENSOR.name, renamed)),
  );
  const { irVersion, opsets, functions } = model;
  return { irVersion, opsets, functions };
}

function noted(names: Set<string>, name: string): string {
  names.add(name);
  return name;
}

type Rename = (name: string) => string;

/** The same message under another name: of a field that stands there twice the last one counts. */
function withName(message: Uint8Array, field: number, rename: Rename): Uint8Array {
  const name = encodeMessage((out) => out.string(field, rename(textIn(message, field))));
  const bytes = new Uint8Array(message.length + name.length);
  bytes.set(message);
  bytes.set(name, message.length);
  return bytes;
}

function renamedNode(node: Uint8Array, rename: Rename): Uint8Array {
  return encodeMessage((out) => {
    for (const part of readFields(node)) {
      if (part.wire === "varint") out.integer(part.field, part.value);
      else if (part.field === ONNX_NODE.input || part.field === ONNX_NODE.output || part.field === ONNX_NODE.name) {
        out.string(part.field, rename(new TextDecoder().decode(part.value)));
      } else if (part.field === ONNX_NODE.attribute) out.raw(part.field, renamedAttribute(part.value, rename));
      else out.raw(part.field, part.value);
    }
  });
}

/** Only bodies of loops and branches hold names. */
function renamedAttribute(attribute: Uint8Array, rename: Rename): Uint8Array {
  const parts = [...readFields(attribute)];
  const isGraph = (field: number): boolean => field === ONNX_ATTRIBUTE.graph || field === ONNX_ATTRIBUTE.graphs;
  if (!parts.some(({ field }) => isGraph(field))) return attribute;
  return encodeMessage((out) => {
    for (const part of parts) {
      if (part.wire === "varint") out.integer(part.field, part.value);
      else if (isGraph(part.field)) embed(out, part.field, () => writeRenamedGraph(out, part.value, rename));
      else out.raw(part.field, part.value);
    }
  });
}

function writeRenamedGraph(out: ProtoWriter, graph: Uint8Array, rename: Rename): void {
  const named: ReadonlySet<number> = new Set([ONNX_GRAPH.input, ONNX_GRAPH.output, ONNX_GRAPH.valueInfo]);
  for (const part of readFields(graph)) {
    if (part.wire === "varint") continue;
    if (part.field === ONNX_GRAPH.node) out.raw(part.field, renamedNode(part.value, rename));
    else if (part.field === ONNX_GRAPH.initializer) out.raw(part.field, withName(part.value, ONNX_TENSOR.name, rename));
    else if (named.has(part.field)) out.raw(part.field, withName(part.value, VALUE_INFO.name, rename));
    else out.raw(part.field, part.value);
  }
}
