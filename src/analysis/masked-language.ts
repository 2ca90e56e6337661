/** @file How well masked tokens were guessed, as rows of the evaluation frame, beside guesses that look at nothing. */
import { f64At } from "../arrays.js";
import type { TaskNode } from "../flow/graph.js";
import type { EvaluationRow, Split } from "../tasks/evaluation.js";
import { againstBaseline } from "./baselines.js";
import { LOSS } from "./evaluate.js";

/** Sums over masked tokens. */
export interface GuessedTokens {
  /** Of the cross entropies. */
  readonly lossSum: number;
  readonly count: number;
  /** Those whose token had the highest score. */
  readonly hits: number;
}

/** How often each token of the vocabulary occurs. */
export type TokenCounts = Float64Array;

/**
 * The mean cross entropy of the masked tokens, perplexity = e^loss, and the share that is guessed right. Which tokens
 * are asked is decided by masking, so there are no rows with the network's own gates.
 * @param baseline by name of the metric, on the same tokens
 */
export function guessedRows(
  split: Split,
  task: TaskNode,
  { lossSum, count, hits }: GuessedTokens,
  baseline: Readonly<Record<string, number>> = {},
): EvaluationRow[] {
  const loss = count === 0 ? null : lossSum / count;
  const values = {
    [LOSS]: loss,
    perplexity: loss === null ? null : Math.exp(loss),
    accuracy_1: count === 0 ? null : hits / count,
  };
  return Object.entries(values).map(([metric_name, found]) => {
    const value = found === null || Number.isNaN(found) ? null : found;
    return {
      ...{ split, task_path: task.path, metric_name, metric_res: value, num_samples: count, gates: "truth" as const },
      ...againstBaseline(task, metric_name, value, baseline[metric_name]),
    };
  });
}

/**
 * What guesses by frequency alone come to: the loss and perplexity of the tokens' shares in train, each counted once more
 * than it occurs (Laplace), so that none is impossible; the accuracy of the most frequent token.
 * @param train how often each token occurs in train, where the task is asked
 * @param hidden how often each is hidden; of none, nothing is known
 */
export function frequencyBaseline(train: TokenCounts, hidden: TokenCounts): Readonly<Record<string, number>> {
  const sum = (counts: TokenCounts): number => counts.reduce((total, count) => total + count, 0);
  const [all, asked] = [sum(train) + train.length, sum(hidden)];
  if (asked === 0) return {};
  const lossSum = hidden.reduce((total, count, token) => total - count * Math.log((f64At(train, token) + 1) / all), 0);
  const commonest = train.reduce((best, count, token) => (count > f64At(train, best) ? token : best), 0);
  const loss = lossSum / asked;
  return { [LOSS]: loss, perplexity: Math.exp(loss), accuracy_1: f64At(hidden, commonest) / asked };
}
