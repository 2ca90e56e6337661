/** @file Masked tokens of rows that are not trained on, hidden by the seed alone, and how well they are guessed. */
import { setImmediate as eventLoop } from "node:timers/promises";
import { tokenLengths } from "../data/batches.js";
import type { Dataset } from "../data/dataset.js";
import { InterruptedError } from "../errors.js";
import type { RowMask } from "../flow/masks.js";
import { readInputs, tokenSpans } from "./batch-reader.js";
import { gatherTargets } from "./losses.js";
import { type BatchMasker, MaskedCounter, type MaskedTally, maskedTask } from "./mask-tokens.js";
import type { Network } from "./network.js";
import { evenBatches, openForward, type PredictOptions } from "./predict.js";

/**
 * @param masks over all rows of the dataset; of the masked language modelling, the tokens that may be hidden
 * @param mask hides the same tokens each time
 * @throws InterruptedError where the signal fires
 */
export async function guessMasked(
  network: Network,
  dataset: Pick<Dataset, "inputs" | "labels" | "offsets">,
  rows: Int32Array,
  masks: readonly RowMask[],
  mask: BatchMasker,
  { batchSize = 64, signal }: PredictOptions = {},
): Promise<MaskedTally> {
  const task = maskedTask(network.graph);
  if (task === null) throw new Error("the graph has no masked language modelling");
  const counter = new MaskedCounter(task);
  const batches = evenBatches(rows, tokenLengths(dataset.inputs), batchSize);
  const forward = await openForward(network, batchSize, batches.perShape);
  for (const places of batches.places) {
    if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
    const batch = places.map((place) => rows[place] as number);
    const inputs = readInputs(network, dataset, batch);
    const spans = tokenSpans(network, dataset, inputs, batch.length);
    const targets = mask(
      "evaluation",
      batch,
      inputs,
      gatherTargets(network.layout, dataset.labels, masks, batch, spans),
    );
    counter.add(forward(inputs, batch.length, targets.masked ?? new Int32Array(0)).masked, targets);
    await eventLoop();
  }
  return counter.tally;
}
