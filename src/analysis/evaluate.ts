/** @file A scored split → the evaluation frame: one row per task, metric and kind of gates. */
import { at, f32At } from "../arrays.js";
import type { FlowGraph } from "../flow/graph.js";
import type { RowMask } from "../flow/masks.js";
import type { EvaluationRow, Gates } from "../tasks/evaluation.js";
import { behaviourOf, LOSS, type MetricValue, scoringNumbers, scoringOf } from "../tasks/index.js";
import type { ScoredSplit, ScoredTask } from "./score.js";

export { LOSS };
/** Stands for a task's path in rows about all tasks together. */
export const TOTAL = "_total";

const ALL_GATES: readonly Gates[] = ["truth", "predicted"];

/**
 * Loss and metrics of every task, in the order of the flow: for each task first with the gates of the labels, then
 * with the network's own (docs/architecture.md#semantics). Metrics without rows are null with num_samples 0.
 * @param onDemand names of metrics that are computed on demand, for the tasks that have them
 */
export function evaluateSplit(
  graph: FlowGraph,
  scored: ScoredSplit,
  gates: readonly Gates[] = ALL_GATES,
  onDemand: readonly string[] = [],
): EvaluationRow[] {
  return graph.tasks.flatMap((node) => {
    if (behaviourOf(node.spec).answeredBy !== "network") return [];
    const task = at(scored.tasks, node.index);
    return gates.flatMap((gate) =>
      metricsUnder(task, gate === "truth" ? task.lossMask : task.predictedMask, onDemand).map(
        ({ name, value, count }) => ({
          split: scored.split,
          task_path: node.path,
          metric_name: name,
          metric_res: value === null || Number.isNaN(value) ? null : value,
          num_samples: count,
          gates: gate,
        }),
      ),
    );
  });
}

/**
 * Σ over tasks of lossWeight × masked mean loss; a task without rows adds 0.
 * @param rows one split's rows from {@link evaluateSplit}
 * @returns a row whose num_samples is that of the task with most rows; its value is null if no task has any
 */
export function totalLoss(graph: FlowGraph, rows: readonly EvaluationRow[], gates: Gates = "truth"): EvaluationRow {
  const losses = rows.filter((row) => row.metric_name === LOSS && row.gates === gates);
  const [first] = losses;
  if (first === undefined) throw new Error(`no loss rows with gates = ${gates}`);
  const weights = new Map(graph.tasks.map((task) => [task.path, task.lossWeight]));
  let total = 0;
  let most = 0;
  for (const { task_path, metric_res, num_samples } of losses) {
    // a loss that is NaN is null too, but has rows: it must not pass for 0
    if (num_samples > 0) total += (weights.get(task_path) ?? 0) * (metric_res ?? Number.NaN);
    most = Math.max(most, num_samples);
  }
  const metric_res = most === 0 || Number.isNaN(total) ? null : total;
  return { split: first.split, task_path: TOTAL, metric_name: LOSS, metric_res, num_samples: most, gates };
}

function metricsUnder(scored: ScoredTask, mask: RowMask, onDemand: readonly string[]): MetricValue[] {
  const { spec } = scored.task;
  const { kept, decoded, labels } = scored;
  const metrics = scoringOf(spec).metrics.values({ spec, ...scoringNumbers(kept), decoded, labels, mask }, onDemand);
  return [maskedMeanLoss(scored, mask), ...metrics];
}

/** Mean over the known loss terms of the mask's rows, as in training. */
function maskedMeanLoss({ task: { spec }, labels, perSampleLoss }: ScoredTask, mask: RowMask): MetricValue {
  const behaviour = behaviourOf(spec);
  let sum = 0;
  let terms = 0;
  let count = 0;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 0) continue;
    const known = behaviour.lossTerms(spec, labels, row);
    sum += f32At(perSampleLoss, row) * known;
    terms += known;
    count++;
  }
  return { name: LOSS, value: terms === 0 ? null : sum / terms, count };
}
