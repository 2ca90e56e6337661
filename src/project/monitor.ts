/** @file `train.monitor`: the number on valid by which epochs are compared. */
import { LOSS, TOTAL } from "../analysis/evaluate.js";
import { ConfigError, UnknownNameError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import { directionOfMetric, metricNames, scoringOf } from "../tasks/index.js";
import { withoutLabel } from "./metrics.js";

/** What decides the best checkpoint, the plateau and early stopping. */
export interface Monitor {
  /** `_total`, or a task of the flow. */
  readonly taskPath: string;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  /** The metric itself, where it is computed on demand. */
  readonly onDemand: readonly string[];
}

/**
 * @param text `_total/loss` or `<task path>/<metric>`; a metric's name may hold a `/` itself
 * @throws UnknownNameError for a task or metric that the flow does not have, ConfigError where there is no metric
 */
export function parseMonitor(graph: FlowGraph, text: string): Monitor {
  const at = text.indexOf("/");
  if (at < 0) {
    throw new ConfigError(
      `train.monitor is "${text}", which names no metric. Write <task path>/<metric>, e.g. "${TOTAL}/${LOSS}".`,
      { monitor: text },
    );
  }
  const [taskPath, metric] = [text.slice(0, at), text.slice(at + 1)];
  if (taskPath === TOTAL) {
    if (metric !== LOSS) throw new UnknownNameError("metric", metric, [LOSS], `train.monitor "${text}"`);
    return { taskPath, metric, higherIsBetter: false, onDemand: [] };
  }
  const evaluated = graph.tasks.filter(({ spec }) => metricNames(spec).length > 0);
  const task = evaluated.find(({ path }) => path === taskPath);
  if (task === undefined) {
    const known = [TOTAL, ...evaluated.map(({ path }) => path)];
    throw new UnknownNameError("task", taskPath, known, `train.monitor "${text}"`);
  }
  const names = metricNames(task.spec);
  if (!names.includes(metric)) throw new UnknownNameError("metric", metric, names, `train.monitor "${text}"`);
  const facts = scoringOf(task.spec).metrics.facts(task.spec);
  const onDemand = facts.flatMap(({ name, onDemand: asked }) => (asked && name === withoutLabel(metric) ? [name] : []));
  return { taskPath, metric, higherIsBetter: directionOfMetric(task.spec, metric) === true, onDemand };
}

/**
 * @param rows of an epoch, gated by truth
 * @param totalLoss on valid
 * @returns NaN where it is undefined, or there is nothing to validate on
 */
export function monitoredValue(
  { taskPath, metric }: Monitor,
  rows: readonly EvaluationRow[],
  totalLoss: number,
): number {
  if (taskPath === TOTAL) return totalLoss;
  const row = rows.find((one) => one.split === "valid" && one.task_path === taskPath && one.metric_name === metric);
  return row?.metric_res ?? Number.NaN;
}
