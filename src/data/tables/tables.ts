/** @file Several tables read as one: each with its own folder, columns and split. */
import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import { ConfigError, DataError, sentence, shorten } from "../../errors.js";
import { at } from "../../arrays.js";
import type { Sliced } from "../../platform/yield-to.js";
import type { SplitSpec } from "../split.js";
import { columnOf, placeOf, quoteCell, readTable, type Table, type TableAccess, tableDigestSliced } from "./table.js";
import { type Cells, JoinedCells } from "./cells.js";
import { isQuery } from "./sql.js";

/** One of the tables of a project. */
export interface TableSource {
  /** File or SQL query; see readTable. */
  readonly table: string;
  /** Names under which this table holds columns that are called differently elsewhere: wanted name → its name here. */
  readonly columns?: Readonly<Record<string, string>> | undefined;
  /** Instead of the project's. */
  readonly split?: SplitSpec | undefined;
}

/** Tables whose rows are numbered through, one table after the other. At least one. */
export interface JoinedTables {
  readonly tables: readonly Table[];
  /** First row of each table. */
  readonly firstRows: readonly number[];
  readonly rows: number;
  /** What messages call them all. */
  readonly file: string;
}

/** A cell that cannot be used. */
export interface BadCell {
  readonly table: Table;
  /** From 0, in its table. */
  readonly row: number;
  readonly column: string;
  readonly cell: unknown;
  /** Completes "<cell> …", with the way out. */
  readonly reason: string;
  /** What reads the cell. */
  readonly reader: { readonly kind: "task" | "input" | "setting"; readonly name: string };
}

export function joinTables(tables: readonly Table[]): JoinedTables {
  let rows = 0;
  const firstRows = tables.map((table) => {
    rows += table.rows;
    return rows - table.rows;
  });
  return { tables, firstRows, rows, file: tableNames(tables).join(" and ") };
}

/**
 * Reads all tables.
 * @param access what queries among them may read besides the project's folder and those of the tables
 * @throws DataError as readTable does, or where a table lacks a column that `columns` names; ConfigError where a
 *   table is listed twice
 */
export async function readTables(
  sources: readonly TableSource[],
  projectDir: string,
  access: Pick<TableAccess, "allow" | "typed" | "signal"> = {},
): Promise<JoinedTables> {
  const twice = sources.find(({ table }, i) => sources.findIndex((other) => other.table === table) !== i);
  if (twice !== undefined) {
    throw new ConfigError(`The table "${twice.table}" is listed twice in the data. Remove one.`, {
      table: twice.table,
    });
  }
  const files = sources.map(({ table }) => table).filter((table) => !isQuery(table));
  const allow = [...(access.allow ?? []), ...files.map((file) => dirname(resolve(projectDir, file)))];
  const tables: Table[] = [];
  for (const { table, columns } of sources) {
    tables.push(withAliases(await readTable(table, { ...access, projectDir, allow }), columns));
  }
  return joinTables(tables);
}

function withAliases(table: Table, columns: TableSource["columns"] = {}): Table {
  const aliases = Object.entries(columns).map(
    ([wanted, own]) => [wanted, columnOf(table, own, `the column "${wanted}"`)] as const,
  );
  return { ...table, columns: new Map([...table.columns, ...aliases]) };
}

/** Short names of the tables, each different. */
export function tableNames(tables: readonly Table[]): string[] {
  const files = tables.map(({ file }) => file);
  return files.map((file, i) => (files.indexOf(file) === files.lastIndexOf(file) ? file : `${file} ${i + 1}`));
}

/**
 * Cells of a column that every table must have, table after table.
 * @param asker what asks for it, for the message
 */
export function cellsOf({ tables }: JoinedTables, column: string, asker: string): Cells {
  const [first = [], ...more] = tables.map((table) => columnOf(table, column, asker));
  return more.length === 0 ? first : new JoinedCells([first, ...more]);
}

/** The table of a row, and the row's number in it. */
export function rowIn(
  { tables, firstRows }: JoinedTables,
  row: number,
): { readonly table: Table; readonly row: number } {
  const index = firstRows.findLastIndex((first) => first <= row);
  return { table: at(tables, index), row: row - at(firstRows, index) };
}

/** A row in words, with its table where there are several. */
export function placeIn(joined: JoinedTables, table: Table, row: number): string {
  return joined.tables.length === 1 ? placeOf(table, row) : `${table.file}, ${placeOf(table, row)}`;
}

const SHOWN = 5;

/**
 * An error that names the first of some bad cells.
 * @param noun what a cell holds: `label`
 */
export function badCellsError(joined: JoinedTables, bad: readonly BadCell[], noun: string): DataError {
  const groups = alike(bad);
  const shown = groups.slice(0, SHOWN).map(([first, ...others]) => {
    const { table, row, column, cell, reason, reader } = first;
    const asked = column === reader.name ? "" : `, ${reader.kind} "${reader.name}"`;
    return `${placeIn(joined, table, row)}, column "${column}"${asked}: ${quoteCell(cell)} ${reason}${sameIn(joined, others)}`;
  });
  const left = groups.slice(SHOWN).reduce((sum, group) => sum + group.length, 0);
  const rest = left > 0 ? `; and ${left} more` : "";
  const count = bad.length === 1 ? `1 ${noun}` : `${bad.length} ${noun}s`;
  return new DataError(sentence(`${count} in ${joined.file} cannot be read: ${shown.join("; ")}${rest}`), {
    file: joined.file,
    count: bad.length,
    cells: bad.slice(0, SHOWN).map(({ table, row, reader, cell, ...facts }) => ({
      [reader.kind]: reader.name,
      ...facts,
      cell: typeof cell === "string" ? shorten(cell) : cell,
      file: table.file,
      row: row + 1,
    })),
  });
}

type Group = readonly [first: BadCell, ...others: BadCell[]];

/** Cells of one column with one problem stand together. */
function alike(bad: readonly BadCell[]): Group[] {
  const groups = new Map<string, [BadCell, ...BadCell[]]>();
  for (const one of bad) {
    const key = JSON.stringify([one.column, one.reader, one.reason]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

const ROWS_SHOWN = 4;

function sameIn(joined: JoinedTables, others: readonly BadCell[]): string {
  if (others.length === 0) return "";
  const places = others.slice(0, ROWS_SHOWN).map(({ table, row }) => placeIn(joined, table, row));
  const more = others.length > ROWS_SHOWN ? ", …" : "";
  return ` (and so in ${others.length} more: ${places.join(", ")}${more})`;
}

/** sha256 over the names and cells of all tables, hex; of a single one the table's own. */
export function* joinedDigest({ tables }: JoinedTables): Sliced<string> {
  const digests: string[] = [];
  for (const table of tables) digests.push(yield* tableDigestSliced(table));
  if (digests.length === 1) return at(digests, 0);
  return createHash("sha256").update(digests.join("\n")).digest("hex");
}
