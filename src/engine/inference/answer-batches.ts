/** @file Batch after batch answered without training, by this thread or by whatever else can answer one. */
import { setImmediate as eventLoop } from "node:timers/promises";
import { at, i32At } from "../../arrays.js";
import { batchesOf } from "../../data/batches.js";
import { InterruptedError } from "../../errors.js";
import type { MaskedTally } from "../batches/mask-tokens.js";
import { type BatchOutputs, guessedLoss, outputsOfBatch } from "../batches/outputs.js";
import type { BatchTargets } from "../batches/targets.js";
import type { InputBatch } from "../model/input-batch.js";
import type { NetworkForm } from "../model/layout.js";
import { Network } from "../model/network.js";
import { type ComputeLogits, computeLogits, openCompute } from "./compute-logits.js";

/** Labels of a batch, and the masked tokens that are asked. */
export type BatchLabels = Pick<BatchTargets, "labels" | "masked">;

/** What is kept of a batch that was answered without training. */
export interface BatchAnswers extends BatchOutputs {
  /** How well its masked tokens were guessed; null where none were asked. */
  readonly guessed: MaskedTally | null;
}

/** Answers batches: this thread, or replicas. */
export interface BatchAnswerer {
  /** Batches that it can answer at the same time. */
  readonly parallel: number;
  /** @param labels for what is said about the answers beside them; null: there are none */
  answer(inputs: InputBatch, rows: number, labels: BatchLabels | null): Promise<BatchAnswers>;
  /**
   * Where several processes go through the same batches: answers one in one of them, and tells all.
   * @param answer reads the batch and answers it here
   */
  share?(index: number, answer: () => Promise<BatchAnswers>): Promise<BatchAnswers>;
}

/** Answers one batch on this thread's own backend. @param compute default: kernel by kernel */
export function answerHere(
  network: Network,
  inputs: InputBatch,
  rows: number,
  labels: BatchLabels | null,
  compute: ComputeLogits = (...batch) => computeLogits(network, ...batch),
): BatchAnswers {
  const masked = labels?.masked ?? null;
  const logits = compute(inputs, rows, masked);
  const outputs = outputsOfBatch(network, logits, inputs, rows, labels);
  if (masked === null || labels === null) return { ...outputs, guessed: null };
  const lossSum = guessedLoss(network, logits, labels);
  return { ...outputs, guessed: { lossSum, count: masked.length, hits: outputs.hits } };
}

export interface AnswerOptions {
  readonly batchSize?: number;
  /** Tokens of every row that can be read, for each token input. */
  readonly lengths?: readonly Int32Array[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
  /** What answers the batches; default: this thread. */
  readonly answerer?: BatchAnswerer;
}

const BATCH_SIZE = 64;

/**
 * Answers rows batch by batch, as many at a time as the answerer takes.
 * @param network with an answerer among the options its form is enough
 * @param read is given the rows of a batch, and which batch it is
 * @param take is given the answers to a batch, which one it is, and where its rows stand among `rows`
 * @throws InterruptedError where the signal fires
 */
export async function answerBatches(
  network: Network | NetworkForm,
  rows: Int32Array,
  read: (rows: Int32Array, index: number) => { readonly inputs: InputBatch; readonly labels: BatchLabels | null },
  { batchSize = BATCH_SIZE, lengths = [], answerer: given, signal, onProgress }: AnswerOptions,
  take: (answers: BatchAnswers, index: number, indices: Int32Array) => void,
): Promise<void> {
  const { batches, perShape } = evenBatches(rows, lengths, batchSize);
  const answerer = given ?? (await localAnswerer(network, batchSize, perShape));
  const underWay: Promise<void>[] = [];
  let done = 0;
  const answer = async (indices: Int32Array, index: number): Promise<void> => {
    const batch = indices.map((i) => i32At(rows, i));
    const here = async (): Promise<BatchAnswers> => {
      const { inputs, labels } = read(batch, index);
      return answerer.answer(inputs, batch.length, labels);
    };
    take(await (answerer.share === undefined ? here() : answerer.share(index, here)), index, indices);
    done += batch.length;
    onProgress?.(done, rows.length);
  };
  for (const [index, indices] of batches.entries()) {
    if (signal?.aborted === true) break;
    if (underWay.length >= answerer.parallel) await underWay.shift();
    const answering = answer(indices, index);
    // a failure is thrown where the batch is awaited, which may be later
    answering.catch(() => {});
    underWay.push(answering);
    if (index + 1 < batches.length) await eventLoop();
  }
  await Promise.all(underWay);
  if (signal?.aborted === true && done < rows.length) throw new InterruptedError("Interrupted.");
}

async function localAnswerer(
  network: Network | NetworkForm,
  batchSize: number,
  perShape: number,
): Promise<BatchAnswerer> {
  if (!(network instanceof Network)) throw new Error("what computes this network was not given");
  const compute = await openCompute(network, batchSize, perShape);
  return { parallel: 1, answer: async (inputs, rows, labels) => answerHere(network, inputs, rows, labels, compute) };
}

/** Batches of rows of equal lengths. */
interface EvenBatches {
  /** Which of the rows are in each batch, as indices among them. */
  readonly batches: readonly Int32Array[];
  /** How many batches have the same lengths, on average. */
  readonly perShape: number;
}

/** @param lengths of every row that can be read, for each token input; none: all rows are alike */
export function evenBatches(rows: Int32Array, lengths: readonly Int32Array[], batchSize: number): EvenBatches {
  const groups = new Map<string, number[]>();
  rows.forEach((row, index) => {
    const key = lengths.map((ofInput) => at(ofInput, row)).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  const batches = [...groups.values()].flatMap((group) => batchesOf(Int32Array.from(group), batchSize));
  return { batches, perShape: batches.length / Math.max(1, groups.size) };
}
