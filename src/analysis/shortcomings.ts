/** @file What an evaluation shows that a reader might overlook: answers no better than a constant, and worse than chance. */
import type { FlowGraph, TaskNode } from "../flow/graph.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import { behaviourOf } from "../tasks/index.js";

const ROC_AUC = /^roc_auc(\/|$)/;
const CHANCE = 0.5;

/** One line for each kind of shortcoming on the split that counts most; none where all is well. */
export function shortcomings(graph: FlowGraph, evaluation: readonly EvaluationRow[]): string[] {
  const truth = evaluation.filter(({ gates }) => gates === "truth");
  const split = (["test", "valid"] as const).find((one) => truth.some((row) => row.split === one));
  if (split === undefined) return [];
  const own = truth.filter((row) => row.split === split);
  return [...unbeaten(graph, own, split), ...belowChance(own, split)];
}

/**
 * The metric by which a task's answers are no better than a constant; undefined: they are better. It is judged by the metric
 * that is named first for it, and by its mean absolute error where it has one: boxes that hardly overlap their labels still
 * overlap more than a constant one that misses them all.
 * @param rows of one split, by the labels' gates
 */
export function unbeatenMetric(
  { path, spec }: Pick<TaskNode, "path" | "spec">,
  rows: readonly EvaluationRow[],
): EvaluationRow | undefined {
  const own = rows.filter((row) => row.task_path === path);
  return [behaviourOf(spec).headlineMetric(spec), "mean_absolute_error"]
    .map((metric) => own.find((row) => row.metric_name === metric))
    .find((row) => row?.beats_baseline === false);
}

function unbeaten(graph: FlowGraph, rows: readonly EvaluationRow[], split: string): string[] {
  const found = graph.tasks.flatMap((task) => {
    const row = unbeatenMetric(task, rows);
    if (row === undefined) return [];
    return [`${task.path} (${row.metric_name} ${shown(row.metric_res)}, constant ${shown(row.baseline)})`];
  });
  if (found.length === 0) return [];
  return [`no better on ${split} than a constant answer learnt on train: ${found.join(", ")}`];
}

/** The order of the scores is then worse than that of scores drawn at random. */
function belowChance(rows: readonly EvaluationRow[], split: string): string[] {
  const found = rows.filter(
    (row) => ROC_AUC.test(row.metric_name) && row.metric_res !== null && row.metric_res < CHANCE,
  );
  if (found.length === 0) return [];
  const named = found.map(
    (row) => `${row.task_path}/${row.metric_name} ${shown(row.metric_res)} (${row.num_samples} samples)`,
  );
  return [`scores rank worse than chance on ${split}: ${named.join(", ")}`];
}

function shown(value: number | null | undefined): string {
  return value?.toFixed(4) ?? "undefined";
}
