/** @file A layer as a saved model, for tests of what is written of it. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { readSavedLayers, type SavedLayers } from "../../src/shipping/onnx/saved-layers.js";
import { wave } from "../parity/compare.js";
import type { LayerCase } from "../parity/layer-network.js";

/** The layer on inputs of its own, with weights that no initializer leaves at 0 or 1. */
export function layerModel({ inputs: shapes, build }: LayerCase): tfl.LayersModel {
  const inputs = shapes.map((shape, i) => tfl.input({ name: `x${i}`, shape: shape.slice(1) }));
  const output = build(...inputs);
  const named = tfl.layers.activation({ activation: "linear", name: "y" }).apply(output);
  const model = tfl.model({ inputs, outputs: named as tfl.SymbolicTensor });
  model.setWeights(
    model.getWeights().map((weight, i) => {
      // variances are positive
      const values = Float32Array.from({ length: weight.size }, (_, k) => 0.6 + 0.5 * wave(k, 20 + i));
      return tf.tensor(model.weights[i]?.name.includes("variance") ? values : values.map((v) => v - 0.6), weight.shape);
    }),
  );
  return model;
}

export async function savedLayersOf(model: tfl.LayersModel): Promise<SavedLayers> {
  let saved: SavedLayers | undefined;
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const document = { modelTopology, weightsManifest: [{ weights: weightSpecs }] };
      saved = readSavedLayers(JSON.parse(JSON.stringify(document)), new Uint8Array(weightData as ArrayBuffer), "test");
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    }),
  );
  if (saved === undefined) throw new Error("the model was not saved");
  return saved;
}
