/** @file The SQLite file of another program, read without a trace: nothing is written into it or beside it. */
import { closeSync, cpSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { DataError } from "../../errors.js";
import { openConnection, pragma } from "./connection.js";
import { Database } from "./database.js";

const MAGIC = "SQLite format 3\0";
/** In the header: 2 where the file has a write-ahead log. */
const READ_VERSION_AT = 19;
const WAL = 2;
const WAIT_MS = 3000;
const ATTEMPTS = 3;

/** Whether a file begins as SQLite's do. */
export function isSqliteFile(file: string): boolean {
  return headerOf(file)?.subarray(0, MAGIC.length).toString("latin1") === MAGIC;
}

/**
 * Opens it for the time of `use`.
 * @throws DataError for a file that is no database, is damaged, locked, or changes all the time
 */
export function readOtherDatabase<T>(file: string, use: (database: Database) => T): T {
  if (!isSqliteFile(file)) throw refusal(file, "it is no SQLite database");
  // a reader would make a log and its index beside the file: a copy is read instead
  if (headerOf(file)?.[READ_VERSION_AT] !== WAL && !existsSync(`${file}-journal`)) return useFile(file, file, use);
  const scratch = mkdtempSync(join(tmpdir(), "cool-import-"));
  try {
    return useFile(copyAtRest(file, scratch), file, use);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function useFile<T>(opened: string, file: string, use: (database: Database) => T): T {
  try {
    const sqlite = openConnection(opened, { readonly: opened === file, fileMustExist: true, timeout: WAIT_MS });
    try {
      pragma(sqlite, "trusted_schema = OFF");
      pragma(sqlite, "schema_version");
      return use(new Database(opened, sqlite));
    } finally {
      sqlite.close();
    }
  } catch (error) {
    throw asRefusal(file, error);
  }
}

/** With its log, as both are at one moment. */
function copyAtRest(file: string, scratch: string): string {
  const parts = ["", "-wal", "-journal"].map((end) => `${file}${end}`);
  const state = (): string =>
    parts
      .map((part) => statSync(part, { throwIfNoEntry: false }))
      .map((stats) => `${stats?.size}/${stats?.mtimeMs}`)
      .join(" ");
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = state();
    for (const part of parts) {
      const copy = join(scratch, basename(part));
      rmSync(copy, { force: true });
      if (existsSync(part)) cpSync(part, copy);
    }
    if (state() === before) return join(scratch, basename(file));
  }
  throw refusal(file, "another program is writing to it all the time; try again when it has ended");
}

function asRefusal(file: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : codeOf(error);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code))
    return refusal(file, "another program has locked it; try again when it has ended");
  if (/^SQLITE_(NOTADB|CORRUPT|IOERR|CANTOPEN|ERROR|READONLY|PERM)/.test(code)) {
    return refusal(file, `it cannot be read (${error instanceof Error ? error.message : code})`, error);
  }
  return error;
}

/** Of what an error of ours was made from. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}

function refusal(file: string, problem: string, cause?: unknown): DataError {
  return new DataError(`Nothing was taken from ${file}: ${problem}.`, { file, problem }, { cause });
}

function headerOf(file: string): Buffer | null {
  const header = Buffer.alloc(100);
  try {
    const opened = openSync(file, "r");
    try {
      return header.subarray(0, readSync(opened, header));
    } finally {
      closeSync(opened);
    }
  } catch {
    return null;
  }
}
