/** @file A LayersModel in a folder, as tfjs saves it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

/** Writes model.json and weights.bin. */
export async function saveModel(model: tfl.LayersModel, dir: string): Promise<void> {
  mkdirSync(dir, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs = [], weightData = [] }) => {
      writeFileSync(join(dir, "weights.bin"), Buffer.from(new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData))));
      const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
      writeFileSync(
        join(dir, "model.json"),
        JSON.stringify({ modelTopology, format: "layers-model", weightsManifest }),
      );
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: "JSON" } };
    }),
  );
}
