/** @file One SQLite file: how it is opened, and the only ways in which it is read and written. */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import Sqlite from "better-sqlite3";
import { StoreError } from "../../errors.js";
import { openConnection, pragma, prepare } from "./connection.js";
import { networkMountOf, readMountInfo } from "../../platform/file-systems.js";
import { explained, toStoreError } from "./store-errors.js";

export interface OpenOptions {
  /** Refuse every write; default false. */
  readonly readonly?: boolean;
  /** Make the file, and its folders, where there is none; default: unless `readonly`. */
  readonly create?: boolean;
  /** Text of `/proc/self/mountinfo`; default: this machine's. */
  readonly mountInfo?: string;
}

/** Values of bound parameters by name. */
export type BoundValues = Readonly<Record<string, string | number | null | undefined>>;

/** Values of the parameters `?`, in order: bound in half the time that names take. */
type BoundList = readonly (string | number | null)[];

/** How long a writer waits for another one. */
export const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens a database for many processes at once: write-ahead log, foreign keys enforced, writers wait for each other.
 * @throws StoreError for a missing file, a network file system, a file that is no database, missing permissions
 */
export function openDatabase(file: string, options: OpenOptions = {}): Database {
  const { readonly = false, create = !readonly, mountInfo = readMountInfo() } = options;
  refuseNetworkFileSystem(file, mountInfo);
  if (!create && !existsSync(file)) {
    throw new StoreError(
      `There is no run store at ${file}. Train a first run with \`cool run\`, or name the store with --store DIR.`,
      { file },
    );
  }
  return explained(file, () => {
    if (create) mkdirSync(dirname(file), { recursive: true });
    const sqlite = openConnection(file, { readonly, fileMustExist: !create, timeout: BUSY_TIMEOUT_MS });
    try {
      configure(sqlite, readonly);
    } catch (error) {
      sqlite.close();
      throw error;
    }
    return new Database(file, sqlite);
  });
}

function refuseNetworkFileSystem(file: string, mountInfo: string): void {
  const mount = networkMountOf(file, mountInfo);
  if (mount === undefined) return;
  throw new StoreError(
    `The run store ${file} lies on a network file system (${mount.type} at ${mount.mountPoint}), where processes on ` +
      "different machines can damage it. Name a folder on a local disk with --store DIR.",
    { file, fileSystem: mount.type, mountPoint: mount.mountPoint },
  );
}

function configure(sqlite: Sqlite.Database, readonly: boolean): void {
  // a read-only connection follows the mode the file is in
  if (!readonly) useWriteAheadLog(sqlite);
  // with a write-ahead log NORMAL loses at most the last transactions to a power cut, and never the file
  pragma(sqlite, "synchronous = NORMAL");
  pragma(sqlite, "foreign_keys = ON");
  // what a file's own schema defines may not call functions with effects
  pragma(sqlite, "trusted_schema = OFF");
  // the first page is read here, so that a damaged file is reported before it is used
  pragma(sqlite, "schema_version");
}

/**
 * SQLite does not wait for others while it changes the mode of a file (two who wait here would block each other), so
 * processes that make one store at the same moment try again.
 */
function useWriteAheadLog(sqlite: Sqlite.Database): void {
  for (const deadline = Date.now() + BUSY_TIMEOUT_MS; ; sleep(5)) {
    try {
      pragma(sqlite, "journal_mode = WAL");
      return;
    } catch (error) {
      const isBusy = error instanceof Sqlite.SqliteError && error.code.startsWith("SQLITE_BUSY");
      if (!isBusy || Date.now() > deadline) throw error;
    }
  }
}

/** Tells a file from another one that was put in its place; null where there is none. */
function identityOf(file: string): string | null {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}/${found.ino}`;
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** An open database with its prepared statements. Every error it throws names the file and what to change. */
export class Database {
  readonly file: string;
  readonly #sqlite: Sqlite.Database;
  readonly #statements = new Map<string, Sqlite.Statement<[BoundValues | BoundList]>>();

  readonly #identity: string | null;

  constructor(file: string, sqlite: Sqlite.Database) {
    this.file = file;
    this.#identity = identityOf(file);
    this.#sqlite = sqlite;
  }

  /** All rows of a query. */
  all<Row>(sql: string, parameters: BoundValues = {}): Row[] {
    return explained(this.file, () => this.#prepare(sql).all(parameters) as Row[]);
  }

  /** The rows of a query one by one; nothing else can be done with this connection before the last one is read. */
  *each<Row>(sql: string, parameters: BoundValues = {}): Generator<Row> {
    try {
      yield* this.#prepare(sql).iterate(parameters) as IterableIterator<Row>;
    } catch (error) {
      throw toStoreError(error, this.file);
    }
  }

  /** The first row of a query, or undefined. */
  get<Row>(sql: string, parameters: BoundValues = {}): Row | undefined {
    return explained(this.file, () => this.#prepare(sql).get(parameters) as Row | undefined);
  }

  /** Runs one statement; to be called within `write`. Returns the number of rows it changed. */
  run(sql: string, parameters: BoundValues = {}): number {
    return explained(this.file, () => this.#prepare(sql).run(parameters).changes);
  }

  /** Runs one statement per row; to be called within `write`. */
  runEach(sql: string, rows: Iterable<BoundValues | BoundList>): void {
    explained(this.file, () => {
      const statement = this.#prepare(sql);
      for (const row of rows) statement.run(row);
    });
  }

  /** Runs statements without results or parameters, such as a schema. */
  exec(sql: string): void {
    explained(this.file, () => this.#sqlite.exec(sql));
  }

  /** Value of a pragma, or of setting one (`user_version = 2`). */
  pragma(source: string): unknown {
    return explained(this.file, () => pragma(this.#sqlite, source));
  }

  /**
   * Runs `work` in one transaction: all of it is written, or nothing. The write lock is taken at the start: a
   * transaction that reads first and then asks for it fails as soon as another process has written in between.
   */
  write<T>(work: () => T): T {
    return explained(this.file, () => this.#sqlite.transaction(work).immediate());
  }

  /** Whether the file is still the one that was opened: SQLite goes on writing to one that was deleted. */
  isThere(): boolean {
    return this.#identity !== null && this.#identity === identityOf(this.file);
  }

  /** A number that is another one after another connection has written (https://sqlite.org/pragma.html#pragma_data_version). */
  dataVersion(): number {
    return this.get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? 0;
  }

  /** What SQLite's own check finds wrong, one line each; empty for a sound file. */
  problems(): string[] {
    const rows = this.all<{ integrity_check: string }>("PRAGMA integrity_check");
    // damaged pages come as several lines in one row, under a heading with the name of the database
    return rows
      .flatMap((row) => row.integrity_check.split("\n"))
      .filter((line) => line !== "ok" && line !== "" && !line.startsWith("***"));
  }

  close(): void {
    this.#statements.clear();
    this.#sqlite.close();
  }

  #prepare(sql: string): Sqlite.Statement<[BoundValues | BoundList]> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = prepare<[BoundValues | BoundList]>(this.#sqlite, sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
