/** @file The database file: its settings, and what is said when it cannot be used. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { expect, test } from "vitest";
import { openDatabase } from "../../../src/storage/database/database.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { temporaryDir, thrownBy } from "../support.js";

test("many processes can write and nothing refers to a row that is not there", () => {
  const database = openDatabase(join(temporaryDir(), "deep", "cool.db"));
  const settings = ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"].map((name) => database.pragma(name));
  expect(settings).toEqual(["wal", 1, 1, 10_000]);
  database.close();
});

test("a transaction that fails leaves nothing behind", () => {
  const database = openDatabase(join(temporaryDir(), "cool.db"));
  database.exec("CREATE TABLE t (x)");
  const failing = () =>
    database.write(() => {
      database.run("INSERT INTO t VALUES (1)");
      throw new RangeError("no");
    });
  expect(failing).toThrow(RangeError);
  expect(database.all("SELECT * FROM t")).toEqual([]);
  database.close();
});

test("reading a store that is not there makes none, and says how to get one", () => {
  const dir = join(temporaryDir(), ".cool");
  const error = thrownBy(() => openRunStore(dir, { readonly: true }));
  expect(error.message).toContain(
    `There is no run store at ${join(dir, "cool.db")}. Train a first run with \`cool run\``,
  );
  expect(existsSync(dir)).toBe(false);
});

test("a file that is no database is named, and kept", () => {
  const dir = temporaryDir();
  writeFileSync(join(dir, "cool.db"), "these are my notes, and not a database\n".repeat(100));
  const error = thrownBy(() => openRunStore(dir));
  expect(error.message).toContain(`${join(dir, "cool.db")} is damaged or is not a SQLite database`);
  expect(error.facts).toMatchObject({ code: "SQLITE_NOTADB" });
});

test("a damaged database is reported by the query that meets the damage", () => {
  const dir = temporaryDir();
  const store = openRunStore(dir);
  store.createRun({ project: "p" });
  store.close();
  const file = join(dir, "cool.db");
  const pages = new Sqlite(file);
  const pageSize = Number(pages.pragma("page_size", { simple: true }));
  const { rootpage } = pages.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'runs'").get() as {
    rootpage: number;
  };
  const bytes = pages.serialize();
  pages.close();
  bytes.fill(0xff, (rootpage - 1) * pageSize, rootpage * pageSize);
  writeFileSync(file, bytes);
  const damaged = openRunStore(dir);
  const error = thrownBy(() => damaged.listRuns());
  expect(error.message).toContain("is damaged");
  expect(error.facts).toMatchObject({ code: "SQLITE_CORRUPT" });
  damaged.close();
});

test("a database of another program is left alone", () => {
  const dir = temporaryDir();
  const other = new Sqlite(join(dir, "cool.db"));
  other.exec("CREATE TABLE recipes (title TEXT); INSERT INTO recipes VALUES ('soup')");
  other.close();
  expect(thrownBy(() => openRunStore(dir)).message).toContain("is a database of another program");
  const after = new Sqlite(join(dir, "cool.db"), { readonly: true });
  expect(after.prepare("SELECT name FROM sqlite_master").pluck().all()).toEqual(["recipes"]);
  after.close();
});

test("a full disk is reported as such, and what was written before is kept", () => {
  const database = openDatabase(join(temporaryDir(), "cool.db"));
  database.exec("CREATE TABLE t (x)");
  database.write(() => database.run("INSERT INTO t VALUES ('kept')"));
  database.pragma(`max_page_count = ${Number(database.pragma("page_count"))}`);
  const fill = () => database.write(() => database.run("INSERT INTO t VALUES (zeroblob(1000000))"));
  const error = thrownBy(fill);
  expect(error.message).toContain("There is no space left to write");
  expect(error.facts).toMatchObject({ code: "SQLITE_FULL" });
  expect(database.all("SELECT x FROM t")).toEqual([{ x: "kept" }]);
  database.close();
});

test("a reader cannot write, and is told that the store is not writable", () => {
  const dir = temporaryDir();
  const writer = openRunStore(dir);
  const { id } = writer.createRun({ project: "p" });
  const reader = openRunStore(dir, { readonly: true });
  expect(reader.getRun(id).project).toBe("p");
  const error = thrownBy(() => reader.heartbeat(id));
  expect(error.facts).toMatchObject({ code: "SQLITE_READONLY" });
  expect(error.message).toContain("writable");
  reader.close();
  writer.close();
});

test("a folder in the place of the database, or a file in the place of the store, is named", () => {
  const dir = temporaryDir();
  mkdirSync(join(dir, "a", "cool.db"), { recursive: true });
  expect(thrownBy(() => openRunStore(join(dir, "a"))).message).toContain("cannot be opened or written");
  writeFileSync(join(dir, "b"), "");
  expect(thrownBy(() => openRunStore(join(dir, "b"))).message).toContain("a file stands where a folder is needed");
});

test("names each fault of a damaged file in a line of its own", () => {
  const file = join(temporaryDir(), "cool.db");
  const made = openDatabase(file);
  made.exec("CREATE TABLE numbers (name TEXT)");
  for (let i = 0; i < 500; i += 1) made.run("INSERT INTO numbers (name) VALUES (@name)", { name: `number ${i}` });
  made.close();
  const bytes = readFileSync(file);
  // the second half of the last page, where its cells lie
  bytes.fill(0, bytes.length - 2048);
  writeFileSync(file, bytes);
  const damaged = openDatabase(file);
  const problems = damaged.problems();
  damaged.close();
  expect(problems.length).toBeGreaterThan(1);
  expect(problems.filter((problem) => /\n|\*\*\*/.test(problem))).toEqual([]);
});
