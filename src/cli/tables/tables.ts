/** @file Results as tables for the terminal. */
import { createRequire } from "node:module";
import type TableConstructor from "cli-table3";
import type { BaselineRow } from "../../analysis/baselines.js";
import {
  EVALUATED_GATES,
  type EvaluationRow,
  type EvaluatedGates,
  type GroupEvaluationRow,
  type Split,
} from "../../tasks/evaluation.js";
import { printable } from "../../platform/printable.js";
import { clip, displayWidth } from "./display-width.js";
import {
  layOut,
  shownCells,
  spannedWidth,
  type TableCell,
  type TableRow,
  tableColumns,
  TERMINAL,
} from "./table-layout.js";
import { wrapText } from "./wrap.js";

// a blank on either side of a text
const BLANKS = 2;

// loaded when a table is drawn: most commands start without it
const Table = (): typeof TableConstructor => createRequire(import.meta.url)("cli-table3") as typeof TableConstructor;

/** Whether to colour: a terminal that wants it (no-color.org). */
export function useColour(): boolean {
  return process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "";
}

/** Longer than a setting, a note or a query that anybody reads in a table. */
const LONGEST_CELL = 4000;

/** What a cell shows: nothing that a terminal obeys, before columns are laid out by what is in them. */
function shownCell(text: string): string {
  const plain = printable(text).replaceAll("\t", "\\t");
  return plain.length <= LONGEST_CELL ? plain : `${plain.slice(0, LONGEST_CELL - 1)}…`;
}

export interface TableOptions {
  /** Columns to fit into; default: those of the terminal, 80 where there is none. */
  readonly width?: number;
  /** So many first columns name the rows and are never left out; default 1. */
  readonly labels?: number;
  /** Columns that texts are wrapped to before columns are left out; default 24. */
  readonly narrowest?: number;
}

/**
 * A table that is no wider than the terminal: its longest texts are wrapped, then its last columns are left out, which a
 * line below it says.
 * @param numeric columns to align right
 */
export function drawTable(
  head: readonly string[],
  rows: readonly TableRow[],
  numeric: readonly number[] = [],
  { width = tableColumns(), labels = 1, narrowest }: TableOptions = {},
): string {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) =>
      typeof cell === "string" ? shownCell(cell) : { content: shownCell(cell.content), colSpan: cell.colSpan },
    ),
  );
  const widths = layOut(cells, { numeric, labels, room: width, narrowest });
  const table = drawn(cells, widths, numeric);
  const left = head.slice(widths.length);
  return left.length === 0 ? table : `${table}\n${leftOut(left, width)}`;
}

// the library takes a time that is quadratic in the rows of a table
const BLOCK_ROWS = 50;

function drawn(
  [head = [], ...rows]: readonly TableRow[],
  widths: readonly number[],
  numeric: readonly number[],
): string {
  const Constructor = Table();
  const colours = useColour() ? { head: ["bold"], border: ["grey"] } : { head: [], border: [] };
  const options = {
    colWidths: widths.map((columns) => columns + BLANKS),
    colAligns: widths.map((_, column) => (numeric.includes(column) ? ("right" as const) : ("left" as const))),
    style: { ...colours, compact: true },
  };
  const lines = rows.flatMap((row) => wrappedRow(row, widths));
  const blocks: string[][] = [];
  for (let start = 0; start === 0 || start < lines.length; start += BLOCK_ROWS) {
    const titles = start > 0 ? {} : { head: linesOf(head, widths).map(({ lines: own }) => own.join("\n")) };
    const table = new Constructor({ ...options, ...titles });
    table.push(...lines.slice(start, start + BLOCK_ROWS));
    blocks.push(table.toString().split("\n"));
  }
  // a block that goes on has no line above it, and one that is gone on with none below
  const last = blocks.length - 1;
  return blocks.flatMap((block, i) => block.slice(i === 0 ? 0 : 1, i === last ? undefined : -1)).join("\n");
}

/** The columns of a row that are shown, the text of each in lines that fit. */
function linesOf(row: TableRow, widths: readonly number[]): { lines: string[]; span: number }[] {
  let column = 0;
  return shownCells(row, widths.length).map((cell) => {
    const [text, span] = typeof cell === "string" ? [cell, 1] : [cell.content, cell.colSpan];
    const room = spannedWidth(widths, column, column + span);
    column += span;
    return { lines: wrapText(text, room), span };
  });
}

/** A row of the table for each line: the library takes a time that is quadratic in the lines of a cell, too. */
function wrappedRow(row: TableRow, widths: readonly number[]): TableCell[][] {
  const cells = linesOf(row, widths);
  const height = Math.max(1, ...cells.map(({ lines }) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells.map(({ lines, span }): TableCell => {
      const text = lines[line] ?? "";
      return span === 1 ? text : { content: text, colSpan: span };
    }),
  );
}

function leftOut(titles: readonly string[], width: number): string {
  const names = titles.map((title) => shownCell(title).replaceAll("\n", " ")).join(", ");
  const [start, end] = [`… ${titles.length} more column${titles.length === 1 ? "" : "s"}: `, " (--wide)"];
  return `${start}${clip(names, Math.max(8, width - start.length - end.length))}${end}`;
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

/** Behind a baseline that the network does not beat. */
const UNBEATEN = " !";

/**
 * Under each task's path one row per metric of a split, with the kinds of gates side by side and, where there are any,
 * the values of constant answers. No wider than the terminal: where it would be, predicted gates are left out.
 * @param options.labels also the metrics of single labels
 * @param options.title what the rows are called; default: as their split
 */
export function evaluationTable(
  rows: readonly EvaluationRow[],
  split: Split,
  options: { readonly labels?: boolean; readonly title?: string } = {},
): string {
  const own = rows.filter((row) => row.split === split && (options.labels === true || !row.metric_name.includes("/")));
  const all = EVALUATED_GATES.filter((gates) => own.some((row) => row.gates === gates));
  const title = options.title ?? split;
  const wide = tableOf(own, title, all);
  const room = Math.max(TERMINAL, tableColumns());
  const isWide = all.length === EVALUATED_GATES.length && displayWidth(wide.split("\n")[0] ?? "") > room;
  const table = isWide ? tableOf(own, title, ["truth", "end_to_end"]) : wide;
  return [
    table,
    ...(own.some((row) => row.gates === all[0] && row.beats_baseline === false)
      ? ["!: no better than a constant answer learnt on train: majority, median or share"]
      : []),
    ...(isWide ? ["predicted gates: cool evaluate --gates predicted"] : []),
  ].join("\n");
}

/** The rows of one split with these kinds of gates side by side. */
function tableOf(own: readonly EvaluationRow[], title: string, kinds: readonly EvaluationRow["gates"][]): string {
  const [first = "truth"] = kinds;
  const hasBaselines = own.some((row) => row.gates === first && row.baseline !== undefined);
  const cells = (row: EvaluationRow | undefined): string[] =>
    row === undefined ? ["", ""] : [formatMetric(row.metric_res), String(row.num_samples)];
  const baseline = (row: EvaluationRow | undefined): string[] => {
    if (!hasBaselines) return [];
    if (row?.baseline === undefined) return [""];
    return [`${formatMetric(row.baseline)}${row.beats_baseline === false ? UNBEATEN : "  "}`];
  };
  const titles = { truth: "true\ngates", predicted: "pred.\ngates", end_to_end: "end to\nend" } as const;
  const head = [
    title,
    ...kinds.flatMap((gates) => [titles[gates], "n", ...(gates === first && hasBaselines ? ["constant"] : [])]),
  ];
  const body = [...new Set(own.map((row) => row.task_path))].flatMap((path): TableRow[] => {
    const ofTask = own.filter((row) => row.task_path === path);
    const metrics = [...new Set(ofTask.map((row) => row.metric_name))].map((metric): TableRow => {
      const found = (gates: EvaluationRow["gates"]) =>
        ofTask.find((row) => row.metric_name === metric && row.gates === gates);
      return [
        `  ${metric}`,
        ...kinds.flatMap((gates) => [...cells(found(gates)), ...(gates === first ? baseline(found(gates)) : [])]),
      ];
    });
    return [[{ content: path, colSpan: head.length }], ...metrics];
  });
  return drawTable(head, body, [1, 2, 3, 4, 5, 6, 7], { width: Number.POSITIVE_INFINITY });
}

/**
 * What a group of runs comes to, under each task's path one row per metric: mean ± deviation over the runs, then on valid
 * all out-of-fold answers, on test the ensemble.
 * @param options.labels also the metrics of single labels
 * @param options.gates default: true gates
 */
export function groupTable(
  rows: readonly GroupEvaluationRow[],
  split: Split,
  { labels = false, gates = "truth" }: { readonly labels?: boolean; readonly gates?: EvaluatedGates | undefined } = {},
): string {
  const own = rows.filter(
    (row) => row.split === split && row.gates === gates && (labels || !row.metric_name.includes("/")),
  );
  const together = split === "test" ? "ensem-\nble" : "pooled";
  const head = [split, "mean", "±", together, "n", "constant"];
  const body = [...new Set(own.map((row) => row.task_path))].flatMap((path): TableRow[] => [
    [{ content: path, colSpan: head.length }],
    ...own
      .filter((row) => row.task_path === path)
      .map((row): TableRow => {
        const mark = row.beats_baseline === false ? UNBEATEN : "  ";
        return [
          `  ${row.metric_name}`,
          ...[narrow(row.mean), formatDeviation(row.deviation), narrow(row.metric_res)],
          String(row.num_samples),
          row.baseline === undefined ? "" : `${narrow(row.baseline)}${mark}`,
        ];
      }),
  ]);
  return drawTable(head, body, [1, 2, 3, 4, 5]);
}

/** Two digits say enough of a spread. */
function formatDeviation(value: number | null): string {
  if (value === null) return "–";
  if (value > 0 && value < 0.0005) return "<.001";
  if (value < 0.01) return value.toFixed(3);
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

/** A metric in six characters. */
function narrow(value: number | null): string {
  return value !== null && Math.abs(value) >= 10 ? value.toPrecision(5) : formatMetric(value);
}

/** What constant answers come to on valid and test, under each task's path one row per metric. */
export function baselineTable(rows: readonly BaselineRow[]): string {
  const splits = (["valid", "test"] as const).filter((split) => rows.some((row) => row.split === split));
  const shown = rows.filter((row) => !row.metric_name.includes("/"));
  const head = ["constant answer", ...splits.flatMap((split) => [split, "n"])];
  const body = [...new Set(shown.map((row) => row.task_path))].flatMap((path): TableRow[] => {
    const ofTask = shown.filter((row) => row.task_path === path);
    const metrics = [...new Set(ofTask.map((row) => row.metric_name))].map((metric): TableRow => {
      const values = splits.flatMap((split) => {
        const found = ofTask.find((row) => row.metric_name === metric && row.split === split);
        return found === undefined ? ["", ""] : [formatMetric(found.baseline), String(found.num_samples)];
      });
      return [`  ${metric}`, ...values];
    });
    return [[{ content: path, colSpan: head.length }], ...metrics];
  });
  return drawTable(head, body, [1, 2, 3, 4]);
}

/** The split that users care about most, of those that there are. */
export function bestSplit(rows: readonly EvaluationRow[]): Split | undefined {
  return (["test", "valid", "train"] as const).find((split) => rows.some((row) => row.split === split));
}
