/** @file Which rows of a run's evaluation a report shows. */
import type { EvaluationRow } from "../tasks/evaluation.js";
import { LOSS } from "../tasks/index.js";
import type { LeftOut } from "./budget.js";

/**
 * All rows where there are few; else each task's loss and the metric that stands for it, and of these as many as there is
 * room for.
 * @param most rows
 */
export function shownEvaluation(
  rows: readonly EvaluationRow[],
  headlines: ReadonlyMap<string, string | null>,
  most: number,
  leftOut: LeftOut,
): readonly EvaluationRow[] {
  if (rows.length <= most) return rows.map(concise);
  leftOut.say("Of the evaluation, each task's loss and first metric are shown: cool evaluate has the rest.");
  const first = rows.filter(
    ({ task_path, metric_name, gates }) =>
      gates !== "predicted" &&
      (metric_name === LOSS || metric_name === headlines.get(task_path) || !headlines.has(task_path)),
  );
  if (first.length > most) leftOut.say(`Of the evaluation, the first ${most} of these rows of each run are shown.`);
  return first.slice(0, most).map(concise);
}

/** Numbers of six digits: more is not read. */
function concise({ metric_res, baseline, interval, ...row }: EvaluationRow): EvaluationRow {
  return {
    ...row,
    metric_res: metric_res === null ? null : rounded(metric_res),
    ...(baseline === undefined ? {} : { baseline: rounded(baseline) }),
    ...(interval === undefined ? {} : { interval: [rounded(interval[0]), rounded(interval[1])] }),
  };
}

function rounded(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(6)) : value;
}
