/** @file A user's own SQL on the store: one statement, which reads. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import Sqlite from "better-sqlite3";
import { StoreError, UsageError } from "../../errors.js";
import { openConnection, pragma, prepare } from "../database/connection.js";
import { explained } from "../database/store-errors.js";

export interface SqlResult {
  readonly columns: readonly string[];
  /** Cells in the order of the columns; blobs as hex. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/**
 * Runs one SELECT (or any statement that returns rows and changes nothing) on a connection that cannot write.
 * @throws UsageError for SQL that is wrong, writes, or is more than one statement; StoreError where there is no store
 */
export function readOnlySql(storeDir: string, sql: string): SqlResult {
  const file = join(resolve(storeDir), "cool.db");
  if (!existsSync(file)) {
    throw new StoreError(`There is no run store at ${file}. Name one with --store DIR.`, { file });
  }
  const sqlite = explained(file, () => openConnection(file, { readonly: true, fileMustExist: true, timeout: 10_000 }));
  try {
    // what a damaged or foreign file defines may not call functions with effects
    pragma(sqlite, "trusted_schema = OFF");
    return query(sqlite, sql);
  } finally {
    sqlite.close();
  }
}

function query(sqlite: Sqlite.Database, sql: string): SqlResult {
  const statement = prepareUnknown(sqlite, sql);
  // ATTACH and VACUUM INTO count as reading, and write files; they return no rows
  if (!statement.readonly || !statement.reader) {
    throw new UsageError("This SQL changes something or returns no rows; only reading is possible. Write a SELECT.", {
      sql,
    });
  }
  const columns = statement.columns().map(({ name }) => name);
  try {
    const rows = statement.raw(true).all() as unknown[][];
    return { columns, rows: rows.map((row) => row.map(cell)) };
  } catch (error) {
    throw wrongSql(error, sql);
  }
}

function prepareUnknown(sqlite: Sqlite.Database, sql: string): Sqlite.Statement<[]> {
  try {
    return prepare<[]>(sqlite, sql);
  } catch (error) {
    throw wrongSql(error, sql);
  }
}

function wrongSql(error: unknown, sql: string): unknown {
  const isOurs = error instanceof Sqlite.SqliteError || error instanceof RangeError || error instanceof TypeError;
  if (!isOurs) return error;
  return new UsageError(
    `SQLite cannot run this: ${error.message}. See the tables with: cool sql "select name, sql from sqlite_master"`,
    { sql },
    { cause: error },
  );
}

function cell(value: unknown): string | number | null {
  if (Buffer.isBuffer(value)) return value.toString("hex");
  return value as string | number | null;
}
