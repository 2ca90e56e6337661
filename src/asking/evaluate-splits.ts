/** @file Scored splits → the evaluation frame of a run. */
import type { Baselines } from "../analysis/baselines.js";
import { DEFAULT_TOLERANCE, evaluateEndToEnd } from "../analysis/end-to-end.js";
import { evaluateSplit, totalLoss } from "../analysis/evaluate.js";
import type { ScoredSplit } from "../analysis/score.js";
import type { FlowGraph } from "../flow/graph.js";
import type { EvaluationRow } from "../tasks/evaluation.js";

/**
 * Rows of all splits, each with its total.
 * @param guessed rows about masked tokens, which no scored split can tell again
 * @param onDemand metrics that are computed on demand
 * @param baselines constant answers to compare with
 * @param tolerance within which a number is right, as a share of its range
 */
export function evaluateSplits(
  graph: FlowGraph,
  scored: readonly ScoredSplit[],
  guessed: readonly EvaluationRow[] = [],
  onDemand: readonly string[] = [],
  baselines: Baselines = {},
  tolerance: number = DEFAULT_TOLERANCE,
): EvaluationRow[] {
  return scored.flatMap((split) => {
    const own = evaluateSplit(graph, split, undefined, onDemand, baselines);
    const rows = [...own, ...guessed.filter((row) => row.split === split.split)];
    const totals = [totalLoss(graph, rows, "truth"), totalLoss(graph, rows, "predicted")];
    return [...rows, ...totals, ...evaluateEndToEnd(graph, split, tolerance)];
  });
}
