/** @file Logits of many rows, batch by batch. */
import { setImmediate as eventLoop } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { InterruptedError } from "../errors.js";
import type { HeadLayout } from "./losses.js";
import type { InputBatch, Network } from "./network.js";

export interface PredictOptions {
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Logits of each task, in the order of the graph, [rows, task's width].
 * @param read inputs of some of the rows
 */
export async function predictLogits(
  network: Network,
  rows: Int32Array,
  read: (rows: Int32Array) => InputBatch,
  options: PredictOptions = {},
): Promise<Float32Array[]> {
  const { width } = network.layout;
  const batchSize = options.batchSize ?? 64;
  const merged = new Float32Array(rows.length * width);
  for (let at = 0; at < rows.length; at += batchSize) {
    if (options.signal?.aborted === true) throw new InterruptedError("Interrupted.");
    const batch = rows.subarray(at, at + batchSize);
    merged.set(forward(network, read(batch), batch.length), at * width);
    options.onProgress?.(at + batch.length, rows.length);
    await eventLoop();
  }
  return splitTasks(network.layout, merged);
}

/** [rows, layout.width] of one batch. */
export function forward(network: Network, inputs: InputBatch, rows: number): Float32Array {
  return tf.tidy(() => network.logits(inputs, rows, false).dataSync() as Float32Array);
}

/** One merged matrix → one [rows, width] array per task. */
export function splitTasks(layout: HeadLayout, merged: Float32Array): Float32Array[] {
  const rows = layout.width === 0 ? 0 : merged.length / layout.width;
  return layout.columns.map(({ offset, width }) => {
    const logits = new Float32Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const from = row * layout.width + offset;
      logits.set(merged.subarray(from, from + width), row * width);
    }
    return logits;
  });
}
