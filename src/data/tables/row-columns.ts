/** @file The columns of a table by which its rows can be told apart: kept small, as a run keeps them. */
import { at } from "../../arrays.js";
import type { JoinedTables } from "./tables.js";

/** Cells of one column, over the rows of a dataset. */
export type RowColumn = TextColumn | NumberColumn;

export interface TextColumn {
  readonly kind: "text";
  readonly name: string;
  /** Texts that occur, in the order of their first rows. */
  readonly values: readonly string[];
  /** Place of each row's text among the values; −1 where the cell is empty. */
  readonly codes: Int32Array;
}

export interface NumberColumn {
  readonly kind: "number";
  readonly name: string;
  /** NaN where the cell is empty. */
  readonly numbers: Float64Array;
}

/** A column of numbers as it stands in the tables: they are read from its cells when they are asked for. */
export interface CellColumn {
  readonly kind: "cells";
  readonly name: string;
  /** NaN where the cell is empty. */
  numberAt(row: number): number;
}

/** A column of a dataset, over its rows. */
export type DatasetColumn = TextColumn | CellColumn;

/** Texts that are longer say something else than where a row belongs. */
const LONGEST_TEXT = 200;

/**
 * Columns with cells of one text or number each. Left out are those whose every row has a text of its own, such as paths
 * and sentences, unless a table is so small that nobody can tell, and lists.
 * @param kept rows of the tables, ascending
 * @param always a column that is kept in any case
 */
export function rowColumns({ tables, firstRows }: JoinedTables, kept: Int32Array, always?: string): DatasetColumn[] {
  const names = [...new Set(tables.flatMap(({ columns }) => [...columns.keys()]))];
  return names.flatMap((name): DatasetColumn[] => {
    const cells = tables.map(({ columns }) => columns.get(name));
    const cellAt = (row: number): unknown => {
      const of = at(kept, row);
      const table = tables.length === 1 ? 0 : firstRows.findLastIndex((first) => first <= of);
      return cells[table]?.at(of - at(firstRows, table)) ?? null;
    };
    const column = columnOf(name, kept.length, cellAt);
    return column === null || (name !== always && isNameOfRows(column)) ? [] : [column];
  });
}

function columnOf(name: string, rows: number, cellAt: (row: number) => unknown): DatasetColumn | null {
  const kind = kindOf(rows, cellAt);
  if (kind === "empty") return null;
  if (kind === "numbers") return { kind: "cells", name, numberAt: (row) => numberOf(cellAt(row)) };
  const places = new Map<string, number>();
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const cell = cellAt(row);
    if (typeof cell === "object" && cell !== null) return null;
    const text = isEmpty(cell) ? null : String(cell);
    if (text !== null && text.length > LONGEST_TEXT) return null;
    const place = text === null ? -1 : (places.get(text) ?? places.size);
    if (text !== null) places.set(text, place);
    codes[row] = place;
  }
  return { kind: "text", name, values: [...places.keys()], codes };
}

function kindOf(rows: number, cellAt: (row: number) => unknown): "numbers" | "texts" | "empty" {
  let isFilled = false;
  for (let row = 0; row < rows; row++) {
    const cell = cellAt(row);
    if (isEmpty(cell)) continue;
    if (Number.isNaN(numberOf(cell))) return "texts";
    isFilled = true;
  }
  return isFilled ? "numbers" : "empty";
}

const isEmpty = (cell: unknown): boolean => cell === null || cell === undefined || cell === "";

/** Truth as 0 and 1 is text: what is binned is measured. */
function numberOf(cell: unknown): number {
  if (typeof cell === "number") return cell;
  if (typeof cell === "bigint") return Number(cell);
  return typeof cell === "string" && /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(cell)
    ? Number(cell)
    : Number.NaN;
}

/** Fewer rows than this may have a text each by chance. */
const FEW_ROWS = 20;

function isNameOfRows(column: DatasetColumn): boolean {
  return column.kind === "text" && column.codes.length >= FEW_ROWS && column.values.length > column.codes.length / 2;
}

/** Some rows of a column, in their order. */
export function selectRows(column: DatasetColumn | RowColumn, rows: Int32Array): RowColumn {
  if (column.kind !== "text") {
    const { name } = column;
    const numberAt = column.kind === "cells" ? column.numberAt : (row: number) => at(column.numbers, row);
    const numbers = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) numbers[i] = numberAt(at(rows, i));
    return { kind: "number", name, numbers };
  }
  return { ...column, codes: rows.map((row) => at(column.codes, row)) };
}

/** A number for each row that rows of one cell share, as groups of rows are numbered; an empty cell is its row's own. */
export function groupsOf(column: RowColumn): Int32Array {
  const places = new Map<string, number>();
  const { length } = column.kind === "number" ? column.numbers : column.codes;
  return Int32Array.from({ length }, (_, row) => {
    const cell = column.kind === "number" ? at(column.numbers, row) : at(column.codes, row);
    const key = Number.isNaN(cell) || cell === -1 ? `row ${row}` : String(cell);
    const place = places.get(key) ?? places.size;
    places.set(key, place);
    return place;
  });
}
