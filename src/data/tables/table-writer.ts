/** @file Writes tables through DuckDB: Parquet, CSV or JSON lines, by the file's ending. */
import { renameSync, rmSync } from "node:fs";
import { extname } from "node:path";
import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { StoreError, UsageError } from "../../errors.js";
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
 */
export async function writeTable(
  file: string,
  columns: readonly TableColumn[],
  rows: Iterable<readonly Cell[]>,
): Promise<number> {
  const format = tableFormat(file);
  const duckdb = await import("@duckdb/node-api");
  const { DuckDBDataChunk, DuckDBInstance, FLOAT, listValue } = duckdb;
  const types: Record<CellType, DuckDBType> = {
    VARCHAR: duckdb.VARCHAR,
    INTEGER: duckdb.INTEGER,
    FLOAT,
    DOUBLE: duckdb.DOUBLE,
    BOOLEAN: duckdb.BOOLEAN,
    "FLOAT[]": duckdb.LIST(FLOAT),
  };
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const writing = `${file}.writing-${process.pid}`;
  try {
    const definition = columns.map(({ name, type }) => `"${name.replaceAll('"', '""')}" ${type}`).join(", ");
    await connection.run(`CREATE TABLE out (${definition})`);
    const appender = await connection.createAppender("out");
    let written = 0;
    const flush = (chunkRows: readonly (readonly Cell[])[]): void => {
      const chunk = DuckDBDataChunk.create(
        columns.map(({ type }) => types[type]),
        chunkRows.length,
      );
      columns.forEach((_, c) => {
        chunk.setColumnValues(
          c,
          chunkRows.map((row): DuckDBValue => {
            const cell = row[c] ?? null;
            return Array.isArray(cell) ? listValue(cell as DuckDBValue[]) : (cell as DuckDBValue);
          }),
        );
      });
      appender.appendDataChunk(chunk);
      written += chunkRows.length;
    };
    let pending: (readonly Cell[])[] = [];
    for (const row of rows) {
      pending.push(row);
      if (pending.length === CHUNK_ROWS) {
        flush(pending);
        pending = [];
      }
    }
    if (pending.length > 0) flush(pending);
    appender.closeSync();
    await connection.run(`COPY out TO ${quoted(writing)} (${format})`);
    renameSync(writing, file);
    return written;
  } catch (error) {
    rmSync(writing, { force: true });
    throw new StoreError(
      `${file} cannot be written: ${(error as Error).message.split("\n")[0]}. Free some space or choose another place.`,
      { file },
      { cause: error },
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Reads chosen columns of a Parquet file of ours, cell by cell. */
export async function readParquet(file: string, columns: readonly string[], order: string): Promise<Cell[][]> {
  const { DuckDBInstance, DuckDBListValue } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(
      `SELECT ${columns.join(", ")} FROM read_parquet(${quoted(file)}) ORDER BY ${order}`,
    );
    return reader
      .getColumns()
      .map((column) => column.map((value) => (value instanceof DuckDBListValue ? value.items : value) as Cell));
  } catch (error) {
    throw new StoreError(
      `${file} cannot be read: ${(error as Error).message.split("\n")[0]}.`,
      { file },
      { cause: error },
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
