/** @file What SQLite and the file system report → what to change. */
import { StoreError } from "../../errors.js";

/** An error with a symbolic code: SQLite's (`SQLITE_FULL`) or the file system's (`ENOSPC`). */
interface CodedError extends Error {
  readonly code: string;
}

const CAUSES: readonly (readonly [codes: RegExp, explain: (file: string) => string])[] = [
  [
    /^SQLITE_(NOTADB|CORRUPT)/,
    (file) =>
      `${file} is damaged or is not a SQLite database. Move it away and start a new store, or put back a copy of it.`,
  ],
  [
    /^(SQLITE_FULL|ENOSPC|EDQUOT)/,
    (file) =>
      `There is no space left to write ${file}. What was written before is kept: free space on its disk and resume the run.`,
  ],
  [
    /^(SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EACCES|EPERM|EROFS)/,
    (file) =>
      `${file} cannot be opened or written. Make it and its folder writable for this user, or name another store with --store DIR.`,
  ],
  [
    /^(SQLITE_BUSY|SQLITE_LOCKED)/,
    (file) =>
      `${file} has been locked by another process for too long. See which process holds it (for example with fuser) and try again.`,
  ],
  [/^SQLITE_IOERR/, (file) => `Reading or writing ${file} failed. Check its disk and the free space on it.`],
  [
    /^(ENOTDIR|EEXIST)/,
    (file) => `${file} cannot be made: a file stands where a folder is needed. Name another store with --store DIR.`,
  ],
];

/** `error` as a StoreError that says what to change, or unchanged where nobody but a programmer can help. */
export function toStoreError(error: unknown, file: string): unknown {
  if (!hasCode(error)) return error;
  const cause = CAUSES.find(([codes]) => codes.test(error.code));
  if (cause === undefined) return error;
  return new StoreError(
    `${cause[1](file)} (${error.code}: ${error.message})`,
    { file, code: error.code },
    { cause: error },
  );
}

/** Runs `work`; what SQLite or the file system throws becomes a StoreError about `file`. */
export function explained<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toStoreError(error, file);
  }
}

function hasCode(error: unknown): error is CodedError {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/**
 * Writes rows of another store: a file's constraints can be switched off while its rows are written; ours hold.
 * @throws StoreError where a row breaks one
 */
export function withinConstraints(table: string, insert: () => void): void {
  try {
    insert();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_CONSTRAINT"))) throw error;
    throw new StoreError(
      `a row of its table ${table} is not as dnn-cool writes it (${error.message}).`,
      { table },
      { cause: error },
    );
  }
}
