/** @file An exported model beside its run, metric by metric. */
import type { EvaluatedGates } from "../../tasks/evaluation.js";
import { drawTable, formatMetric } from "./tables.js";

interface MeasuredRow {
  readonly task_path: string;
  readonly metric_name: string;
  readonly gates: EvaluatedGates;
  readonly headline: boolean;
  readonly run: number | null;
  readonly exported: number | null;
  readonly difference: number | null;
}

/** The first metric of each task, with true gates. */
export function measuredTable(rows: readonly MeasuredRow[], split: string): string {
  const shown = rows.filter(({ gates, headline }) => headline && gates === "truth");
  const head = [split, "run", "export", "difference"];
  const body = shown.flatMap(({ task_path, metric_name, run, exported, difference }) => [
    [{ content: task_path, colSpan: head.length }],
    [`  ${metric_name}`, formatMetric(run), formatMetric(exported), formatDifference(difference)],
  ]);
  return drawTable(head, body, [1, 2, 3]);
}

/** With its sign, of which a number that rounds to nothing has none. */
function formatDifference(value: number | null): string {
  const text = formatMetric(value);
  if (value === null || text === "–") return text;
  if (Number(text) === 0) return text.replace("-", "");
  return value > 0 ? `+${text}` : text;
}
