/** @file A user's SQL reads the store and can change nothing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { readOnlySql } from "../../../src/storage/query/read-only-sql.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { temporaryDir, thrownBy } from "../support.js";

function storeWithRun(): string {
  const dir = temporaryDir();
  const store = openRunStore(dir);
  store.createRun({ project: "p", name: "kept", seed: 3 });
  store.close();
  return dir;
}

test("a SELECT gives columns and rows, two of one name included", () => {
  const result = readOnlySql(storeWithRun(), "SELECT name, seed, note, name, x'0aff' AS bytes FROM runs;");
  expect(result).toEqual({
    columns: ["name", "seed", "note", "name", "bytes"],
    rows: [["kept", 3, null, "kept", "0aff"]],
  });
});

test.each([
  "DELETE FROM runs",
  "DELETE FROM runs RETURNING id",
  "UPDATE runs SET name = 'x' RETURNING name",
  "SELECT 1; DELETE FROM runs",
  "DROP TABLE runs",
  "PRAGMA journal_mode = DELETE",
  "PRAGMA user_version = 9",
  "VACUUM INTO 'copy.db'",
  "ATTACH 'other.db' AS other",
  "BEGIN",
  "SELECT load_extension('x')",
  "SELECT nothing FROM nowhere",
  "",
])("%s is refused", (sql) => {
  const dir = storeWithRun();
  expect(() => readOnlySql(dir, sql)).toThrow(UsageError);
  expect(existsSync("copy.db") || existsSync("other.db")).toBe(false);
  expect(readOnlySql(dir, "SELECT name FROM runs").rows).toEqual([["kept"]]);
});

test("a store that is not there is not made", () => {
  const dir = join(temporaryDir(), "none");
  expect(thrownBy(() => readOnlySql(dir, "SELECT 1")).message).toContain("There is no run store at");
  expect(existsSync(dir)).toBe(false);
});
