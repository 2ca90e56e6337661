/** @file `cool evaluate`: the evaluation frame of a finished run, from its stored predictions. */
import type { RunStore } from "../storage/run-store.js";
import type { EvaluationRow, Gates, Split } from "../tasks/evaluation.js";
import { evaluateSplits } from "./evaluate-splits.js";
import { askFor, onDemandMetricsOf } from "../project/metrics.js";
import { type RunSummary, summarize } from "../records/run-summary.js";
import { guessedRowsOf, type OpenRunOptions, openStoredRun, predictedSplits, readScoredSplit } from "./stored-run.js";

export interface EvaluateResult {
  readonly run: RunSummary;
  readonly evaluation: readonly EvaluationRow[];
}

export interface EvaluateOptions extends OpenRunOptions {
  /** Default: every one of which the run has predictions. */
  readonly split?: Split | undefined;
  /** Default: both kinds. */
  readonly gates?: Gates | undefined;
  /** These metrics alone, or `all` that there are; default: the usual ones and those of the run's evaluate.metrics. */
  readonly metrics?: readonly string[] | undefined;
}

/** @throws UnknownNameError for a run, or a metric that none of its tasks has */
export async function evaluateRun(
  store: RunStore,
  reference: string,
  options: EvaluateOptions = {},
): Promise<EvaluateResult> {
  const stored = await openStoredRun(store, reference, options);
  const splits = options.split === undefined ? predictedSplits(stored.dir) : [options.split];
  const asked = options.metrics === undefined ? null : askFor(stored.graph, options.metrics);
  const onDemand = asked?.onDemand ?? onDemandMetricsOf(stored.config.settings);
  const guessed = guessedRowsOf(store, stored);
  const evaluation: EvaluationRow[] = [];
  for (const split of splits) {
    evaluation.push(...evaluateSplits(stored.graph, [await readScoredSplit(stored, split)], guessed, onDemand));
  }
  const wanted = evaluation.filter(
    (row) => (options.gates === undefined || row.gates === options.gates) && (asked?.selects(row) ?? true),
  );
  return { run: summarize(stored.run, stored.dir), evaluation: wanted };
}
