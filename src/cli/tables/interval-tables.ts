/** @file Metrics with their intervals, of a whole split and of slices of it. */
import { FEWEST_ROWS } from "../../analysis/slices/worst-slices.js";
import type { EvaluationRow, Split } from "../../tasks/evaluation.js";
import { cellText, fill } from "../text.js";
import { drawTable, formatMetric } from "./tables.js";

/** A metric on a slice. */
interface SlicedRow extends EvaluationRow {
  readonly slice: Readonly<Record<string, string>>;
}

const INTERVAL_NOTE = "95 %: confidence interval; – where none is known";

/** `0.8812–0.9431`, narrow; `–` where there is none. */
export function formatInterval(interval: EvaluationRow["interval"]): string {
  if (interval == null) return "–";
  const [low, high] = interval.map((end) => formatMetric(end === 0 ? 0 : end));
  return `${low} to ${high}`;
}

/** Under each task's path one row per metric of a split with one kind of gates, beside its interval. */
export function intervalTable(
  rows: readonly EvaluationRow[],
  split: Split,
  gates: EvaluationRow["gates"],
  options: { readonly labels?: boolean; readonly title?: string } = {},
): string {
  const own = rows.filter(
    (row) => row.split === split && row.gates === gates && (options.labels === true || !row.metric_name.includes("/")),
  );
  const titles = { truth: "true gates", predicted: "predicted gates", end_to_end: "end to end" } as const;
  const head = [options.title ?? split, titles[gates], "95 %", "n"];
  const body = [...new Set(own.map((row) => row.task_path))].flatMap((path) => [
    [{ content: path, colSpan: head.length }],
    ...own
      .filter((row) => row.task_path === path)
      .map((row) => [
        `  ${row.metric_name}`,
        ...[formatMetric(row.metric_res), formatInterval(row.interval), String(row.num_samples)],
      ]),
  ]);
  return [drawTable(head, body, [1, 2, 3]), INTERVAL_NOTE].join("\n");
}

/** `camera=front, hour=night`. */
export function sliceName(slice: Readonly<Record<string, string>>): string {
  return Object.entries(slice)
    .map(([column, value]) => `${column}=${value}`)
    .map(cellText)
    .join(", ");
}

/** Under each task and metric one row per slice. */
export function sliceTable(rows: readonly SlicedRow[], by: readonly (readonly string[])[], title: string): string {
  const head = [title, "value", "95 %", "n"];
  const keyOf = ({ task_path, metric_name }: EvaluationRow): string => `${task_path} ${metric_name}`;
  const body = [...new Set(rows.map(keyOf))].flatMap((key) => [
    [{ content: key, colSpan: head.length }],
    ...rows
      .filter((row) => keyOf(row) === key)
      .map((row) => [
        `  ${sliceName(row.slice)}`,
        ...[formatMetric(row.metric_res), formatInterval(row.interval), String(row.num_samples)],
      ]),
  ]);
  if (rows.length === 0) return `No slices: every cell of ${by.flat().join(", ")} is empty.`;
  return [drawTable(head, body, [1, 2, 3]), INTERVAL_NOTE].join("\n");
}

interface WorstSlice {
  readonly task_path: string;
  readonly slice: Readonly<Record<string, string>>;
  readonly measure: string;
  readonly n: number;
  readonly value: number;
  readonly rest: number;
  readonly p_holm: number;
}

/** The slices that are worse than the rest, as `worstSlices` orders them. @param tested how many were looked at */
export function worstTable(slices: readonly WorstSlice[], tested: number): string {
  if (tested === 0) {
    return fill(`No slice was tested: each, and the rest beside it, takes ${FEWEST_ROWS} rows that count for a task.`);
  }
  if (slices.length === 0) return `None of ${tested} slices is worse than the rest.`;
  const head = ["worst slice", "task", "value", "rest", "n", "p (Holm)"];
  const body = slices.map(({ slice, task_path, measure, n, value, rest, p_holm }) => [
    Object.entries(slice)
      .map(([column, own]) => cellText(`${column}=${own}`))
      .join("\n"),
    `${task_path.split(".").at(-1)}\n${measure}`,
    ...[formatMetric(value), formatMetric(rest), String(n), p_holm < 0.0001 ? "<.0001" : p_holm.toFixed(4)],
  ]);
  const certain = slices.filter(({ p_holm }) => p_holm < 0.05).length;
  const counts = `${tested} slices of one column or two were tested; of those shown ${certain} ${certain === 1 ? "is" : "are"} worse than the rest beyond chance (p < 0.05, adjusted for all of them by Holm's method).`;
  return [drawTable(head, body, [2, 3, 4, 5]), fill(counts)].join("\n");
}
