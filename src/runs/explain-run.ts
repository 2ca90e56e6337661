/** @file `cool explain --uncertainty`: a run's answers to opened inputs, sampled under dropout. */
import { setImmediate as eventLoop } from "node:timers/promises";
import type { ScoredSplit } from "../analysis/score.js";
import { AnswerSampler, type SampledAnswers } from "../analysis/uncertainty.js";
import type { InputSource } from "../data/dataset.js";
import type { Network } from "../engine/network.js";
import { InterruptedError, UsageError } from "../errors.js";
import { axisOf } from "../flow/graph.js";

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
 * @throws UsageError where that is less than two, which have no deviation, or where a task is asked per token
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
  const perToken = network.graph.tasks.find(({ spec }) => axisOf(spec) === "token");
  if (perToken !== undefined) {
    throw new UsageError(
      `Answers under dropout are sampled per row, but "${perToken.path}" is asked of every token. Explain this run without --uncertainty.`,
      { task: perToken.path },
    );
  }
  const [{ sampleLogits }, { splitTasks }, { readInputs }] = await Promise.all([
    import("../engine/uncertainty.js"),
    import("../engine/predict.js"),
    import("../engine/batch-reader.js"),
  ]);
  const { graph } = network;
  const rows = scored.ids.length;
  const thresholds = scored.tasks.map((task) => task.thresholds);
  const sampler = new AnswerSampler(
    graph,
    thresholds,
    scored.tasks.map(({ labels }) => labels),
    rows,
  );
  for (let sample = 0; sample < samples; sample++) {
    const logits = new Float32Array(rows * network.layout.width);
    for (let at = 0; at < rows; at += BATCH_ROWS) {
      if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
      const batch = Array.from({ length: Math.min(BATCH_ROWS, rows - at) }, (_, i) => at + i);
      const inputs = readInputs(network, { inputs: sources }, batch);
      const seeded = `${seed}/dropout/${sample}/${at}`;
      logits.set(sampleLogits(network, inputs, batch.length, seeded), at * network.layout.width);
      await eventLoop();
    }
    sampler.add(splitTasks(network.layout, logits));
  }
  return sampler.answers;
}
