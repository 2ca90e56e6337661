/** @file Every kind of layer that a trunk may have computes in ONNX Runtime what it computes in tfjs. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { OnnxGraph } from "../../../src/shipping/onnx/graph.js";
import type { Precision } from "../../../src/shipping/onnx/precision.js";
import { encodeModel, OPSET_VERSION } from "../../../src/shipping/onnx/model.js";
import { writeNetwork } from "../../../src/shipping/onnx/network.js";
import type { SavedLayers } from "../../../src/shipping/onnx/saved-layers.js";
import { plainValue } from "../../../src/shipping/onnx/values.js";
import { layers } from "../../parity/layer-cases.js";
import { type LayerCase, valuesOf } from "../../parity/layer-network.js";
import { layerModel, savedLayersOf } from "../../support/layer-models.js";
import { needs } from "../../support/needs.js";
import { ensureOnnxRuntime } from "../../support/onnx-runtime.js";
import { askOnnx, type Fed } from "../../support/onnx-session.js";

needs(await ensureOnnxRuntime());
beforeAll(() => openBackend("cpu"));
afterAll(() => tf.disposeVariables());

const FACTS = { name: "test", version: "0", metadata: {} };

/** @param precision of all weights, small ones too */
function exported(
  saved: SavedLayers,
  shapes: LayerCase["inputs"],
  opset: number,
  precision: Precision = "float32",
): Uint8Array {
  const graph = new OnnxGraph(opset, { precision, smallest: 0 });
  const inputs = shapes.map((shape, i) => {
    const name = graph.input(`x${i}`, "float", ["batch", ...shape.slice(1)]);
    return [name, plainValue(name, [null, ...shape.slice(1)])] as const;
  });
  const output = writeNetwork(graph, saved, Object.fromEntries(inputs), ["y"]).get("y");
  if (output === undefined) throw new Error("nothing is put out");
  graph.output("out", output.name, "float", null);
  return encodeModel(graph, FACTS);
}

/** The largest difference, as a share of the largest number where that is above 1. */
async function differenceOf(layerCase: LayerCase, opset: number, precision?: Precision): Promise<number> {
  const model = layerModel(layerCase);
  const values = layerCase.inputs.map((shape, i) => valuesOf(layerCase, shape, i));
  const expected = tf.tidy(() => {
    const fed = values.map((data, i) => tf.tensor(data, [...(layerCase.inputs[i] ?? [])]));
    const output = model.predict(fed) as tf.Tensor;
    return { data: Float32Array.from(output.dataSync()), shape: output.shape };
  });
  const bytes = exported(await savedLayersOf(model), layerCase.inputs, opset, precision);
  model.dispose();
  const fed = values.map((data, i): [string, Fed] => [
    `x${i}`,
    { type: "float32", data, dims: layerCase.inputs[i] ?? [] },
  ]);
  const { out } = await askOnnx(bytes, Object.fromEntries(fed));
  expect(out?.dims).toEqual(expected.shape);
  const largest = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  expect(largest).toBeGreaterThan(0.01);
  const most = expected.data.reduce(
    (sum, value, i) => Math.max(sum, Math.abs(value - (out?.data[i] ?? Number.NaN))),
    0,
  );
  return precision === undefined ? most : most / Math.max(1, largest);
}

describe("ONNX Runtime computes what tfjs does", () => {
  it.each(layers)("$name", async (layerCase) => {
    expect(await differenceOf(layerCase, OPSET_VERSION)).toBeLessThan(1e-4);
  });

  // the axes of reductions are inputs there
  const reducing = layers.filter(({ name }) => /layerNormalization|masking|dot/.test(name));
  it.each(reducing)("$name, with later operators", async (layerCase) => {
    expect(await differenceOf(layerCase, 20)).toBeLessThan(1e-4);
  });

  const weighted = layers.filter(({ name }) => /dense|conv|embedding|lstm|gru|rnn|prelu|normalization/i.test(name));
  it.each(weighted)("$name, with weights in 16 bits", async (layerCase) => {
    expect(await differenceOf(layerCase, OPSET_VERSION, "float16")).toBeLessThan(5e-3);
  });

  // depthwise, transposed and recurrent layers keep float32
  const wholeNumbers = weighted.filter(({ name }) => /^(dense|conv[123]d(?!T)|separable|embedding)/.test(name));
  it.each(wholeNumbers)("$name, in whole numbers of 8 bits", async (layerCase) => {
    const difference = await differenceOf(layerCase, OPSET_VERSION, "int8");
    expect(difference).toBeLessThan(0.05);
    expect(difference).toBeGreaterThan(1e-7);
  });

  it("names a layer that it cannot write, and the way out", async () => {
    const layerCase: LayerCase = {
      name: "resizing",
      inputs: [[1, 4, 4, 1]],
      build: (x) => tfl.layers.resizing({ height: 2, width: 2 }).apply(x) as tfl.SymbolicTensor,
    };
    const saved = await savedLayersOf(layerModel(layerCase));
    expect(() => exported(saved, layerCase.inputs, OPSET_VERSION)).toThrow(
      /^The layer "resizing\S*" \(Resizing\) cannot be exported to ONNX: there is no writer for layers of its class\. Export with --format layers/,
    );
  });
});
