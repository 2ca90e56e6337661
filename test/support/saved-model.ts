/** @file Small saved models to begin with, as a backbone is: written as tfjs writes them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { createRandom } from "../../src/data/rng.js";

/** A convolutional backbone of two blocks for pictures of `size` × `size`, with weights that follow a seed. */
export function smallBackbone(size = 16, seed = 1): tfl.LayersModel {
  const input = tfl.input({ name: "pixels", shape: [size, size, 3] });
  let x = input;
  for (const [block, filters] of [4, 6].entries()) {
    const layers = [
      tfl.layers.conv2d({
        name: `block_${block}_conv`,
        filters,
        kernelSize: 3,
        strides: 2,
        padding: "same",
        useBias: false,
      }),
      tfl.layers.batchNormalization({ name: `block_${block}_bn` }),
      tfl.layers.reLU({ name: `block_${block}_relu` }),
      tfl.layers.dropout({ name: `block_${block}_dropout`, rate: 0.5 }),
    ];
    for (const layer of layers) x = layer.apply(x) as tfl.SymbolicTensor;
  }
  const pooled = tfl.layers.globalAveragePooling2d({ name: "pool" }).apply(x) as tfl.SymbolicTensor;
  const classes = tfl.layers.dense({ name: "classes", units: 5, kernelRegularizer: "l1l2" }).apply(pooled);
  const model = tfl.model({ inputs: input, outputs: classes as tfl.SymbolicTensor });
  drawWeights(model, seed);
  return model;
}

/** Every weight anew: variances positive. */
export function drawWeights(model: tfl.LayersModel, seed: number): void {
  const random = createRandom(`weights ${seed}`);
  for (const layer of model.layers) {
    const weights = layer.weights.map(({ originalName, shape }) => {
      const size = shape.reduce<number>((product, axis) => product * (axis ?? 1), 1);
      const isScale = /variance|gamma/.test(originalName);
      return tf.tensor(
        Float32Array.from({ length: size }, () => (isScale ? 0.5 + random.next() : random.next() - 0.45)),
        shape as number[],
      );
    });
    layer.setWeights(weights);
    tf.dispose(weights);
  }
}

/** Writes model.json and weights.bin into a folder. @returns the folder */
export async function writeModel(dir: string, model: tfl.LayersModel): Promise<string> {
  mkdirSync(dir, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs = [], weightData }) => {
      const parts = [weightData ?? []].flat().map((part) => Buffer.from(part as ArrayBuffer));
      writeFileSync(join(dir, "weights.bin"), Buffer.concat(parts));
      const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      writeFileSync(
        join(dir, "model.json"),
        JSON.stringify({ modelTopology, format: "layers-model", weightsManifest }),
      );
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  return dir;
}
