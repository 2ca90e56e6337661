/** @file A tree or network of named nodes for TensorBoard's Graphs page (`GraphDef`). */
import { CoolError, UnknownNameError } from "../../errors.js";
import {
  ATTRIBUTE,
  ATTRIBUTE_LIST,
  GRAPH,
  NODE,
  VERSIONS,
  writeAttribute,
  writeShape,
} from "../../protobuf/tensorflow.js";
import { encodeMessage, type ProtoWriter } from "../../protobuf/wire.js";

export interface GraphNode {
  /** Slashes group nodes into boxes that open on a click. */
  readonly name: string;
  /** What the node does, e.g. `Dense`; nodes of one kind share a colour. */
  readonly op: string;
  /** Names of the nodes it reads; `^name` draws a dotted control edge. */
  readonly inputs: readonly string[];
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  /** Shape of each output, written on the edges; -1 for an unknown size. */
  readonly outputShapes?: readonly (readonly number[])[];
}

/** The first GraphDef version that TensorBoard does not upgrade. */
const PRODUCER = 22;

/**
 * Nodes → the bytes of a `GraphDef`.
 *
 * @throws UnknownNameError for an input that is no node, CoolError for a name used twice
 */
export function encodeGraph(nodes: readonly GraphNode[]): Uint8Array {
  checkNames(nodes);
  return encodeMessage((out) => {
    for (const node of nodes) writeNode(out, node);
    const versions = out.begin(GRAPH.versions);
    out.integer(VERSIONS.producer, PRODUCER);
    out.end(versions);
  });
}

function writeNode(out: ProtoWriter, { name, op, inputs, attributes = {}, outputShapes }: GraphNode): void {
  const node = out.begin(GRAPH.node);
  out.string(NODE.name, name);
  out.string(NODE.op, op);
  for (const input of inputs) out.string(NODE.input, input);
  for (const [key, value] of Object.entries(attributes)) writeAttribute(out, key, () => writeConstant(out, value));
  if (outputShapes) writeAttribute(out, "_output_shapes", () => writeShapeList(out, outputShapes));
  out.end(node);
}

function writeConstant(out: ProtoWriter, value: string | number | boolean): void {
  if (typeof value === "string") out.string(ATTRIBUTE.string, value);
  else if (typeof value === "boolean") out.boolean(ATTRIBUTE.boolean, value);
  else if (Number.isSafeInteger(value)) out.integer(ATTRIBUTE.integer, value);
  else out.float(ATTRIBUTE.float, value);
}

function writeShapeList(out: ProtoWriter, shapes: readonly (readonly number[])[]): void {
  const list = out.begin(ATTRIBUTE.list);
  for (const shape of shapes) {
    const item = out.begin(ATTRIBUTE_LIST.shape);
    writeShape(out, shape);
    out.end(item);
  }
  out.end(list);
}

function checkNames(nodes: readonly GraphNode[]): void {
  const names = new Set<string>();
  for (const { name } of nodes) {
    if (names.has(name)) throw new CoolError(`Two nodes of the graph are named "${name}". Rename one.`, { name });
    names.add(name);
  }
  for (const { name, inputs } of nodes) {
    for (const input of inputs) {
      const source = input.replace(/^\^/, "").replace(/:\d+$/, "");
      if (!names.has(source)) throw new UnknownNameError("graph node", source, names, `the inputs of "${name}"`);
    }
  }
}
