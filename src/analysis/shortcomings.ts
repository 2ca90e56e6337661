/** @file What an evaluation shows that a reader might overlook: answers no better than a constant, and worse than chance. */
import type { FlowGraph } from "../flow/graph.js";
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

/** Tasks judged by the metric that is named first for them. */
function unbeaten(graph: FlowGraph, rows: readonly EvaluationRow[], split: string): string[] {
  const found = graph.tasks.flatMap(({ path, spec }) => {
    const metric = behaviourOf(spec).headlineMetric(spec);
    const row = rows.find((one) => one.task_path === path && one.metric_name === metric);
    if (row?.beats_baseline !== false) return [];
    return [`${path} (${metric} ${shown(row.metric_res)}, constant ${shown(row.baseline)})`];
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
