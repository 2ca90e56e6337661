/** @file Which scalars stand beside a run's settings on TensorBoard's HPARAMS page. */
import type { FlowGraph } from "../flow/graph.js";
import { SPLITS, type Split } from "../tasks/evaluation.js";
import { behaviourOf } from "../tasks/index.js";
import type { HParamMetric } from "./tensorboard/index.js";

export const BEST_EPOCH = "_total/best_epoch";

/** On test nothing but the evaluated checkpoint has values; elsewhere its values are no point of the curve. */
export function evaluatedTag(split: Split, tag: string): string {
  return split === "test" ? tag : `${tag}/evaluated`;
}

/**
 * Of the evaluated checkpoint its epoch, the total loss, and of each task the metric by which it is judged, on the split
 * that users care about most.
 */
export function hparamMetrics(graph: FlowGraph, splits: readonly Split[]): HParamMetric[] {
  const last = SPLITS.findLast((split) => splits.includes(split)) ?? "train";
  const totals = SPLITS.filter((split) => split !== "train" && splits.includes(split)).map(
    (group): HParamMetric => ({ tag: evaluatedTag(group, "_total/loss"), group, displayName: `loss (${group})` }),
  );
  const own = graph.tasks.flatMap(({ path, name, spec }): HParamMetric[] => {
    const metric = behaviourOf(spec).headlineMetric(spec) ?? undefined;
    if (metric === undefined) return [];
    const unique = graph.tasks.filter((task) => task.name === name).length === 1;
    const tag = evaluatedTag(last, `${path}/${metric}`);
    return [{ tag, group: last, displayName: `${unique ? name : path} ${metric} (${last})` }];
  });
  return [{ tag: BEST_EPOCH, group: "", displayName: "epoch evaluated" }, ...totals, ...own];
}
