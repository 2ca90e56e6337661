/** @file Which numbers of a report's evaluation stand for what. */
import type { ReportDocument, RunReport } from "../../reporting/document.js";
import type { EvaluatedGates, EvaluationRow, Split } from "../../tasks/evaluation.js";

const PREFERRED: readonly Split[] = ["test", "valid", "train"];

/** Splits that any run is evaluated on, the best known first. */
export function evaluatedSplits(report: ReportDocument): readonly Split[] {
  const rows = [...report.runs.flatMap(({ evaluation }) => evaluation), ...(report.group?.evaluation ?? [])];
  const known = new Set(rows.map(({ split }) => split));
  return PREFERRED.filter((split) => known.has(split));
}

/** What is asked of an evaluation. */
export interface Asked {
  readonly split: Split;
  readonly gates: EvaluatedGates;
  /** Whether every metric is wanted, or the one that stands for the task. */
  readonly all: boolean;
}

export const GATES: readonly (readonly [EvaluatedGates, string])[] = [
  ["truth", "where rightly asked"],
  ["predicted", "where the network asks"],
  ["end_to_end", "end to end"],
];

/** End to end the share of right answers stands for a task, of which its own metric may not tell. */
const END_TO_END = ["accuracy", "accuracy_1", "within_tolerance", "iou_50"];

/** Rows by what is asked, in the order of the run's tasks. */
export function askedRows<Row extends EvaluationRow>(
  rows: readonly Row[],
  tasks: RunReport["tasks"],
  { split, gates, all }: Asked,
): readonly Row[] {
  const headlines = new Map(tasks.map(({ path, headline }) => [path, headline]));
  const places = new Map(tasks.map(({ path }, i) => [path, i]));
  const stands = (row: Row): boolean => {
    const headline = headlines.get(row.task_path);
    if (headline === undefined) return true;
    if (row.metric_name === headline) return true;
    if (gates === "end_to_end") return END_TO_END.includes(row.metric_name);
    return headline === null && row.metric_name === "loss";
  };
  return rows
    .filter((row) => row.split === split && row.gates === gates && (all || stands(row)))
    .toSorted((a, b) => (places.get(a.task_path) ?? -1) - (places.get(b.task_path) ?? -1));
}

/** The number that stands for a task. */
export function headlineRow({ evaluation, tasks }: RunReport, path: string, split: Split): EvaluationRow | undefined {
  const headline = tasks.find((task) => task.path === path)?.headline;
  return evaluation.find(
    (row) => row.task_path === path && row.metric_name === headline && row.split === split && row.gates === "truth",
  );
}

/** Whether more is better; null where nobody has said. */
export function higherIsBetter(report: ReportDocument, path: string, metric: string): boolean | null {
  const task = report.runs.flatMap(({ tasks }) => tasks).find((one) => one.path === path);
  if (task === undefined || task.kind === null) return metric === "loss" ? false : null;
  return !task.lower_is_better.includes(metric);
}
