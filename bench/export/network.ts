/** @file A network of which only pictures with a person need the larger part, as ONNX models. */
import { at } from "../../src/arrays.js";
import type { InputSpec } from "../../src/data/dataset.js";
import { createRandom } from "../../src/data/rng.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { writeAnswers } from "../../src/shipping/onnx/answers.js";
import { NO_BRANCHES } from "../../src/shipping/onnx/branches.js";
import type { GateForm } from "../../src/shipping/onnx/export-onnx.js";
import { OnnxGraph } from "../../src/shipping/onnx/graph.js";
import { encodeModel, OPSET_VERSION } from "../../src/shipping/onnx/model.js";
import { branchedNetwork, NetworkWriter } from "../../src/shipping/onnx/network.js";
import { type Precision, weightForm } from "../../src/shipping/onnx/precision.js";
import type { SavedLayer, SavedLayers } from "../../src/shipping/onnx/saved-layers.js";
import { writeEntrances } from "../../src/shipping/onnx/signature.js";
import { behaviourOf, binary, box, classification } from "../../src/tasks/index.js";

export const SIDE = 96;
const IMAGE: InputSpec = { kind: "image", column: "img", size: [SIDE, SIDE], channels: 3 };

const flow = traceFlow(
  defineTasks({
    features: ["scene", "person", "face"],
    tasks: {
      person_present: binary(),
      body: box({ columns: ["x", "y", "w", "h"], format: "xywh" }),
      shirt: classification({ classes: ["red", "green", "blue"] }),
      face_seen: binary(),
      smiles: binary(),
    },
  }).flow("camera", (own, x, out) => {
    out.add(own.person_present(x.scene));
    out.add(own.body(x.person).given(out.person_present));
    out.add(own.shirt(x.person).given(out.person_present));
    out.add(own.face_seen(x.person).given(out.person_present));
    out.add(own.smiles(x.face).given(out.face_seen));
  }),
  "camera",
);

const random = createRandom("bench");
const numbers = (count: number, scale: number): Float32Array =>
  Float32Array.from({ length: count }, () => scale * (2 * random.next() - 1));

function conv(name: string, from: string, channels: number, filters: number, strides = 1): SavedLayer {
  const weights = new Map([
    ["kernel", { values: numbers(9 * channels * filters, Math.sqrt(1 / channels)), shape: [3, 3, channels, filters] }],
    ["bias", { values: numbers(filters, 0.1), shape: [filters] }],
  ]);
  const config = { strides: [strides, strides], dilation_rate: [1, 1], padding: "same", activation: "relu" };
  return { name, className: "Conv2D", config, inputs: [from], weights };
}

const pool = (name: string, from: string): SavedLayer => ({
  ...{ name, className: "GlobalAveragePooling2D", config: {}, inputs: [from], weights: new Map() },
});

/** @param bias of its logits */
function head(path: string, from: string, units: number, bias = 0): SavedLayer {
  const weights = new Map([
    ["kernel", { values: numbers(64 * units, 0.02), shape: [64, units] }],
    ["bias", { values: new Float32Array(units).fill(bias), shape: [units] }],
  ]);
  return { name: path, className: "Dense", config: { units }, inputs: [from], weights };
}

/** Convolutions of 64 filters, one after the other, and the mean of the last. */
function tower(name: string, from: string, depth: number): SavedLayer[] {
  const names = Array.from({ length: depth }, (_, i) => `${name}_${i}`);
  const convs = names.map((own, i) => conv(own, i === 0 ? from : at(names, i - 1), 64, 64));
  return [...convs, pool(name, at(names, depth - 1))];
}

/** @param isOpen whether a person is seen, in every picture or in none */
function networkOf(isOpen: boolean): SavedLayers {
  const image: SavedLayer = { name: "image", className: "InputLayer", config: {}, inputs: [], weights: new Map() };
  const layers = [
    image,
    conv("stem_0", "image", 3, 32, 2),
    conv("stem_1", "stem_0", 32, 64, 2),
    pool("scene", "stem_1"),
    head("person_present", "scene", 1, isOpen ? 20 : -20),
    ...tower("person", "stem_1", 4),
    head("body", "person", 4),
    head("shirt", "person", 3),
    head("face_seen", "person", 1, isOpen ? 20 : -20),
    ...tower("face", "person_3", 4),
    head("smiles", "face", 1),
  ];
  return { layers, outputs: flow.tasks.map(({ path }) => path) };
}

export interface Form {
  readonly gates: GateForm;
  readonly precision: Precision;
  readonly isOpen: boolean;
}

/** Bytes of the model. */
export function modelOf({ gates, precision, isOpen }: Form): Uint8Array {
  const graph = new OnnxGraph(OPSET_VERSION, weightForm(precision));
  const entrances = writeEntrances(graph, { image: IMAGE }, flow);
  const saved = networkOf(isOpen);
  const network =
    gates === "if"
      ? branchedNetwork(graph, flow, saved, entrances.seen)
      : new NetworkWriter(graph, saved, entrances.seen, NO_BRANCHES, []);
  const thresholds = flow.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));
  writeAnswers(graph, flow, thresholds, (path, activeOf) => network.value(path, activeOf).name, entrances);
  return encodeModel(graph, { name: "bench", version: "0", metadata: {} });
}
