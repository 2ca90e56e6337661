/** @file Scored splits → the evaluation frame of a run. */
import type { Baselines } from "../analysis/baselines.js";
import { evaluateSplit, totalLoss } from "../analysis/evaluate.js";
import type { ScoredSplit } from "../analysis/score.js";
import type { FlowGraph } from "../flow/graph.js";
import type { EvaluationRow } from "../tasks/evaluation.js";

/**
 * Rows of all splits, each with its total.
 * @param guessed rows about masked tokens, which no scored split can tell again
 * @param onDemand metrics that are computed on demand
 * @param baselines constant answers to compare with
 */
export function evaluateSplits(
  graph: FlowGraph,
  scored: readonly ScoredSplit[],
  guessed: readonly EvaluationRow[] = [],
  onDemand: readonly string[] = [],
  baselines: Baselines = {},
): EvaluationRow[] {
  return scored.flatMap((split) => {
    const own = evaluateSplit(graph, split, undefined, onDemand, baselines);
    const rows = [...own, ...guessed.filter((row) => row.split === split.split)];
    return [...rows, totalLoss(graph, rows, "truth"), totalLoss(graph, rows, "predicted")];
  });
}
