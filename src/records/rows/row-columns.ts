/** @file The columns of a run's rows, kept beside its predictions, so that slices of them need no table. */
import { existsSync } from "node:fs";
import { type RowColumn, selectRows } from "../../data/tables/row-columns.js";
import { quoted } from "../../data/tables/sql.js";
import { type Cell, parquetColumns, readParquet, writeTable } from "../../data/tables/table-writer.js";
import type { Split } from "../../tasks/evaluation.js";
import { runFiles } from "../run-folder.js";

/** Stands before the name of each column, so that none is taken for the number of the row. */
const PREFIX = "c:";

/** Writes the columns of one split. @param rows of the dataset, in the order of the split */
export async function writeRowColumns(
  file: string,
  columns: readonly RowColumn[],
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<void> {
  const selected = columns.map((column) => selectRows(column, rows));
  const types = selected.map(({ name, kind }) => ({
    name: `${PREFIX}${name}`,
    type: kind === "number" ? ("DOUBLE" as const) : ("VARCHAR" as const),
  }));
  const cells = (row: number): Cell[] => [row, ...selected.map((column) => cellAt(column, row))];
  await writeTable(
    file,
    [{ name: "row", type: "INTEGER" }, ...types],
    (function* () {
      for (let row = 0; row < rows.length; row++) yield cells(row);
    })(),
    signal,
  );
}

function cellAt(column: RowColumn, row: number): Cell {
  if (column.kind === "text") return column.values[column.codes[row] ?? -1] ?? null;
  const number = column.numbers[row] ?? Number.NaN;
  return Number.isNaN(number) ? null : number;
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
