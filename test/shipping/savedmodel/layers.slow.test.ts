/** @file What an exported SavedModel computes in Python's TensorFlow is what tfjs computes, layer by layer. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { OnnxGraph } from "../../../src/shipping/onnx/graph.js";
import { OPSET_VERSION } from "../../../src/shipping/onnx/model.js";
import { writeNetwork } from "../../../src/shipping/onnx/network.js";
import { plainValue } from "../../../src/shipping/onnx/values.js";
import { savedModelOf } from "../../../src/shipping/savedmodel/translate.js";
import { layers } from "../../parity/layer-cases.js";
import { type LayerCase, valuesOf } from "../../parity/layer-network.js";
import { ensurePython, runPython } from "../../support/python.js";
import { layerModel, savedLayersOf } from "../../support/layer-models.js";

const python = await ensurePython(["tensorflow-cpu"]);
const script = fileURLToPath(new URL("./ask.py", import.meta.url));

/** Those that only ONNX has: loops, transposed convolutions, and Conv3D with TensorFlow's own limits. */
const NAMED = /lstm|gru|rnn|transpose|bidirectional|recurrent|cell/i;

interface Asked {
  readonly dims: readonly number[];
  readonly data: readonly (number | null)[];
}

function exported(saved: Awaited<ReturnType<typeof savedLayersOf>>, shapes: LayerCase["inputs"]): Uint8Array {
  const graph = new OnnxGraph(OPSET_VERSION);
  const inputs = shapes.map((shape, i) => {
    const name = graph.input(`x${i}`, "float", ["batch", ...shape.slice(1)]);
    return [name, plainValue(name, [null, ...shape.slice(1)])] as const;
  });
  const output = writeNetwork(graph, saved, Object.fromEntries(inputs), ["y"]).get("y");
  const shape = output?.shape.map((size, axis) => size ?? `axis ${axis}`) ?? [];
  graph.output("out", output?.name ?? "", "float", shape);
  return savedModelOf(graph);
}

describe.skipIf("skip" in python)("TensorFlow computes what tfjs does", () => {
  let folder: string;
  const supported = layers.filter(({ name }) => !NAMED.test(name));
  const expected: { readonly data: Float32Array; readonly shape: readonly number[] }[] = [];
  let answers: readonly Readonly<Record<string, Asked>>[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cool-saved-"));
    await openBackend("cpu");
    const cases = [];
    for (const [index, layerCase] of supported.entries()) {
      const model = layerModel(layerCase);
      const values = layerCase.inputs.map((shape, i) => valuesOf(layerCase, shape, i));
      expected.push(
        tf.tidy(() => {
          const fed = values.map((data, i) => tf.tensor(data, [...(layerCase.inputs[i] ?? [])]));
          const output = model.predict(fed) as tf.Tensor;
          return { data: Float32Array.from(output.dataSync()), shape: output.shape };
        }),
      );
      const dir = join(folder, String(index));
      mkdirSync(dir);
      try {
        writeFileSync(join(dir, "saved_model.pb"), exported(await savedLayersOf(model), layerCase.inputs));
      } catch (error) {
        throw new Error(`${layerCase.name}: ${String(error)}`);
      }
      model.dispose();
      const inputs = values.map((data, i) => [
        `x${i}`,
        { type: "float32", data: [...data], dims: layerCase.inputs[i] },
      ]);
      cases.push({ dir, inputs: Object.fromEntries(inputs) });
    }
    if ("python" in python) answers = await runPython(python.python, script, cases);
  }, 240_000);
  afterAll(() => {
    tf.disposeVariables();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(supported.map(({ name }, i) => [name, i] as const))("%s", (_name, i) => {
    const { out, error } = answers[i] ?? {};
    expect(error).toBeUndefined();
    expect(out?.dims).toEqual(expected[i]?.shape);
    expected[i]?.data.forEach((value, k) => {
      expect(Math.abs((out?.data[k] ?? Number.NaN) - value)).toBeLessThan(1e-4);
    });
  });
});

describe("a SavedModel", () => {
  it.each(["lstm", "conv2dTranspose 2, stride 1, same"])("is refused of %s, with the way out", async (wanted) => {
    await openBackend("cpu");
    const layerCase = layers.find(({ name }) => name.startsWith(wanted));
    if (layerCase === undefined) throw new Error(`no case ${wanted}`);
    const model = layerModel(layerCase);
    const saved = await savedLayersOf(model);
    model.dispose();
    expect(() => exported(saved, layerCase.inputs)).toThrow(
      /^The network has (recurrent layers|transposed convolutions).*, which cannot be written as a SavedModel here\. Export with --format onnx/,
    );
  });
});
