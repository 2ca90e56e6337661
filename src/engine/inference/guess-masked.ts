/** @file Masked tokens of rows that are not trained on, hidden by the seed alone, and how well they are guessed. */
import { f64At } from "../../arrays.js";
import { tokenLengths } from "../../data/batches.js";
import type { Dataset } from "../../data/dataset.js";
import type { RowMask } from "../../flow/masks.js";
import { readInputs, batchTokens } from "../batches/batch-reader.js";
import { gatherTargets } from "../batches/targets.js";
import { type BatchMasker, MaskedCounter, type MaskedTally, maskedTask } from "../batches/mask-tokens.js";
import type { Network } from "../model/network.js";
import { type AnswerOptions, answerBatches } from "./answer-batches.js";

/**
 * @param masks over all rows of the dataset; of the masked language modelling, the tokens that may be hidden
 * @param mask hides the same tokens each time
 * @returns also how often each token of the vocabulary was hidden
 * @throws InterruptedError where the signal fires
 */
export async function guessMasked(
  network: Network,
  dataset: Pick<Dataset, "inputs" | "labels" | "offsets">,
  rows: Int32Array,
  masks: readonly RowMask[],
  mask: BatchMasker,
  options: AnswerOptions = {},
): Promise<MaskedTally & { readonly hidden: Float64Array }> {
  const task = maskedTask(network.graph);
  if (task === null) throw new Error("the graph has no masked language modelling");
  const counter = new MaskedCounter(task);
  const hidden = new Float64Array(task.spec.vocabulary?.length ?? 0);
  const read = (batch: Int32Array) => {
    const inputs = readInputs(network, dataset, batch);
    const tokens = batchTokens(network, dataset, inputs, batch.length);
    const { labels, masked } = mask(
      "evaluation",
      batch,
      inputs,
      gatherTargets(network.layout, dataset.labels, masks, batch, tokens),
    );
    for (const token of labels[task.index]?.answers ?? []) hidden[token] = f64At(hidden, token) + 1;
    return { inputs, labels: { labels, masked: masked ?? new Int32Array(0) } };
  };
  const tallies: MaskedTally[] = [];
  const even = { ...options, lengths: tokenLengths(dataset.inputs) };
  await answerBatches(network, rows, read, even, ({ guessed }, index) => {
    if (guessed !== null) tallies[index] = guessed;
  });
  // in the order of the batches, whichever came first
  for (const tally of tallies) counter.addCounted(tally);
  return { ...counter.tally, hidden };
}
