/**
 * @file DuckDB for reading: nothing is installed or loaded from elsewhere, only named folders and files are open to it,
 * its configuration is locked, and a query is one SELECT.
 */
import { homedir } from "node:os";
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DuckDBConnection, DuckDBResult } from "@duckdb/node-api";
import { DataError, InterruptedError } from "../../errors.js";
import { quoted } from "./sql.js";

/** What a query may read; all absolute. */
export interface Access {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

// the functions that DuckDB brings along read CSV, Parquet and JSON; anything else it would fetch from the network
const OFFLINE = { autoinstall_known_extensions: "false", autoload_known_extensions: "false" } as const;

/**
 * Lends a connection of its own, on which `restrict` has not been called yet.
 * @throws InterruptedError where the signal fires, which ends a running query
 */
export async function withDuckDB<Result>(
  use: (connection: DuckDBConnection) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:", OFFLINE);
  const connection = await instance.connect();
  const interruption = interruptOn(signal, connection);
  try {
    return await use(connection);
  } catch (error) {
    throw signal?.aborted === true ? new InterruptedError("Interrupted.") : error;
  } finally {
    interruption.end();
    connection.closeSync();
    instance.closeSync();
  }
}

const INTERRUPT_EVERY_MS = 100;

/** Ends what the connection runs, again and again: an interruption between two statements is forgotten. */
function interruptOn(signal: AbortSignal | undefined, connection: DuckDBConnection): { end(): void } {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS);
  };
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return {
    end() {
      signal?.removeEventListener("abort", onAbort);
      clearInterval(timer);
    },
  };
}

/** From now on the connection reads these alone, and nothing that it runs can change that. */
export async function restrict(connection: DuckDBConnection, { folders, files }: Access): Promise<void> {
  await connection.run(`SET allowed_directories = ${listOf(folders)}`);
  await connection.run(`SET allowed_paths = ${listOf(files)}`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
}

/** With what links lead to: DuckDB looks at the end of them. */
function listOf(paths: readonly string[]): string {
  const all = new Set(paths.flatMap((path) => [path, realPath(path)]));
  return `[${[...all].map((path) => quoted(path)).join(", ")}]`;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** A path in which no character means several files. */
export function literalPath(path: string): string {
  return path.replaceAll(/[*?[]/g, "[$&]");
}

/** Where a name in a query points: a pattern may match anything in the folder before it. */
export function accessOf(names: readonly string[]): Access {
  const paths = names.map((name) => name.replace(/^file:(\/\/)?(?=\/)/, "").replace(/^~(?=\/)/, () => homedir()));
  const isPattern = (path: string): boolean => /[*?[]/.test(path);
  return {
    folders: paths.filter(isPattern).map((path) => dirname(join(path.slice(0, path.search(/[*?[]/)), "x"))),
    files: paths.filter((path) => !isPattern(path)),
  };
}

/**
 * Begins a query that must be one SELECT; nothing else is even begun. Its rows are found as they are asked for.
 * @param file what messages call the query
 */
export async function runSelect(connection: DuckDBConnection, query: string, file: string): Promise<DuckDBResult> {
  const { StatementType } = await import("@duckdb/node-api");
  const statements = await connection.extractStatements(query);
  if (statements.count !== 1) {
    throw new DataError(
      `${file} is more than one statement. Write one SELECT; a PIVOT names its values with IN (…), or it is two statements to DuckDB.`,
      { file },
    );
  }
  const statement = await statements.prepare(0);
  try {
    if (statement.statementType !== StatementType.SELECT) {
      throw new DataError(`${file} does more than to read. Write one SELECT.`, { file });
    }
    return await statement.stream();
  } finally {
    statement.destroySync();
  }
}

/** What DuckDB says about a file or an extension that it may not have, with the way out; null for anything else. */
export function refusalOf(message: string): string | null {
  const [, path] = /Cannot access (?:file|directory) "(.*?)" - file system operations are disabled/.exec(message) ?? [];
  if (path !== undefined && /^\w{2,}:\/\//.test(path)) {
    return `it may not read ${path}: nothing is fetched for a query. Download it first, and name the file.`;
  }
  if (path !== undefined) {
    return `it may not read ${path}. A query reads the project's folder, the folders of its tables, and what data.allow names, e.g. allow: [${JSON.stringify(dirname(path))}].`;
  }
  const [, extension] = /(?:exists in|requires) the (?:extension )?(\w+)(?: extension)?/.exec(message) ?? [];
  if (extension === undefined) return null;
  return `it needs DuckDB's extension ${extension}, and none is installed or loaded for a query. Write the data to a CSV or Parquet file first.`;
}
