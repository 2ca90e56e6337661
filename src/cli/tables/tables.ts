/** @file Results as tables for the terminal. */
import { createRequire } from "node:module";
import type TableConstructor from "cli-table3";
import type { EvaluationRow, Split } from "../../tasks/evaluation.js";

// loaded when a table is drawn: most commands start without it
const Table = (): typeof TableConstructor => createRequire(import.meta.url)("cli-table3") as typeof TableConstructor;

/** Whether to colour: a terminal that wants it (no-color.org). */
export function useColour(): boolean {
  return process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "";
}

/** @param numeric columns to align right */
export function drawTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[] = [],
): string {
  const Constructor = Table();
  const table = new Constructor({
    head: [...head],
    colAligns: head.map((_, i) => (numeric.includes(i) ? "right" : "left")),
    style: useColour() ? { head: ["bold"], border: ["grey"], compact: true } : { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** A metric with four decimals; `–` where it is undefined. */
export function formatMetric(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "–";
  return Math.abs(value) >= 1000 ? value.toPrecision(5) : value.toFixed(4);
}

/**
 * Rows under their tasks' paths. A nested path is split into a line for its flow and indented names below it, so that
 * the table fits a terminal.
 */
export function groupByFlow(rows: readonly { readonly path: string; readonly cells: readonly string[] }[]): string[][] {
  let [flow, task] = ["", ""];
  return rows.flatMap(({ path, cells }) => {
    const at = path.lastIndexOf(".");
    const [own, name] = [path.slice(0, Math.max(0, at)), path.slice(at + 1)];
    const header = own !== flow && own !== "" ? [[own, ...cells.map(() => "")]] : [];
    const shown = path === task ? "" : `${own === "" ? "" : "  "}${name}`;
    [flow, task] = [own, path];
    return [...header, [shown, ...cells]];
  });
}

/**
 * One row per task and metric of a split, with both kinds of gates side by side.
 * @param options.labels also the metrics of single labels
 */
export function evaluationTable(
  rows: readonly EvaluationRow[],
  split: Split,
  options: { readonly labels?: boolean } = {},
): string {
  const own = rows.filter((row) => row.split === split && (options.labels === true || !row.metric_name.includes("/")));
  const byKey = new Map<string, Partial<Record<EvaluationRow["gates"], EvaluationRow>>>();
  for (const row of own) {
    const key = `${row.task_path}\n${row.metric_name}`;
    byKey.set(key, { ...byKey.get(key), [row.gates]: row });
  }
  const kinds = (["truth", "predicted"] as const).filter((gates) => own.some((row) => row.gates === gates));
  const cells = (row: EvaluationRow | undefined): string[] =>
    row === undefined ? ["", ""] : [formatMetric(row.metric_res), String(row.num_samples)];
  const body = groupByFlow(
    [...byKey].map(([key, pair]) => {
      const [path = "", metric = ""] = key.split("\n");
      return { path, cells: [metric, ...kinds.flatMap((gates) => cells(pair[gates]))] };
    }),
  );
  const titles = { truth: "true gates", predicted: "predicted gates" } as const;
  const head = [`task (${split})`, "metric", ...kinds.flatMap((gates) => [titles[gates], "n"])];
  return drawTable(head, body, [2, 3, 4, 5]);
}

/** The split that users care about most, of those that there are. */
export function bestSplit(rows: readonly EvaluationRow[]): Split | undefined {
  return (["test", "valid", "train"] as const).find((split) => rows.some((row) => row.split === split));
}
