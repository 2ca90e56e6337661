/** @file Tables in Markdown, as TensorBoard's Text page shows them. */
import type { EvaluationRow } from "../tasks/evaluation.js";

/** A table; cells are shown as they are, whatever characters they hold. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(" | ")} |`;
  return [row(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(row)].join("\n");
}

function escapeCell(text: string): string {
  return text.replaceAll(/[\\|*_`<>[\]]/g, "\\$&").replaceAll(/\s*\n\s*/g, " ");
}

/** One row per setting. */
export function configMarkdown(config: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return markdownTable(["setting", "value"], rows);
}

const HEAD = ["task", "metric", "true gates", "n", "constant", "predicted gates", "n", "constant", "end to end", "n"];

/**
 * One table per split: a row per task and metric, true and predicted gates side by side, each with the value of a
 * constant answer, marked where it is not beaten.
 */
export function evaluationMarkdown(rows: readonly EvaluationRow[]): string {
  const splits = [...new Set(rows.map(({ split }) => split))];
  return splits
    .map((split) => {
      const own = rows.filter((row) => row.split === split);
      const keys = [...new Map(own.map((row) => [`${row.task_path}\n${row.metric_name}`, row])).values()];
      const cell = (wanted: EvaluationRow, gates: EvaluationRow["gates"]): string[] => {
        const found = own.find(
          (row) => row.gates === gates && row.task_path === wanted.task_path && row.metric_name === wanted.metric_name,
        );
        if (found === undefined) return ["", "", ""];
        const baseline = found.baseline?.toFixed(4) ?? "";
        return [
          found.metric_res?.toFixed(4) ?? "–",
          String(found.num_samples),
          found.beats_baseline === false ? `${baseline} !` : baseline,
        ];
      };
      const body = keys.map((row) => [
        row.task_path,
        row.metric_name,
        ...cell(row, "truth"),
        ...cell(row, "predicted"),
        ...cell(row, "end_to_end").slice(0, 2),
      ]);
      return `### ${split}\n\n${markdownTable(HEAD, body)}`;
    })
    .join("\n\n");
}
