/** @file A database from elsewhere, before anything of it is used: whether it is made of our tables and of nothing else. */
import { lstatSync } from "node:fs";
import { StoreError } from "../../errors.js";
import { openConnection, prepare } from "./connection.js";
import { openDatabase } from "./database.js";
import { SCHEMA_VERSIONS } from "./schema.js";

interface SchemaObject {
  readonly type: string;
  readonly name: string;
  readonly sql: string | null;
}

/**
 * A view in the place of a table, or a trigger, would run SQL of whoever made the file.
 * @throws StoreError for a file or schema that is not as dnn-cool makes it
 */
export function assertOurDatabase(file: string): void {
  for (const [beside, isAllowed] of [
    ["", true],
    ["-wal", true],
    ["-shm", true],
    // of a store that is written with a log of its own this is never left, and SQLite would do what it says
    ["-journal", false],
  ] as const) {
    const stats = lstatSync(`${file}${beside}`, { throwIfNoEntry: false });
    const isSound = stats === undefined ? beside !== "" : isAllowed && stats.isFile();
    if (!isSound)
      throw refusal(file, stats === undefined ? "it is not there" : `${file}${beside} is not a file of a store`);
  }
  const database = openDatabase(file, { readonly: true });
  try {
    const version = Number(database.pragma("user_version"));
    // a newer dnn-cool's: opening it says so
    if (version > SCHEMA_VERSIONS.length) return;
    const expected = schemaOf(version);
    const found = new Map(
      database
        .all<SchemaObject>("SELECT type, name, sql FROM sqlite_schema")
        .filter(({ type, name }) => !(type === "table" && /^sqlite_stat\d$/.test(name)))
        .map((object) => [keyOf(object), object]),
    );
    for (const [key, object] of found) {
      if (expected.get(key) === undefined)
        throw refusal(file, `it has the ${object.type} ${JSON.stringify(object.name)}`);
      if (plain(expected.get(key)?.sql) !== plain(object.sql)) {
        throw refusal(file, `its ${object.type} ${JSON.stringify(object.name)} is another one`);
      }
    }
    const missing = [...expected.values()].find((object) => !found.has(keyOf(object)));
    if (missing !== undefined) throw refusal(file, `it has no ${missing.type} ${JSON.stringify(missing.name)}`);
  } finally {
    database.close();
  }
}

function refusal(file: string, problem: string): StoreError {
  return new StoreError(`${file} is not a store as dnn-cool makes it: ${problem}. Nothing of it was taken.`, {
    file,
    problem,
  });
}

function keyOf({ type, name }: SchemaObject): string {
  return `${type} ${name}`;
}

function plain(sql: string | null | undefined): string {
  return (sql ?? "").replaceAll(/\s+/g, " ").trim();
}

/** The schema of a version by type and name. */
function schemaOf(version: number): ReadonlyMap<string, SchemaObject> {
  const database = openConnection(":memory:", {});
  try {
    for (const sql of SCHEMA_VERSIONS.slice(0, version)) database.exec(sql);
    const objects = prepare<[]>(database, "SELECT type, name, sql FROM sqlite_schema").all();
    return new Map(objects.map((object) => [keyOf(schemaObject(object)), schemaObject(object)]));
  } finally {
    database.close();
  }
}

function schemaObject(row: unknown): SchemaObject {
  const { type, name, sql } = { type: "", name: "", sql: null, ...(typeof row === "object" ? row : {}) };
  return { type: String(type), name: String(name), sql: sql === null ? null : String(sql) };
}
