/** @file Objectives by name, their values of a run, and which of two values is better. */
import { TOTAL } from "../../analysis/evaluate.js";
import { UsageError } from "../../errors.js";
import type { RunStore } from "../../storage/run-store.js";
import { EVALUATED_GATES, SPLITS } from "../../tasks/evaluation.js";
import type { Objective } from "./definition.js";

/** `valid/_total/loss`, `valid/door/f1_score@predicted`. */
export function objectiveName({ split, taskPath, metricName, gates }: Omit<Objective, "direction">): string {
  return `${split}/${taskPath}/${metricName}${gates === "truth" ? "" : `@${gates}`}`;
}

/**
 * @param text `split/task/metric[@gates][:min|:max]`, as conditions name metrics
 * @param higherIsBetter null where that is not known
 * @throws UsageError for another form, and where nobody says which values are better
 */
export function parseObjective(
  text: string,
  higherIsBetter: (taskPath: string, metricName: string) => boolean | null,
): Objective {
  const [, name = "", asked] = /^(.*?)(?::(min|max))?$/s.exec(text) ?? [];
  const [path = "", gatesName = "truth"] = name.split("@");
  const [splitName, taskPath, ...metric] = path.split("/");
  const split = SPLITS.find((known) => known === splitName);
  const gates = EVALUATED_GATES.find((known) => known === gatesName);
  if (split === undefined || taskPath === undefined || metric.length === 0 || gates === undefined) {
    throw new UsageError(
      `--objective ${text} is not split/task/metric. Write e.g. --objective valid/${TOTAL}/loss, or valid/door_open/f1_score@end_to_end; the splits are ${SPLITS.join(", ")}, and the gates ${EVALUATED_GATES.join(", ")}.`,
      { objective: text },
    );
  }
  const metricName = metric.join("/");
  const isHigher = asked === undefined ? higherIsBetter(taskPath, metricName) : asked === "max";
  if (isHigher === null) {
    throw new UsageError(`Whether more or less of ${name} is better is not known. Write ${name}:min or ${name}:max.`, {
      objective: text,
    });
  }
  return { split, taskPath, metricName, gates, direction: isHigher ? "maximize" : "minimize" };
}

/** Turned so that lower is better, and back. */
export function turned(value: number, { direction }: Pick<Objective, "direction">): number {
  return direction === "minimize" ? value : -value;
}

/** Whether its curve tells it after each epoch, which is what pruning needs. */
export function hasCurve({ split, gates }: Objective): boolean {
  return split !== "test" && gates === "truth";
}

/**
 * What a finished run came to: its evaluation or, where that lacks the metric, the curve at the epoch whose checkpoint
 * was kept.
 * @returns undefined where the run knows no such metric, null where it is undefined on these rows
 */
export function valueOfRun(store: RunStore, run: string, objective: Objective): number | null | undefined {
  const { split, taskPath, metricName, gates } = objective;
  const row = store
    .readEvaluation(run, { split, gates })
    .find((one) => one.task_path === taskPath && one.metric_name === metricName);
  if (row !== undefined) return row.metric_res;
  if (!hasCurve(objective)) return undefined;
  const points = store.readMetrics(run, { split, taskPath, metricName });
  const { bestEpoch } = store.getRun(run);
  const point = points.find(({ epoch }) => epoch === bestEpoch) ?? points.at(-1);
  if (point === undefined) return undefined;
  return point.value !== null && Number.isFinite(point.value) ? point.value : null;
}

/** Metrics that a run has, as objectives are named. */
export function knownObjectives(store: RunStore, run: string): string[] {
  const rows = store
    .readEvaluation(run)
    .map(({ split, task_path, metric_name, gates }) =>
      objectiveName({ split, taskPath: task_path, metricName: metric_name, gates }),
    );
  const curves = store.listCurves(run).map((curve) => objectiveName({ ...curve, gates: "truth" }));
  return [...new Set([...rows, ...curves])];
}
