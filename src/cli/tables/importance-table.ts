/** @file What columns are worth to tasks, as a table for the terminal. */
import type { Importance } from "../../analysis/importance/importance.js";
import { cellText } from "../text.js";
import { drawTable, formatMetric } from "./tables.js";

/** Under each task and its metric the columns, the most important first. @param top columns shown of each task */
export function importanceTable(importance: readonly Importance[], split: string, top: number): string {
  const head = [split, "worse by", "s. e."];
  const body = [...new Set(importance.map(({ task_path }) => task_path))].flatMap((path) => {
    const own = importance.filter(({ task_path }) => task_path === path);
    const [first] = own;
    if (first === undefined) return [];
    const more = own.length - Math.min(top, own.length);
    const title = `${path}\n  ${first.metric_name} ${formatMetric(first.score)} of ${first.num_samples}`;
    return [
      [{ content: cellLines(title), colSpan: head.length }],
      ...own.slice(0, top).map(({ columns, importance: drop, standard_error }) => {
        return [`    ${columns.map(cellText).join(", ")}`, formatMetric(drop), formatMetric(standard_error)];
      }),
      ...(more > 0 ? [[{ content: `    … and ${more} more (--top, --json)`, colSpan: head.length }]] : []),
    ];
  });
  return drawTable(head, body, [1, 2]);
}

/** A title whose lines are kept. */
function cellLines(text: string): string {
  return text.split("\n").map(cellText).join("\n");
}
