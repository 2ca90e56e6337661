/** @file Evaluation frames and curves of runs as one table: CSV, JSON, JSON lines or Parquet. */
import { renameSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import type { Cell, CellType } from "../data/tables/table-writer.js";
import { UsageError } from "../errors.js";
import type { RunRecord } from "../storage/run-record.js";
import type { RunStore } from "../storage/run-store.js";

export const TABLE_FORMATS = ["csv", "json", "jsonl", "parquet"] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];
/** `evaluation`: the metrics of the best checkpoint; `curves`: those of every epoch, and the load of the machine. */
export const MEASUREMENTS = ["evaluation", "curves"] as const;
export type Measurements = (typeof MEASUREMENTS)[number];

interface Column {
  readonly name: string;
  readonly type: CellType;
}

export interface MetricsTable {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

const RUN: readonly Column[] = [
  { name: "run_id", type: "VARCHAR" },
  { name: "run_name", type: "VARCHAR" },
];
const COLUMNS: Readonly<Record<Measurements, readonly Column[]>> = {
  evaluation: [
    ...RUN,
    { name: "split", type: "VARCHAR" },
    { name: "gates", type: "VARCHAR" },
    { name: "task_path", type: "VARCHAR" },
    { name: "metric_name", type: "VARCHAR" },
    { name: "metric_res", type: "DOUBLE" },
    { name: "num_samples", type: "INTEGER" },
    { name: "baseline", type: "DOUBLE" },
  ],
  curves: [
    ...RUN,
    { name: "split", type: "VARCHAR" },
    { name: "task_path", type: "VARCHAR" },
    { name: "metric_name", type: "VARCHAR" },
    { name: "step", type: "INTEGER" },
    { name: "epoch", type: "INTEGER" },
    { name: "value", type: "DOUBLE" },
    { name: "wall_time", type: "DOUBLE" },
  ],
};

/** One row per metric and run. */
export function metricsTable(store: RunStore, references: readonly string[], what: Measurements): MetricsTable {
  const runs = references.map((reference) => store.findRun(reference));
  return { columns: COLUMNS[what], rows: runs.flatMap((run) => rowsOf[what](store, run)) };
}

const rowsOf: { readonly [M in Measurements]: (store: RunStore, run: RunRecord) => Cell[][] } = {
  evaluation: (store, { id, name }) =>
    store
      .readEvaluation(id)
      .map((row) => [
        ...[id, name, row.split, row.gates, row.task_path, row.metric_name],
        ...[row.metric_res, row.num_samples, row.baseline ?? null],
      ]),
  curves: (store, { id, name }) =>
    store
      .readMetrics(id)
      .map((point) => [
        ...[id, name, point.split, point.taskPath, point.metricName],
        ...[point.step, point.epoch, point.value, point.wallTime],
      ]),
};

/** The format that a file's ending names. @throws UsageError for another ending */
export function formatOf(file: string): TableFormat {
  const format = TABLE_FORMATS.find((known) => `.${known}` === extname(file).toLowerCase());
  if (format !== undefined) return format;
  throw new UsageError(`${file} has no ending that names a format: ${TABLE_FORMATS.map((f) => `.${f}`).join(", ")}.`, {
    file,
  });
}

/** Writes the table to a file that appears complete or not at all. */
export async function writeMetrics(file: string, { columns, rows }: MetricsTable): Promise<void> {
  if (formatOf(file) !== "json") {
    const { writeTable } = await import("../data/tables/table-writer.js");
    await writeTable(file, columns, rows);
    return;
  }
  const writing = `${file}.writing-${process.pid}`;
  writeFileSync(writing, toText({ columns, rows }, "json"));
  renameSync(writing, file);
}

/** The table as text. Numbers that JSON does not know are null there, and words (NaN, Infinity) in CSV. */
export function toText({ columns, rows }: MetricsTable, format: Exclude<TableFormat, "parquet">): string {
  const names = columns.map(({ name }) => name);
  const objects = (): Record<string, Cell>[] =>
    rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i] ?? null])));
  switch (format) {
    case "csv":
      return [names, ...rows].map((row) => `${row.map(csvCell).join(",")}\n`).join("");
    case "json":
      return `${JSON.stringify(objects(), null, 1)}\n`;
    case "jsonl":
      return objects()
        .map((row) => `${JSON.stringify(row)}\n`)
        .join("");
    default:
      return format satisfies never;
  }
}

/** RFC 4180; an empty cell is a missing one. */
export function csvCell(cell: Cell): string {
  const text = cell === null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
