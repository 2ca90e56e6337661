/** @file An exported model beside its run, metric by metric. */
import type { EvaluatedGates } from "../../tasks/evaluation.js";
import { drawTable, formatMetric, groupByFlow } from "./tables.js";

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
  const body = groupByFlow(
    shown.map(({ task_path: path, metric_name, run, exported, difference }) => ({
      path,
      cells: [metric_name, formatMetric(run), formatMetric(exported), formatDifference(difference)],
    })),
  );
  return drawTable([split, "metric", "run", "export", "difference"], body, [2, 3, 4]);
}

/** With its sign, of which a number that rounds to nothing has none. */
function formatDifference(value: number | null): string {
  const text = formatMetric(value);
  if (value === null || text === "–") return text;
  if (Number(text) === 0) return text.replace("-", "");
  return value > 0 ? `+${text}` : text;
}
