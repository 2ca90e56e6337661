/** @file `cool evaluate`: the evaluation frame of a finished run, from its stored predictions. */
import type { RunStore } from "../storage/run-store.js";
import type { EvaluationRow, Gates, Split } from "../tasks/evaluation.js";
import { evaluateSplits } from "./complete-run.js";
import { type RunSummary, summarize } from "./run-summary.js";
import { guessedRowsOf, type OpenRunOptions, openStoredRun, predictedSplits, readScoredSplit } from "./stored-run.js";

export interface EvaluateResult {
  readonly run: RunSummary;
  readonly evaluation: readonly EvaluationRow[];
}

/** @param options what to show; default: every split, both kinds of gates */
export async function evaluateRun(
  store: RunStore,
  reference: string,
  options: OpenRunOptions & { readonly split?: Split | undefined; readonly gates?: Gates | undefined } = {},
): Promise<EvaluateResult> {
  const stored = await openStoredRun(store, reference, options);
  const splits = options.split === undefined ? predictedSplits(stored.dir) : [options.split];
  const guessed = guessedRowsOf(store, stored);
  const evaluation: EvaluationRow[] = [];
  for (const split of splits) {
    evaluation.push(...evaluateSplits(stored.graph, [await readScoredSplit(stored, split)], guessed));
  }
  const wanted = evaluation.filter((row) => options.gates === undefined || row.gates === options.gates);
  return { run: summarize(stored.run, stored.dir), evaluation: wanted };
}
