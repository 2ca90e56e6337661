/** @file A model that puts out less has what its outputs need, also within branches. */
import { expect, it } from "vitest";
import { embed, MODEL, ONNX_ATTRIBUTE, ONNX_GRAPH, ONNX_NODE, VALUE_INFO } from "../../src/protobuf/onnx.js";
import { onlyOutputs } from "../../src/protobuf/onnx-outputs.js";
import { encodeMessage, type ProtoWriter, readFields } from "../../src/protobuf/wire.js";

interface Node {
  readonly name: string;
  readonly inputs: readonly string[];
  /** Nodes of its branch. */
  readonly branch?: readonly Node[];
}

function writeGraph(out: ProtoWriter, nodes: readonly Node[], outputs: readonly string[]): void {
  for (const { name, inputs, branch } of nodes) {
    embed(out, ONNX_GRAPH.node, () => {
      for (const input of inputs) out.string(ONNX_NODE.input, input);
      out.string(ONNX_NODE.output, name);
      out.string(ONNX_NODE.name, name);
      if (branch === undefined) return;
      embed(out, ONNX_NODE.attribute, () => embed(out, ONNX_ATTRIBUTE.graph, () => writeGraph(out, branch, [])));
    });
  }
  for (const output of outputs) embed(out, ONNX_GRAPH.output, () => out.string(VALUE_INFO.name, output));
}

const MODEL_BYTES = encodeMessage((out) => {
  out.integer(MODEL.irVersion, 8);
  embed(out, MODEL.graph, () =>
    writeGraph(
      out,
      [
        { name: "trunk", inputs: ["x"] },
        { name: "beside", inputs: ["x"] },
        { name: "gate", inputs: ["trunk"] },
        { name: "deep", inputs: ["gate"], branch: [{ name: "inner", inputs: ["beside"] }] },
        { name: "late", inputs: ["deep", "gate"] },
      ],
      ["gate", "deep", "late"],
    ),
  );
  out.string(MODEL.producer, "test");
});

/** Names of nodes and outputs. */
function partsOf(model: Uint8Array): { nodes: string[]; outputs: string[] } {
  const texts = (message: Uint8Array, field: number): string[] =>
    [...readFields(message)].flatMap((part) =>
      part.field === field && part.wire === "bytes" ? [new TextDecoder().decode(part.value)] : [],
    );
  const graph = [...readFields(model)].find(({ field }) => field === MODEL.graph);
  if (graph?.wire !== "bytes") throw new Error("no graph");
  const messages = (field: number): Uint8Array[] =>
    [...readFields(graph.value)].flatMap((part) => (part.field === field && part.wire === "bytes" ? [part.value] : []));
  return {
    nodes: messages(ONNX_GRAPH.node).flatMap((node) => texts(node, ONNX_NODE.name)),
    outputs: messages(ONNX_GRAPH.output).flatMap((output) => texts(output, VALUE_INFO.name)),
  };
}

it("has the nodes that its outputs need", () => {
  const less = onlyOutputs(MODEL_BYTES, new Set(["gate"]));
  expect(less === null ? null : partsOf(less)).toEqual({ nodes: ["trunk", "gate"], outputs: ["gate"] });
});

it("has what is read inside of branches alone", () => {
  const less = onlyOutputs(MODEL_BYTES, new Set(["deep"]));
  expect(less === null ? null : partsOf(less)).toEqual({
    nodes: ["trunk", "beside", "gate", "deep"],
    outputs: ["deep"],
  });
});

it("is the same model where nothing can be left out, and none where it is cut off", () => {
  expect(onlyOutputs(MODEL_BYTES, new Set(["gate", "deep", "late"]))).toBeNull();
  expect(onlyOutputs(MODEL_BYTES, new Set(["gate", "missing"]))).toBeNull();
  expect(onlyOutputs(MODEL_BYTES.subarray(0, 60), new Set(["gate"]))).toBeNull();
});
