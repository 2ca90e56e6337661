/** @file How well masked tokens were guessed, as rows of the evaluation frame. */
import type { EvaluationRow, Split } from "../tasks/evaluation.js";
import { LOSS } from "./evaluate.js";

/** Sums over masked tokens. */
export interface GuessedTokens {
  /** Of the cross entropies. */
  readonly lossSum: number;
  readonly count: number;
  /** Those whose token had the highest score. */
  readonly hits: number;
}

/**
 * The mean cross entropy of the masked tokens, perplexity = e^loss, and the share that is guessed right. Which tokens
 * are asked is decided by masking, so there are no rows with the network's own gates.
 */
export function guessedRows(split: Split, task_path: string, { lossSum, count, hits }: GuessedTokens): EvaluationRow[] {
  const loss = count === 0 ? null : lossSum / count;
  const values = {
    [LOSS]: loss,
    perplexity: loss === null ? null : Math.exp(loss),
    accuracy_1: count === 0 ? null : hits / count,
  };
  return Object.entries(values).map(([metric_name, value]) => ({
    split,
    task_path,
    metric_name,
    metric_res: value === null || Number.isNaN(value) ? null : value,
    num_samples: count,
    gates: "truth",
  }));
}
