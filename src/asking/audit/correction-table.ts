/** @file A table of corrections: what audits and labelling tools say of single cells, read, checked and applied. */
import type { Cells } from "../../data/tables/cells.js";
import { resolve } from "node:path";
import { at } from "../../arrays.js";
import {
  assertCorrectable,
  type CellCorrection,
  correctedName,
  writeCorrected,
} from "../../data/tables/corrections.js";
import { isQuery } from "../../data/tables/sql.js";
import { columnOf, readTable, type Table } from "../../data/tables/table.js";
import { DataError, nearestNames, UsageError } from "../../errors.js";
import type { FlowGraph, TaskNode } from "../../flow/graph.js";
import { cellProblem } from "./cell-writer.js";
import { cellText, fileOf, hasCells, labelColumnsAt, type LabelTable } from "./label-table.js";

/** What one cell shall say instead of what it says. */
export interface WantedCell {
  /** As the settings name it. */
  readonly table: string;
  /** From 1, not counting the header. */
  readonly row: number;
  readonly column: string;
  /** What stands there; null where nobody says, so that it is not compared. */
  readonly label: string | null;
  readonly corrected: string;
}

/** A correction that was not made, and why. */
export interface RefusedCell extends Omit<WantedCell, "label"> {
  readonly reason: string;
}

export interface AppliedCorrections {
  /** New files, each beside the table that it is a copy of. */
  readonly tables: readonly { readonly table: string; readonly written: string; readonly cells: number }[];
  readonly refused: readonly RefusedCell[];
}

/**
 * Reads corrections: columns `row`, `column` and `corrected`, with `table` where there are several, and `label`, which is
 * what the cell said when the correction was made. Other columns are for people.
 * @throws DataError where it is no such table
 */
export async function readCorrections(file: string, tables: LabelTable): Promise<WantedCell[]> {
  const corrections = await readTable(resolve(file), { projectDir: process.cwd() });
  const column = (name: string): Cells => columnOf(corrections, name, "corrections");
  const [rows, columns, corrected] = [column("row"), column("column"), column("corrected")];
  const labels = corrections.columns.get("label");
  const known = tables.sources.map(({ table }) => table);
  const named = known.length === 1 ? corrections.columns.get("table") : column("table");
  return rows.map((cell, i): WantedCell => {
    const row = Number(cell);
    if (cell === null || !Number.isInteger(row) || row < 1) throw badPlace(corrections, i, "row", cell, "is no row");
    const table = cellText(named?.at(i)) || at(known, 0);
    if (!known.includes(table)) {
      const [near] = nearestNames(table, known);
      throw badPlace(
        corrections,
        i,
        "table",
        table,
        `is no table of the run${near === undefined ? "" : `; did you mean "${near}"?`}`,
      );
    }
    const label = labels === undefined ? null : cellText(labels.at(i));
    return { table, row, column: cellText(columns.at(i)), label, corrected: cellText(corrected.at(i)) };
  });
}

function badPlace({ file }: Table, row: number, column: string, cell: unknown, problem: string): DataError {
  const text = JSON.stringify(cellText(cell));
  return new DataError(`${file}, row ${row + 1}, column "${column}": ${text} ${problem}. Correct it.`, {
    file,
    row: row + 1,
    column,
  });
}

/**
 * Writes each table that has corrections anew, beside the old one.
 * @throws UsageError where nothing can be applied, DataError
 */
export async function applyCorrections(
  graph: FlowGraph,
  tables: LabelTable,
  wanted: readonly WantedCell[],
): Promise<AppliedCorrections> {
  const changed = wanted.filter(({ label, corrected }) => label === null || label !== corrected);
  const refused: RefusedCell[] = [];
  const written: { table: string; written: string; cells: number }[] = [];
  for (const [index, { table }] of tables.sources.entries()) {
    const own = changed.filter((one) => one.table === table);
    if (own.length === 0) continue;
    const first = at(tables.joined.firstRows, index);
    const rows = at(tables.joined.tables, index).rows;
    const possible = checkCells(graph, tables, own, { first, rows }, refused);
    if (possible.length === 0) continue;
    if (isQuery(table)) {
      throw new UsageError("A table that is a SQL query cannot be corrected. Correct the files that it reads.", {
        table,
      });
    }
    const file = fileOf(tables, table);
    assertCorrectable(file);
    const out = correctedName(file);
    const corrections = possible.map(({ row, column, corrected }): CellCorrection => {
      return { row: row - 1, column, text: corrected };
    });
    const failed = await writeCorrected(file, out, corrections);
    for (const { row, column, text, reason } of failed) {
      refused.push({ table, row: row + 1, column, corrected: text, reason });
    }
    written.push({ table, written: out, cells: possible.length - failed.length });
  }
  if (written.length === 0) {
    const [one] = refused;
    const why = one === undefined ? "no cell is to be changed" : `${placeOf(one)}: ${one.reason}`;
    throw new UsageError(
      `Nothing was applied: ${why}${refused.length > 1 ? `; and ${refused.length - 1} more` : ""}.`,
      {
        refused,
      },
    );
  }
  return { tables: written, refused };
}

/** A cell in words. */
export function placeOf({ table, row, column }: Pick<RefusedCell, "table" | "row" | "column">): string {
  const file = isQuery(table) ? "the SQL query" : table;
  return `${file}, row ${row}, column "${column}"`;
}

/** The cells that can be changed; the others are refused. */
function checkCells(
  graph: FlowGraph,
  tables: LabelTable,
  wanted: readonly WantedCell[],
  { first, rows }: { readonly first: number; readonly rows: number },
  refused: RefusedCell[],
): WantedCell[] {
  const perCell = new Map(wanted.map((one) => [`${one.row} ${one.column}`, one]));
  return wanted.filter((one) => {
    const reason = problemOf(one);
    if (reason === null) return true;
    const { label: _, ...place } = one;
    refused.push({ ...place, reason });
    return false;
  });

  function problemOf(one: WantedCell): string | null {
    const { row, column, label, corrected } = one;
    if (row > rows) return `the table has ${rows} rows`;
    const tasks = graph.tasks.filter(hasCells).map((task): readonly [TaskNode, ReturnType<typeof labelColumnsAt>] => {
      return [task, labelColumnsAt(tables, task, first + row - 1)];
    });
    const found = tasks.find(([, columns]) => columns.some((own) => own.column === column));
    if (found === undefined) {
      const [near] = nearestNames(
        column,
        tasks.flatMap(([, columns]) => columns.map((own) => own.column)),
      );
      return `it holds no labels${near === undefined ? "" : `; did you mean "${near}"?`}`;
    }
    if (perCell.get(`${row} ${column}`) !== one) return "the cell is corrected twice";
    const [task, columns] = found;
    const cells = columns.map((own) => {
      const now = cellText(own.cells.at(own.row));
      return { now, next: perCell.get(`${row} ${own.column}`)?.corrected ?? now, isMeant: own.column === column };
    });
    const now = cells.find(({ isMeant }) => isMeant)?.now ?? "";
    if (label !== null && label !== now) {
      return `it says ${JSON.stringify(now)} now, and said ${JSON.stringify(label)} when it was audited`;
    }
    const problem = cellProblem(
      task.spec,
      cells.map(({ next }) => next),
    );
    return problem === null ? null : `${JSON.stringify(corrected)} ${problem}`;
  }
}
