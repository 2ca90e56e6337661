/** @file `cool tune`: new thresholds for a finished run, from its stored predictions. */

import { evaluateSplit } from "../analysis/evaluate.js";
import { withThresholds } from "../analysis/score.js";
import { type TuningReport, tuneThresholds } from "../analysis/tune.js";
import type { RunStore } from "../storage/run-store.js";
import type { EvaluationRow, Split } from "../tasks/evaluation.js";
import { evaluateSplits } from "./evaluate-splits.js";
import { storedIntervals } from "./slices/intervals.js";
import { keepThresholds } from "../records/thresholds.js";
import { digestFiles } from "../records/run-artifacts.js";
import { onDemandMetricsOf } from "../project/metrics.js";
import { writePredictions } from "../records/predictions/write.js";
import { runFiles } from "../records/run-folder.js";
import { type RunSummary, summarize } from "../records/run-summary.js";
import type { Thresholds } from "../tasks/index.js";
import {
  assertHasValid,
  guessedRowsOf,
  type OpenRunOptions,
  openStoredRun,
  predictedSplits,
  readScoredSplit,
  type StoredRun,
} from "./stored-run.js";
import type { ThresholdsByPath } from "../records/thresholds.js";

export interface TuneResult {
  readonly run: RunSummary;
  readonly split: Split;
  readonly thresholds: ThresholdsByPath;
  readonly before: readonly EvaluationRow[];
  readonly after: readonly EvaluationRow[];
  readonly reports: readonly TuningReport[];
}

/**
 * Finds the thresholds that maximise `metric` on the valid split and keeps them: folder, store, predictions and
 * evaluation frames all follow.
 */
export async function tuneRun(
  store: RunStore,
  reference: string,
  metric?: string,
  options: OpenRunOptions = {},
): Promise<TuneResult> {
  const stored = await openStoredRun(store, reference, options);
  const { run, dir, graph, config, baselines } = stored;
  assertHasValid(stored);
  const tunedBy = metric ?? config.settings.tune.metric;
  const valid = await readScoredSplit(stored, "valid");
  const { thresholds, reports } = tuneThresholds(graph, valid, tunedBy);
  const tuned = withThresholds(graph, valid, thresholds);
  const onDemand = onDemandMetricsOf(config.settings);
  const kept = await applyThresholds(store, stored, thresholds, tunedBy);
  return {
    run: summarize(run, dir),
    split: "valid",
    thresholds: kept,
    before: evaluateSplit(graph, valid, undefined, onDemand, baselines),
    after: evaluateSplit(graph, tuned, undefined, onDemand, baselines),
    reports,
  };
}

/** Makes a run decide by other thresholds: folder, store, predictions and evaluation frames all follow. */
export async function applyThresholds(
  store: RunStore,
  stored: StoredRun,
  thresholds: readonly Thresholds[],
  tunedBy: string,
): Promise<ThresholdsByPath> {
  const { run, dir, graph, config, baselines } = stored;
  const guessed = guessedRowsOf(store, stored);
  const onDemand = onDemandMetricsOf(config.settings);
  const { tolerance } = config.settings.evaluate;
  for (const split of predictedSplits(dir)) {
    const scored = withThresholds(graph, await readScoredSplit(stored, split), thresholds);
    await writePredictions(runFiles(dir).predictions(split), scored);
    const evaluation = evaluateSplits(graph, [scored], guessed, onDemand, baselines, tolerance);
    store.replaceEvaluation(run.id, await storedIntervals(stored, scored, evaluation));
  }
  const kept = keepThresholds(store, run.id, dir, graph, thresholds, tunedBy);
  // its thresholds and predictions are other files now
  store.recordArtifacts(run.id, await digestFiles(dir));
  return kept;
}
