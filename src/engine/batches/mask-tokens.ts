/** @file Masked language modelling: which tokens of a batch are hidden, and how well they are guessed. */

import { at as itemAt, f32At, i32At } from "../../arrays.js";
import type { InputSpec, TokensInputSpec } from "../../data/dataset.js";
import { idCount } from "../../data/inputs/inputs.js";
import { createRandom, type Random } from "../../data/rng.js";
import type { FlowGraph } from "../../flow/graph.js";
import type { RowMask } from "../../flow/masks.js";
import { behaviourOf, isMasked, type MaskedNode } from "../../tasks/index.js";
import type { BatchTargets } from "./targets.js";
import type { InputBatch } from "../model/input-batch.js";

/**
 * Hides tokens of a batch, in place, and says what they were.
 * @param epoch or another name of the draw: the same one hides the same tokens
 * @param rows of the dataset, in the order of the batch
 * @returns the targets, with those of the masked language modelling
 */
export type BatchMasker = (
  epoch: number | string,
  rows: ArrayLike<number>,
  inputs: InputBatch,
  targets: BatchTargets,
) => BatchTargets;

/** The task of a graph whose labels are masked tokens. */
export function maskedTask({ tasks }: FlowGraph): MaskedNode | null {
  return tasks.find(isMasked) ?? null;
}

/**
 * Chooses, by a draw that depends on (seed, epoch, row) alone, `maskRate` of the row's tokens that the task is asked
 * of, at least one; of these 80 % become the mask, 10 % a random token of the vocabulary and 10 % stay as they are:
 * Devlin et al. (2019), §3.1.
 * @returns null where the graph has no such task
 */
export function createBatchMasker(
  graph: FlowGraph,
  specs: Readonly<Record<string, InputSpec>>,
  seed: number | string,
): BatchMasker | null {
  const task = maskedTask(graph);
  if (task === null) return null;
  const { input, maskRate } = task.spec;
  const spec = specs[input] as TokensInputSpec;
  const vocabularySize = spec.vocabulary.length;
  // the last id, after padding and the vocabulary
  const maskId = idCount(spec) - 1;
  return (epoch, rows, inputs, targets) => {
    const ids = inputs[input] as Int32Array;
    const allowed = itemAt(targets.masks, task.index);
    const masked: number[] = [];
    const hidden: number[] = [];
    for (let i = 0; i < rows.length; i++) {
      const random = createRandom(`mask tokens of row ${rows[i]} in epoch ${epoch} of seed ${seed}`);
      const length = targets.length ?? 0;
      for (const at of chooseTokens(allowed, i * length, (i + 1) * length, maskRate, random)) {
        const id = i32At(ids, at);
        masked.push(at);
        hidden.push(id - 1);
        ids[at] = replacement(id, maskId, vocabularySize, random);
      }
    }
    const labels = targets.labels.with(task.index, { answers: Float32Array.from(hidden), unitScale: null });
    const masks = targets.masks.with(task.index, new Uint8Array(masked.length).fill(1));
    return { ...targets, labels, masks, masked: Int32Array.from(masked) };
  };
}

/** Some of the allowed tokens between two indices, ascending. */
function chooseTokens(allowed: RowMask, from: number, to: number, rate: number, random: Random): number[] {
  const candidates: number[] = [];
  for (let at = from; at < to; at++) if (allowed[at] === 1) candidates.push(at);
  if (candidates.length === 0) return [];
  const count = Math.max(1, Math.round(rate * candidates.length));
  return random
    .shuffle(candidates)
    .slice(0, count)
    .sort((a, b) => a - b);
}

function replacement(id: number, maskId: number, vocabularySize: number, random: Random): number {
  const drawn = random.next();
  if (drawn < 0.8) return maskId;
  return drawn < 0.9 ? 1 + random.int(vocabularySize) : id;
}

/** How well masked tokens were guessed, over many batches. */
export interface MaskedTally {
  /** Of the cross entropies. */
  readonly lossSum: number;
  /** Masked tokens. */
  readonly count: number;
  /** Of them, those whose token had the highest score. */
  readonly hits: number;
}

/** Counts batch by batch: logits over a vocabulary, at every masked token of an epoch, are too many to keep. */
export class MaskedCounter {
  readonly #task: MaskedNode;
  #tally: MaskedTally = { lossSum: 0, count: 0, hits: 0 };

  constructor(task: MaskedNode) {
    this.#task = task;
  }

  /**
   * @param logits of the masked tokens, [masked, vocabulary]
   * @param lossSum of their cross entropies, where it is known already
   */
  add(logits: Float32Array, targets: BatchTargets, lossSum = lossOfMasked(this.#task, logits, targets)): void {
    this.addCounted({ lossSum, count: targets.masked?.length ?? 0, hits: hitsOf(this.#task, logits, targets) });
  }

  /** Adds what has been counted elsewhere. */
  addCounted({ lossSum, count, hits }: MaskedTally): void {
    const before = this.#tally;
    this.#tally = { lossSum: before.lossSum + lossSum, count: before.count + count, hits: before.hits + hits };
  }

  get tally(): MaskedTally {
    return this.#tally;
  }
}

type MaskedTargets = Pick<BatchTargets, "labels" | "masked">;

/**
 * Masked tokens whose token has the highest score.
 * @param logits of the masked tokens, [masked, vocabulary]
 */
export function hitsOf({ spec, index }: MaskedNode, logits: Float32Array, { labels, masked }: MaskedTargets): number {
  const width = spec.vocabulary?.length ?? 0;
  const hidden = labels[index]?.answers ?? new Float32Array(0);
  let hits = 0;
  for (let row = 0; row < (masked?.length ?? 0); row++) {
    if (firstLargest(logits, row * width, width) === hidden[row]) hits++;
  }
  return hits;
}

/** Sum of the cross entropies of masked tokens. */
export function lossOfMasked(
  { spec, index }: MaskedNode,
  data: Float32Array,
  { labels, masked }: MaskedTargets,
): number {
  const view = { data, stride: spec.vocabulary?.length ?? 0, offset: 0 };
  let sum = 0;
  for (let row = 0; row < (masked?.length ?? 0); row++) {
    sum += behaviourOf(spec).lossSum(spec, view, itemAt(labels, index), row, null);
  }
  return sum;
}

function firstLargest(values: Float32Array, from: number, width: number): number {
  let best = 0;
  for (let i = 1; i < width; i++) if (f32At(values, from + i) > f32At(values, from + best)) best = i;
  return best;
}
