/** @file A scored split → the evaluation frame: one row per task, metric and kind of gates. */
import { at } from "../arrays.js";
import type { FlowGraph } from "../flow/graph.js";
import type { RowMask } from "../flow/masks.js";
import type { EvaluationRow, Gates, Split } from "../tasks/evaluation.js";
import { behaviourOf, LOSS } from "../tasks/index.js";
import { againstBaseline, type Baselines, baselineValues } from "./baselines.js";
import { type Measured, metricsUnder } from "./metrics-under.js";
import type { ScoredByTruth, ScoredSplit } from "./score.js";

export { LOSS };
/** Stands for a task's path in rows about all tasks together. */
export const TOTAL = "_total";

const ALL_GATES: readonly Gates[] = ["truth", "predicted"];

/**
 * Loss and metrics of every task, in the order of the flow: for each task first with the gates of the labels, then
 * with the network's own (docs/architecture.md#semantics). Metrics without rows are null with num_samples 0.
 * @param onDemand names of metrics that are computed on demand, for the tasks that have them
 * @param baselines what train has taught about constant answers: rows then have baselines
 */
export function evaluateSplit(
  graph: FlowGraph,
  scored: ScoredSplit,
  gates: readonly Gates[] = ALL_GATES,
  onDemand: readonly string[] = [],
  baselines: Baselines = {},
): EvaluationRow[] {
  return graph.tasks.flatMap((node) => {
    if (behaviourOf(node.spec).answeredBy !== "network") return [];
    const task = at(scored.tasks, node.index);
    const own = baselines[node.path];
    return gates.flatMap((gate) => {
      const mask = gate === "truth" ? task.lossMask : task.predictedMask;
      const constant = own === undefined ? undefined : baselineValues(task, own, mask, onDemand);
      return taskRows(scored.split, task, mask, onDemand).map(
        (row): EvaluationRow => ({
          ...{ ...row, gates: gate },
          ...againstBaseline(node, row.metric_name, row.metric_res, constant?.get(row.metric_name)),
        }),
      );
    });
  });
}

/** One task, as `evaluateSplit` with the gates of the labels alone. */
export function evaluateByTruth(split: Split, task: ScoredByTruth, onDemand: readonly string[]): EvaluationRow[] {
  return taskRows(split, task, task.lossMask, onDemand).map((row) => ({ ...row, gates: "truth" }));
}

function taskRows(
  split: Split,
  task: Measured,
  mask: RowMask,
  onDemand: readonly string[],
): Pick<EvaluationRow, "split" | "task_path" | "metric_name" | "metric_res" | "num_samples">[] {
  return metricsUnder(task, mask, onDemand).map(({ name, value, count }) => {
    const metric_res = value === null || Number.isNaN(value) ? null : value;
    return { split, task_path: task.task.path, metric_name: name, metric_res, num_samples: count };
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
  const total = { loss: 0, baseline: 0 };
  let most = 0;
  for (const { task_path, metric_res, num_samples, baseline = Number.NaN } of losses) {
    most = Math.max(most, num_samples);
    if (num_samples === 0) continue;
    const weight = weights.get(task_path) ?? 0;
    // a loss that is NaN is null too, but has rows: it must not pass for 0
    total.loss += weight * (metric_res ?? Number.NaN);
    total.baseline += weight * baseline;
  }
  const metric_res = most === 0 || Number.isNaN(total.loss) ? null : total.loss;
  const facts = { split: first.split, task_path: TOTAL, metric_name: LOSS, metric_res, num_samples: most, gates };
  if (most === 0 || Number.isNaN(total.baseline)) return facts;
  return { ...facts, baseline: total.baseline, beats_baseline: metric_res !== null && metric_res < total.baseline };
}
