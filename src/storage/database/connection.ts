/** @file Connections and statements of better-sqlite3, which live as long as the process where they have to. */
import Sqlite from "better-sqlite3";
import { nativePartError } from "./native-part.js";

/**
 * Statements of better-sqlite3 12 take themselves off Node's list of things to end when they are collected as garbage.
 * Since Node 24.19 nobody may ask for that list in the middle of a collection, and the process aborts
 * ("RemoveEnvironmentCleanupHook … Assertion failed"). What is never garbage is ended in time, so all that was made is
 * kept there: a store has a few dozen statements. better-sqlite3 13 mends it, but needs Node 22.
 */
const kept: unknown[] = [];
const keeps = Number(process.versions.node.split(".", 1)[0]) >= 24;

function keep<T>(made: T): T {
  if (keeps) kept.push(made);
  return made;
}

/** @throws StoreError where the native part of better-sqlite3 is missing or does not load */
export function openConnection(file: string, options: Sqlite.Options): Sqlite.Database {
  try {
    return keep(new Sqlite(file, options));
  } catch (error) {
    throw nativePartError(error) ?? error;
  }
}

export function prepare<Parameters extends unknown[]>(
  connection: Sqlite.Database,
  sql: string,
): Sqlite.Statement<Parameters> {
  return keep(connection.prepare<Parameters>(sql)) as Sqlite.Statement<Parameters>;
}

/** Value of a pragma, or of setting one; the first where there are several. better-sqlite3's own drops its statement. */
export function pragma(connection: Sqlite.Database, source: string): unknown {
  const statement = prepare<[]>(connection, `PRAGMA ${source}`);
  return statement.reader ? statement.pluck().get() : void statement.run();
}
