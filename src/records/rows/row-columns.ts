/** @file The columns of a run's rows, kept beside its predictions, so that slices of them need no table. */
import { existsSync } from "node:fs";
import { f64At, i32At } from "../../arrays.js";
import type { DatasetColumn, RowColumn } from "../../data/tables/row-columns.js";
import { quoted } from "../../data/tables/sql.js";
import { type StreamedPart, writeStreamed } from "../../data/tables/table-streams.js";
import { parquetColumns, readParquet } from "../../data/tables/table-writer.js";
import type { Split } from "../../tasks/evaluation.js";
import { type TextColumn, textColumn } from "../predictions/text-columns.js";
import { runFiles } from "../run-folder.js";

/** Stands before the name of each column, so that none is taken for the number of the row. */
const PREFIX = "c:";

/** Writes the columns of one split. @param rows of the dataset, in the order of the split */
export async function writeRowColumns(
  file: string,
  columns: readonly (DatasetColumn | RowColumn)[],
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<void> {
  const types = columns.map(({ name, kind }) => ({
    name: `${PREFIX}${name}`,
    type: kind === "text" ? ("VARCHAR" as const) : ("DOUBLE" as const),
  }));
  const filled = columns.map((column, i) => streamed(`column_${i}`, column, rows));
  const part: StreamedPart = {
    rows: rows.length,
    columns: [{ name: "row", type: "INTEGER" }, ...filled.flatMap((one) => one.columns)],
    select: [`"row"`, ...filled.map(({ expression }) => expression)],
    fill(block, from) {
      const numbers = block.integers("row");
      for (let i = 0; i < numbers.length; i++) numbers[i] = from + i;
      for (const one of filled) one.fill(block, (i) => from + i);
    },
  };
  await writeStreamed(file, [{ name: "row", type: "INTEGER" }, ...types], [part], { numbersPerRow: 0, signal });
}

function streamed(name: string, column: DatasetColumn | RowColumn, rows: Int32Array): TextColumn {
  if (column.kind === "text") {
    const codeOf = (entry: number) => i32At(column.codes, i32At(rows, entry));
    return textColumn(name, rows.length, (entry) => column.values[codeOf(entry)] ?? null, null, codeOf);
  }
  const numberAt = column.kind === "cells" ? column.numberAt : (row: number) => f64At(column.numbers, row);
  return {
    columns: [{ name, type: "DOUBLE" }],
    expression: `nullif(${name}, 'nan'::DOUBLE)`,
    fill(block, placeOf) {
      const doubles = block.doubles(name);
      for (let i = 0; i < doubles.length; i++) doubles[i] = numberAt(i32At(rows, placeOf(i)));
    },
  };
}

/**
 * Columns of a split's rows, in its order.
 * @param names of those that are read; default: all
 * @returns none where the run keeps none, as those of earlier releases
 * @throws StoreError where the file is damaged
 */
export async function readRowColumns(dir: string, split: Split, names?: readonly string[]): Promise<RowColumn[]> {
  const file = runFiles(dir).columns(split);
  if (!existsSync(file)) return [];
  const known = await columnsIn(file);
  const wanted = known.filter(({ name }) => names === undefined || names.includes(name));
  if (wanted.length === 0) return [];
  const cells = await readParquet(
    file,
    wanted.map(({ name }) => quoted(`${PREFIX}${name}`, '"')),
    '"row"',
  );
  return wanted.map(({ name, isNumber }, i): RowColumn => {
    const own = cells[i] ?? [];
    if (isNumber)
      return { kind: "number", name, numbers: Float64Array.from(own, (cell) => Number(cell ?? Number.NaN)) };
    const places = new Map<string, number>();
    const codes = Int32Array.from(own, (cell) => {
      if (cell === null) return -1;
      const place = places.get(String(cell)) ?? places.size;
      places.set(String(cell), place);
      return place;
    });
    return { kind: "text", name, values: [...places.keys()], codes };
  });
}

async function columnsIn(file: string): Promise<{ readonly name: string; readonly isNumber: boolean }[]> {
  const columns = await parquetColumns(file);
  return columns.flatMap(({ name, type }) =>
    name.startsWith(PREFIX) ? [{ name: name.slice(PREFIX.length), isNumber: type === "DOUBLE" }] : [],
  );
}
