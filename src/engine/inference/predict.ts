/** @file Logits of many rows, batch by batch. */
import { setImmediate as eventLoop } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { batchesOf } from "../../data/batches.js";
import { InterruptedError } from "../../errors.js";
import type { Offsets } from "../../flow/masks.js";
import { isSummarized, type Labels } from "../../tasks/index.js";
import { joinEach } from "../batches/arrays.js";
import { type BatchTargets, copyTokens } from "../batches/targets.js";
import type { HeadLayout, PartValues } from "../model/layout.js";
import type { MaskedTally } from "../batches/mask-tokens.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { type BatchOutputs, guessedLoss, outputsOfBatch } from "../batches/outputs.js";
import { tensorflowBackend } from "../backends/tensorflow/binding.js";
import { UntraceableError } from "../step-graph/untraceable.js";
import { rowLengths, tokenIds } from "../model/token-lines.js";

/** Labels of a batch, and the masked tokens that are asked. */
export type Answers = Pick<BatchTargets, "labels" | "masked">;

/** What is kept of a batch that passed without training. */
export interface ForwardOutputs extends BatchOutputs {
  /** How well its masked tokens were guessed; null where none were asked. */
  readonly guessed: MaskedTally | null;
}

/** Passes batches through a network, this side or in replicas. */
export interface Forwarder {
  /** Batches that it can pass at the same time. */
  readonly parallel: number;
  /** @param answers for what is said about the network's beside them; null: there are none */
  pass(inputs: InputBatch, rows: number, answers: Answers | null): Promise<ForwardOutputs>;
}

/**
 * On this thread's own backend.
 * @param forward computes logits; default: kernel by kernel
 */
export function localForwarder(network: Network, forward?: Forward): Forwarder {
  return { parallel: 1, pass: async (inputs, rows, answers) => passHere(network, inputs, rows, answers, forward) };
}

export function passHere(
  network: Network,
  inputs: InputBatch,
  rows: number,
  answers: Answers | null,
  forward: Forward = (...batch) => forwardParts(network, ...batch),
): ForwardOutputs {
  const masked = answers?.masked ?? null;
  const parts = forward(inputs, rows, masked);
  const outputs = outputsOfBatch(network, parts, inputs, rows, answers);
  if (masked === null || answers === null) return { ...outputs, guessed: null };
  const lossSum = guessedLoss(network, parts, answers);
  return { ...outputs, guessed: { lossSum, count: masked.length, hits: outputs.hits } };
}

export interface PredictOptions {
  readonly batchSize?: number;
  /** Tokens of every row that can be read, for each token input. */
  readonly lengths?: readonly Int32Array[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /** What passes the batches; default: this thread. */
  readonly forwarder?: Forwarder;
  /** Labels of all rows, for what is said about answers beside them. */
  readonly labelled?: { readonly labels: readonly Labels[]; readonly offsets?: Offsets | null };
}

/**
 * Logits of each task, in the order of the graph, [rows, task's width]; of a task per token [positions of these rows,
 * width of its answers], without padding; of masked language modelling none. Where rows have token inputs, a batch has
 * rows of one length alone, so that nothing is padded and no answer depends on which other rows are asked.
 * @param read inputs of some of the rows
 */
export async function predictLogits(
  network: Network,
  rows: Int32Array,
  read: (rows: Int32Array) => InputBatch,
  options: PredictOptions = {},
): Promise<Float32Array[]> {
  const { width } = network.layout;
  const { labelled } = options;
  const merged = new Float32Array(rows.length * width);
  // of each row, of each task per token
  const tokens: (readonly Float32Array[])[] = [];
  const lengths: Int32Array[] = [];
  const readBatch = (batch: Int32Array, index: number) => {
    const inputs = read(batch);
    if (network.layout.tokenWidth > 0) lengths[index] = rowLengths(network.inputs, inputs, batch.length);
    return { inputs, answers: labelled === undefined ? null : labelsOf(network, labelled, batch, inputs) };
  };
  await passBatches(network, rows, readBatch, options, (outputs, index, places) => {
    places.forEach((place, i) => {
      merged.set(outputs.sample.subarray(i * width, (i + 1) * width), place * width);
    });
    const perRow = lengths[index];
    if (perRow !== undefined) tokensOfRows(outputs.tokens, perRow, places, tokens);
  });
  return splitTasks(network.layout, merged, joinEach(tokens));
}

/**
 * Cuts what a batch says of its tokens into rows.
 * @param outputs of each task per token, [positions of the rows, width of its answers]
 * @param out receives the outputs of each row at its place
 */
function tokensOfRows(
  outputs: readonly Float32Array[],
  lengths: Int32Array,
  places: Int32Array,
  out: (readonly Float32Array[])[],
): void {
  const positions = lengths.reduce((sum, length) => sum + length, 0);
  let at = 0;
  lengths.forEach((length, i) => {
    const [from, to] = [at, at + length];
    out[places[i] as number] = outputs.map((values) => {
      const width = positions === 0 ? 0 : values.length / positions;
      return values.subarray(from * width, to * width);
    });
    at = to;
  });
}

const BATCH_SIZE = 64;

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

/**
 * Passes rows batch by batch, as many at a time as the forwarder takes.
 * @param read is given the rows of a batch, and which batch it is
 * @param take is given the outputs of a batch, which one it is, and the places of its rows among `rows`
 * @throws InterruptedError where the signal fires
 */
export async function passBatches(
  network: Network,
  rows: Int32Array,
  read: (rows: Int32Array, index: number) => { readonly inputs: InputBatch; readonly answers: Answers | null },
  { batchSize = BATCH_SIZE, lengths = [], forwarder: given, signal, onProgress }: PredictOptions,
  take: (outputs: ForwardOutputs, index: number, places: Int32Array) => void,
): Promise<void> {
  const batches = evenBatches(rows, lengths, batchSize);
  const forwarder = given ?? localForwarder(network, await openForward(network, batchSize, batches.perShape));
  const underWay: Promise<void>[] = [];
  let done = 0;
  const pass = async (places: Int32Array, index: number): Promise<void> => {
    const batch = places.map((place) => rows[place] as number);
    const { inputs, answers } = read(batch, index);
    take(await forwarder.pass(inputs, batch.length, answers), index, places);
    done += batch.length;
    onProgress?.(done, rows.length);
  };
  for (const [index, places] of batches.places.entries()) {
    if (signal?.aborted === true) break;
    if (underWay.length >= forwarder.parallel) await underWay.shift();
    const passing = pass(places, index);
    // whoever waits for it is told of its failure
    passing.catch(() => {});
    underWay.push(passing);
    await eventLoop();
  }
  await Promise.all(underWay);
  if (signal?.aborted === true && done < rows.length) throw new InterruptedError("Interrupted.");
}

/** Labels of the tasks whose answers are kept as what is said of them beside their labels; null where there are none. */
function labelsOf(
  { layout, inputs: specs }: Network,
  { labels, offsets }: NonNullable<PredictOptions["labelled"]>,
  rows: Int32Array,
  inputs: InputBatch,
): Answers | null {
  if (offsets == null || !layout.columns.some(({ task }) => isSummarized(task.spec))) return null;
  const length = (tokenIds(specs, inputs)?.length ?? 0) / rows.length;
  return {
    labels: layout.columns.map(({ task: { spec, index } }) => {
      if (!isSummarized(spec)) return { answers: EMPTY, unitScale: null };
      const answers = new Float32Array(rows.length * length).fill(Number.NaN);
      copyTokens((labels[index] as Labels).answers, answers, rows, { offsets, length }, 1);
      return { answers, unitScale: null };
    }),
  };
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
  const { GraphForward } = await import("../step-graph/graph-forward.js");
  const graph = network.cached(GraphForward, () => new GraphForward(backend, network));
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
 * Merged matrix and outputs per token → one [lines, width] array per task.
 * @param merged [rows, layout.width]
 * @param tokens of each task per token, in the order of the graph
 */
export function splitTasks(
  layout: HeadLayout,
  merged: Float32Array,
  tokens: readonly Float32Array[] = [],
): Float32Array[] {
  const perToken = [...tokens];
  return layout.columns.map(({ part, offset, width }) => {
    if (part === "masked") return EMPTY;
    if (part === "token") return perToken.shift() ?? EMPTY;
    const lines = layout.width === 0 ? 0 : merged.length / layout.width;
    const logits = new Float32Array(lines * width);
    for (let line = 0; line < lines; line++) {
      const from = line * layout.width + offset;
      logits.set(merged.subarray(from, from + width), line * width);
    }
    return logits;
  });
}
