/** @file Which rows of a run's evaluation a report shows. */
import type { EvaluationRow } from "../tasks/evaluation.js";
import { LOSS } from "../tasks/index.js";
import type { LeftOut } from "./budget.js";
import { inTurns } from "./in-turns.js";

interface ShownRows {
  readonly most: number;
  /** `task/metric`, which comes first. */
  readonly monitor: string;
  readonly leftOut: LeftOut;
}

/** All rows where there are few; else what stands for each task, then its loss, then the rest, task by task. */
export function shownEvaluation(
  rows: readonly EvaluationRow[],
  headlines: ReadonlyMap<string, string | null>,
  { most, monitor, leftOut }: ShownRows,
): readonly EvaluationRow[] {
  if (rows.length > most) {
    leftOut.say(
      `Of the evaluation, ${most} of ${rows.length} rows of a run are shown, each task's first metric and loss before others: cool evaluate has the rest.`,
    );
  }
  return inTurns(rows, most, ({ task_path, metric_name, gates }) => {
    const byGates = gates === "truth" ? 0 : gates === "end_to_end" ? 1 : 10;
    const byMetric = metric_name === headlines.get(task_path) ? 0 : metric_name === LOSS ? 2 : 4;
    const isMonitor = `${task_path}/${metric_name}` === monitor;
    return { task: task_path, rank: byGates + byMetric, isFirst: isMonitor && gates === "truth" };
  }).map(concise);
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
