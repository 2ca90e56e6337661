/** @file Logits of many rows, batch by batch. */
import { setImmediate as eventLoop } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { InterruptedError } from "../errors.js";
import { joinArrays } from "./arrays.js";
import type { HeadLayout } from "./losses.js";
import type { BatchLogits, InputBatch, Network } from "./network.js";
import { tensorflowBackend } from "./tensorflow/binding.js";
import { UntraceableError } from "./tensorflow/untraceable.js";
import { keepTokens, rowLengths } from "./token-lines.js";

export interface PredictOptions {
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Logits of each task, in the order of the graph, [rows, task's width]; of a task per token [positions of these rows,
 * task's width], without padding; of masked language modelling none.
 * @param read inputs of some of the rows
 */
export async function predictLogits(
  network: Network,
  rows: Int32Array,
  read: (rows: Int32Array) => InputBatch,
  options: PredictOptions = {},
): Promise<Float32Array[]> {
  const { width, tokenWidth } = network.layout;
  const batchSize = options.batchSize ?? 64;
  const merged = new Float32Array(rows.length * width);
  const tokens: Float32Array[] = [];
  const forward = await openForward(network, batchSize, Math.ceil(rows.length / batchSize));
  for (let at = 0; at < rows.length; at += batchSize) {
    if (options.signal?.aborted === true) throw new InterruptedError("Interrupted.");
    const batch = rows.subarray(at, at + batchSize);
    const inputs = read(batch);
    const { sample, token } = forward(inputs, batch.length, null);
    merged.set(sample, at * width);
    if (tokenWidth > 0) tokens.push(keepTokens(token, rowLengths(network.inputs, inputs, batch.length), tokenWidth));
    options.onProgress?.(at + batch.length, rows.length);
    await eventLoop();
  }
  return splitTasks(network.layout, merged, joinArrays(tokens));
}

/** Logits of one batch of inference. @param masked tokens whose hidden word is asked; null: none */
export type Forward = (inputs: InputBatch, rows: number, masked: Int32Array | null) => PartValues;

/** So many batches repay the tracing of a graph. */
const WORTH_TRACING = 4;

/**
 * How to compute many batches: on TensorFlow as runs of one graph, elsewhere kernel by kernel.
 * @param batchSize no batch is larger
 */
export async function openForward(network: Network, batchSize: number, batches: number): Promise<Forward> {
  const eager: Forward = (inputs, rows, masked) => forwardParts(network, inputs, rows, masked);
  const backend = tensorflowBackend();
  if (backend === null || batches < WORTH_TRACING) return eager;
  const { GraphForward } = await import("./tensorflow/graph-forward.js");
  const graph = network.companion(GraphForward, () => new GraphForward(backend, network));
  graph.load();
  let isTraceable = true;
  return (inputs, rows, masked) => {
    if (!isTraceable) return eager(inputs, rows, masked);
    try {
      return graph.forward(inputs, rows, batchSize, masked);
    } catch (error) {
      if (!(error instanceof UntraceableError)) throw error;
      isTraceable = false;
      return eager(inputs, rows, masked);
    }
  };
}

/** [rows, layout.width] of one batch. */
export function forward(network: Network, inputs: InputBatch, rows: number): Float32Array {
  return tf.tidy(() => network.logits(inputs, rows, false).dataSync() as Float32Array);
}

/** Logits of one batch as plain numbers; empty where a part has none. */
export type PartValues = { readonly [Part in keyof BatchLogits]: Float32Array };

/** @param masked tokens whose hidden word is asked; default none */
export function forwardParts(
  network: Network,
  inputs: InputBatch,
  rows: number,
  masked: Int32Array | null = null,
): PartValues {
  return tf.tidy(() => {
    const logits = network.partLogits(network.inputTensors(inputs, rows), false, masked);
    const valuesOf = (tensor: tf.Tensor | null) => (tensor?.dataSync() as Float32Array | undefined) ?? EMPTY;
    return { sample: valuesOf(logits.sample), token: valuesOf(logits.token), masked: valuesOf(logits.masked) };
  });
}

const EMPTY = new Float32Array(0);

/**
 * Merged matrices → one [lines, width] array per task.
 * @param merged [rows, layout.width]
 * @param tokens [positions, layout.tokenWidth]
 */
export function splitTasks(layout: HeadLayout, merged: Float32Array, tokens: Float32Array = EMPTY): Float32Array[] {
  return layout.columns.map(({ part, offset, width }) => {
    if (part === "masked") return new Float32Array(0);
    const [source, stride] = part === "sample" ? [merged, layout.width] : [tokens, layout.tokenWidth];
    const lines = stride === 0 ? 0 : source.length / stride;
    const logits = new Float32Array(lines * width);
    for (let line = 0; line < lines; line++) {
      const from = line * stride + offset;
      logits.set(source.subarray(from, from + width), line * width);
    }
    return logits;
  });
}
