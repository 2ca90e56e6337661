/** @file What a trunk makes of rows: the features that heads read, side by side. */
import { setImmediate as eventLoop } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { InterruptedError } from "../../errors.js";
import type { InputBatch } from "../model/input-batch.js";
import type { Network } from "../model/network.js";

const BATCH_SIZE = 64;

/**
 * Features of tasks that are asked once per row, each once, [rows, numbers of all of them].
 * @param read inputs of some of the rows
 * @returns null where no dense head reads one
 * @throws InterruptedError where the signal fires
 */
export async function rowFeatures(
  network: Network,
  rows: Int32Array,
  read: (rows: Int32Array) => InputBatch,
  signal?: AbortSignal,
): Promise<Float32Array | null> {
  const parts: Float32Array[] = [];
  for (let first = 0; first < rows.length; first += BATCH_SIZE) {
    await eventLoop();
    if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
    const some = rows.subarray(first, first + BATCH_SIZE);
    let values: Float32Array | null = null;
    tf.tidy(() => {
      const features = new Set<tf.Tensor>();
      network.logitsByAxis(network.inputTensors(read(some), some.length), false, null, (feature) => {
        if (feature.rank === 2 && feature.shape[0] === some.length) features.add(feature);
        return feature;
      });
      const [feature, ...more] = features;
      if (feature === undefined) return;
      values = Float32Array.from((more.length === 0 ? feature : tf.concat([feature, ...more], 1)).dataSync());
    });
    if (values === null) return null;
    parts.push(values);
  }
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    joined.set(part, end);
    end += part.length;
  }
  return joined;
}
