/** @file Writes tables through DuckDB: Parquet, CSV or JSON lines, by the file's ending. */
import { renameSync, rmSync } from "node:fs";
import { extname } from "node:path";
import type { DuckDBConnection, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { InterruptedError, StoreError, UsageError } from "../../errors.js";
import { yieldTo } from "../../platform/yield-to.js";
import { literalPath, withDuckDB } from "./duckdb.js";
import { quoted } from "./sql.js";

/** Column types that our tables need. */
export type CellType = "VARCHAR" | "INTEGER" | "FLOAT" | "DOUBLE" | "BOOLEAN" | "FLOAT[]";
/** null = missing, also inside lists. */
export type Cell = string | number | boolean | null | readonly (number | null)[];

export interface TableColumn {
  readonly name: string;
  readonly type: CellType;
}

const FORMATS: Readonly<Record<string, string>> = {
  ".parquet": "FORMAT parquet, COMPRESSION zstd",
  ".csv": "FORMAT csv, HEADER",
  ".jsonl": "FORMAT json",
};

/** @throws UsageError unless the file's ending names a format we write */
export function tableFormat(file: string): string {
  const format = FORMATS[extname(file).toLowerCase()];
  if (format === undefined) {
    throw new UsageError(`${file} has no ending that names a table format. Use ${Object.keys(FORMATS).join(", ")}.`, {
      file,
    });
  }
  return format;
}

// the largest chunk that DuckDB takes at once
const CHUNK_ROWS = 2048;

/**
 * Writes rows to a file that appears complete or not at all.
 * @returns rows written
 * @throws InterruptedError if the signal fires
 */
export async function writeTable(
  file: string,
  columns: readonly TableColumn[],
  rows: Iterable<readonly Cell[]>,
  signal?: AbortSignal,
): Promise<number> {
  const format = tableFormat(file);
  return replaceFile(file, signal, async (connection, writing) => {
    const written = await fillTable(connection, columns, rows, signal);
    await connection.run(`COPY out TO ${quoted(writing)} (${format})`);
    return written;
  });
}

/**
 * Makes a file that appears complete or not at all.
 * @param write is given the name to write to
 * @throws InterruptedError if the signal fires; StoreError where the file cannot be written
 */
export async function replaceFile<Result>(
  file: string,
  signal: AbortSignal | undefined,
  write: (connection: DuckDBConnection, writing: string) => Promise<Result>,
): Promise<Result> {
  const writing = `${file}.writing-${process.pid}`;
  try {
    return await withDuckDB(async (connection) => {
      const written = await write(connection, writing);
      renameSync(writing, file);
      return written;
    }, signal);
  } catch (error) {
    rmSync(writing, { force: true });
    if (error instanceof InterruptedError) throw error;
    throw new StoreError(
      `${file} cannot be written: ${firstLine(error)}. Free some space or choose another place.`,
      { file },
      { cause: error },
    );
  }
}

/** DuckDB's types of columns, from its package, which is loaded when it is needed. */
export function typesOf(duckdb: typeof import("@duckdb/node-api")): Readonly<Record<CellType, DuckDBType>> {
  return {
    VARCHAR: duckdb.VARCHAR,
    INTEGER: duckdb.INTEGER,
    FLOAT: duckdb.FLOAT,
    DOUBLE: duckdb.DOUBLE,
    BOOLEAN: duckdb.BOOLEAN,
    "FLOAT[]": duckdb.LIST(duckdb.FLOAT),
  };
}

/** Makes the table `out` of the rows. */
async function fillTable(
  connection: DuckDBConnection,
  columns: readonly TableColumn[],
  rows: Iterable<readonly Cell[]>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const duckdb = await import("@duckdb/node-api");
  const types = typesOf(duckdb);
  const valueIn = (cell: Cell): DuckDBValue => (isList(cell) ? duckdb.listValue(cell) : cell);
  const definition = columns.map(({ name, type }) => `${quoted(name, '"')} ${type}`).join(", ");
  await connection.run(`CREATE TABLE out (${definition})`);
  const appender = await connection.createAppender("out");
  let written = 0;
  for (const chunkRows of chunks(rows)) {
    const chunk = duckdb.DuckDBDataChunk.create(
      columns.map(({ type }) => types[type]),
      chunkRows.length,
    );
    columns.forEach((_, c) => {
      chunk.setColumnValues(
        c,
        chunkRows.map((row) => valueIn(row[c] ?? null)),
      );
    });
    appender.appendDataChunk(chunk);
    written += chunkRows.length;
    await yieldTo(signal);
  }
  appender.closeSync();
  return written;
}

function isList(cell: Cell): cell is readonly (number | null)[] {
  return Array.isArray(cell);
}

function* chunks<Row>(rows: Iterable<Row>): Generator<Row[]> {
  let pending: Row[] = [];
  for (const row of rows) {
    pending.push(row);
    if (pending.length < CHUNK_ROWS) continue;
    yield pending;
    pending = [];
  }
  if (pending.length > 0) yield pending;
}

/** Reads chosen columns of a Parquet file of ours, cell by cell. */
export async function readParquet(file: string, columns: readonly string[], order: string): Promise<Cell[][]> {
  const cellOf = await cellReader();
  return withParquet(file, columns, ` ORDER BY ${order}`, async (connection, query) => {
    const reader = await connection.runAndReadAll(query);
    // a file without rows comes without columns
    const found = reader.getColumns();
    return columns.map((_, i) => (found[i] ?? []).map(cellOf));
  });
}

async function withParquet<Result>(
  file: string,
  columns: readonly string[],
  order: string,
  read: (connection: DuckDBConnection, query: string) => Promise<Result>,
): Promise<Result> {
  const query = `SELECT ${columns.join(", ")} FROM read_parquet(${quoted(literalPath(file))})${order}`;
  try {
    return await withDuckDB((connection) => read(connection, query));
  } catch (error) {
    throw new StoreError(`${file} cannot be read: ${firstLine(error)}.`, { file }, { cause: error });
  }
}

async function cellReader(): Promise<(value: DuckDBValue) => Cell> {
  const { DuckDBListValue } = await import("@duckdb/node-api");
  return (value) => {
    if (value instanceof DuckDBListValue) return value.items.map(numberOf);
    if (value === null || typeof value === "number" || typeof value === "boolean") return value;
    return typeof value === "bigint" ? Number(value) : String(value);
  };
}

/** Names and types of a Parquet file's columns, in its order. */
export async function parquetColumns(file: string): Promise<{ readonly name: string; readonly type: string }[]> {
  try {
    return await withDuckDB(async (connection) => {
      const found = await connection.runAndReadAll(`DESCRIBE FROM read_parquet(${quoted(literalPath(file))})`);
      const [names = [], types = []] = found.getColumns();
      return names.map((name, i) => ({ name: String(name), type: String(types[i]) }));
    });
  } catch (error) {
    throw new StoreError(`${file} cannot be read: ${firstLine(error)}.`, { file }, { cause: error });
  }
}

function numberOf(item: DuckDBValue): number | null {
  return typeof item === "number" ? item : null;
}

/** Of what DuckDB says. */
export function firstLine(error: unknown): string {
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return line;
}
