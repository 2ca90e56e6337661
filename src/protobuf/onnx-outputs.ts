/** @file An ONNX model that puts out less, without what only the rest of its outputs needed. */
import { MODEL, ONNX_ATTRIBUTE, ONNX_GRAPH, ONNX_NODE, VALUE_INFO } from "./onnx.js";
import { encodeMessage, type ProtoWriter, readFields, type WireField } from "./wire.js";

/**
 * ONNX Runtime computes every node of a model, also those of outputs that nobody asks for.
 * @param outputs names
 * @returns the model with these outputs alone, inputs and weights as they were; null where it has no others, lacks one of
 * them, or is no model
 */
export function onlyOutputs(model: Uint8Array, outputs: ReadonlySet<string>): Uint8Array | null {
  try {
    const there = messagesIn(model, MODEL.graph).flatMap(outputsOf);
    const isLess = there.length > outputs.size && [...outputs].every((name) => there.includes(name));
    return isLess ? pruned(model, outputs) : null;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function pruned(model: Uint8Array, outputs: ReadonlySet<string>): Uint8Array {
  return encodeMessage((out) => {
    for (const part of readFields(model)) {
      if (part.wire === "bytes" && part.field === MODEL.graph) out.raw(MODEL.graph, prunedGraph(part.value, outputs));
      else copy(out, part);
    }
  });
}

function prunedGraph(graph: Uint8Array, outputs: ReadonlySet<string>): Uint8Array {
  const needed = neededNodes(graph, outputs);
  return encodeMessage((out) => {
    for (const part of readFields(graph)) {
      const isLeft =
        part.wire === "bytes" &&
        ((part.field === ONNX_GRAPH.node && !needed.has(part.value)) ||
          (part.field === ONNX_GRAPH.output && !outputs.has(nameOf(part.value))));
      if (!isLeft) copy(out, part);
    }
  });
}

/** Nodes stand behind those that they read. */
function neededNodes(graph: Uint8Array, outputs: ReadonlySet<string>): { has(node: Uint8Array): boolean } {
  const nodes = messagesIn(graph, ONNX_GRAPH.node);
  const values = new Set(outputs);
  // by its place: every reading of the message makes new views of it
  const places = new Set<number>();
  for (const node of nodes.toReversed()) {
    if (!textsIn(node, ONNX_NODE.output).some((name) => values.has(name))) continue;
    places.add(node.byteOffset);
    for (const name of valuesReadBy(node)) values.add(name);
  }
  return { has: ({ byteOffset }) => places.has(byteOffset) };
}

/** Also those that its branches read, where a name may be one of the branch's own, too. */
function valuesReadBy(node: Uint8Array): string[] {
  const inner = messagesIn(node, ONNX_NODE.attribute)
    .flatMap((attribute) =>
      [ONNX_ATTRIBUTE.graph, ONNX_ATTRIBUTE.graphs].flatMap((field) => messagesIn(attribute, field)),
    )
    .flatMap((graph) => [...messagesIn(graph, ONNX_GRAPH.node).flatMap(valuesReadBy), ...outputsOf(graph)]);
  return [...textsIn(node, ONNX_NODE.input), ...inner];
}

function outputsOf(graph: Uint8Array): string[] {
  return messagesIn(graph, ONNX_GRAPH.output).map(nameOf);
}

function nameOf(value: Uint8Array): string {
  return textsIn(value, VALUE_INFO.name)[0] ?? "";
}

function messagesIn(message: Uint8Array, field: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const part of readFields(message)) if (part.wire === "bytes" && part.field === field) found.push(part.value);
  return found;
}

function textsIn(message: Uint8Array, field: number): string[] {
  return messagesIn(message, field).map((bytes) => new TextDecoder().decode(bytes));
}

/** Models and graphs have no field of a fixed size, which would be read alike and written differently. */
function copy(out: ProtoWriter, part: WireField): void {
  if (part.wire === "varint") out.integer(part.field, part.value);
  else out.raw(part.field, part.value);
}
