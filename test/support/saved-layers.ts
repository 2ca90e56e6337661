/** @file A checkpoint opened by bare TensorFlow.js, as whoever ships it does. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";

/** @param dir of model.json and weights.bin */
export async function openLayers(dir: string): Promise<tfl.LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(dir, "model.json"), "utf8"));
  const bytes = readFileSync(join(dir, "weights.bin"));
  const weightData = new Uint8Array(bytes).buffer;
  const artifacts = { modelTopology, weightSpecs: weightsManifest[0].weights, weightData };
  return tfl.loadLayersModel(tf.io.fromMemory(artifacts));
}
