/** @file Logits of many rows, batch by batch. */
import { setImmediate as eventLoop } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { batchesOf } from "../data/batches.js";
import { InterruptedError } from "../errors.js";
import { joinArrays } from "./arrays.js";
import type { HeadLayout } from "./losses.js";
import type { BatchLogits, InputBatch, Network } from "./network.js";
import { tensorflowBackend } from "./tensorflow/binding.js";
import { UntraceableError } from "./tensorflow/untraceable.js";
import { rowLengths, tokensOfRow } from "./token-lines.js";

export interface PredictOptions {
  readonly batchSize?: number;
  /** Tokens of every row that can be read, for each token input. */
  readonly lengths?: readonly Int32Array[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Logits of each task, in the order of the graph, [rows, task's width]; of a task per token [positions of these rows,
 * task's width], without padding; of masked language modelling none. Where rows have token inputs, a batch has rows of
 * one length alone, so that nothing is padded and no answer depends on which other rows are asked.
 * @param read inputs of some of the rows
 */
export async function predictLogits(
  network: Network,
  rows: Int32Array,
  read: (rows: Int32Array) => InputBatch,
  options: PredictOptions = {},
): Promise<Float32Array[]> {
  const collected = new CollectedLogits(network, rows.length);
  const batchSize = options.batchSize ?? 64;
  const batches = evenBatches(rows, options.lengths ?? [], batchSize);
  const forward = await openForward(network, batchSize, batches.perShape);
  let done = 0;
  for (const places of batches.places) {
    if (options.signal?.aborted === true) throw new InterruptedError("Interrupted.");
    const batch = places.map((place) => rows[place] as number);
    const inputs = read(batch);
    collected.put(places, inputs, forward(inputs, batch.length, null));
    done += batch.length;
    options.onProgress?.(done, rows.length);
    await eventLoop();
  }
  return collected.tasks;
}

/** Logits of rows that come batch by batch, in any order. */
export class CollectedLogits {
  readonly #network: Network;
  /** [rows, layout.width] */
  readonly #merged: Float32Array;
  /** Of each row [its tokens, layout.tokenWidth]. */
  readonly #tokens: Float32Array[] = [];

  constructor(network: Network, rows: number) {
    this.#network = network;
    this.#merged = new Float32Array(rows * network.layout.width);
  }

  /** @param places where the rows of the batch belong */
  put(places: Int32Array, inputs: InputBatch, { sample, token }: PartValues): void {
    const { layout, inputs: specs } = this.#network;
    const { width, tokenWidth } = layout;
    const lengths = tokenWidth === 0 ? null : rowLengths(specs, inputs, places.length);
    places.forEach((place, i) => {
      this.#merged.set(sample.subarray(i * width, (i + 1) * width), place * width);
      if (lengths !== null) this.#tokens[place] = tokensOfRow(token, i, lengths, tokenWidth);
    });
  }

  /** As {@link predictLogits} returns them. */
  get tasks(): Float32Array[] {
    return splitTasks(this.#network.layout, this.#merged, joinArrays(this.#tokens));
  }
}

/** Batches of rows of equal lengths. */
interface EvenBatches {
  /** Places among the rows, batch by batch. */
  readonly places: readonly Int32Array[];
  /** How many batches have the same lengths, on average. */
  readonly perShape: number;
}

/** @param lengths of every row that can be read, for each token input; none: all rows are alike */
export function evenBatches(rows: Int32Array, lengths: readonly Int32Array[], batchSize: number): EvenBatches {
  const groups = new Map<string, number[]>();
  rows.forEach((row, place) => {
    const key = lengths.map((own) => own[row]).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [place]);
    else group.push(place);
  });
  const places = [...groups.values()].flatMap((group) => batchesOf(Int32Array.from(group), batchSize));
  return { places, perShape: places.length / Math.max(1, groups.size) };
}

/** Logits of one batch of inference. @param masked tokens whose hidden word is asked; null: none */
export type Forward = (inputs: InputBatch, rows: number, masked: Int32Array | null) => PartValues;

/** So many batches repay the tracing of a graph. */
const WORTH_TRACING = 4;

/**
 * How to compute many batches: on TensorFlow as runs of one graph, elsewhere kernel by kernel.
 * @param batchSize no batch is larger
 * @param batches of one shape
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

/**
 * @param masked tokens whose hidden word is asked; default none
 * @param training whether dropout drops and batch normalization learns
 */
export function forwardParts(
  network: Network,
  inputs: InputBatch,
  rows: number,
  masked: Int32Array | null = null,
  training = false,
): PartValues {
  return tf.tidy(() => {
    const logits = network.partLogits(network.inputTensors(inputs, rows), training, masked);
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
