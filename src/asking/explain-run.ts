/** @file `cool explain --uncertainty`: a run's answers to opened inputs, sampled under dropout. */
import { setImmediate as eventLoop } from "node:timers/promises";
import type { ScoredSplit } from "../analysis/score.js";
import { AnswerSampler, type SampledAnswers } from "../analysis/explanation/uncertainty.js";
import { tokenLengths } from "../data/batches.js";
import type { InputSource } from "../data/dataset.js";
import type { Network } from "../engine/model/network.js";
import { InterruptedError, UsageError } from "../errors.js";

export interface UncertaintyOptions {
  /** Stochastic forward passes; default 30. */
  readonly samples?: number | undefined;
  readonly seed?: number | undefined;
}

export const DEFAULT_SAMPLES = 30;
const DEFAULT_SEED = 7;
const BATCH_ROWS = 64;

/**
 * Answers to all rows of the inputs in stochastic passes: Monte-Carlo dropout.
 * @throws UsageError where that is less than two, which have no deviation
 */
export async function sampleAnswers(
  network: Network,
  sources: Readonly<Record<string, InputSource>>,
  scored: ScoredSplit,
  { samples = DEFAULT_SAMPLES, seed = DEFAULT_SEED }: UncertaintyOptions,
  signal?: AbortSignal,
): Promise<SampledAnswers> {
  if (!Number.isInteger(samples) || samples < 2) {
    throw new UsageError(`${samples} samples have no deviation. Take 2 or more, e.g. ${DEFAULT_SAMPLES}.`, { samples });
  }
  const [{ CollectedLogits, sampleLogits }, { evenBatches }, { readInputs }] = await Promise.all([
    import("../engine/inference/uncertainty.js"),
    import("../engine/inference/answer-batches.js"),
    import("../engine/batches/batch-reader.js"),
  ]);
  const rows = Int32Array.from(scored.ids, (_, row) => row);
  const thresholds = scored.tasks.map((task) => task.thresholds);
  const labels = scored.tasks.map((task) => task.labels);
  const sampler = new AnswerSampler(network.graph, thresholds, labels);
  for (let sample = 0; sample < samples; sample++) {
    const collected = new CollectedLogits(network, rows.length);
    for (const batch of evenBatches(rows, tokenLengths(sources), BATCH_ROWS).batches) {
      if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
      const inputs = readInputs(network, { inputs: sources }, batch);
      const seeded = `${seed}/dropout/${sample}/${batch[0]}`;
      collected.put(batch, inputs, sampleLogits(network, inputs, batch.length, seeded));
      await eventLoop();
    }
    sampler.add(collected.tasks);
  }
  return sampler.answers;
}
