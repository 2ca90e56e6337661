/** @file Reading and writing tables ends when the signal fires, also in the middle of a query. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTable } from "../../../src/data/tables/table.js";
import { writeTable } from "../../../src/data/tables/table-writer.js";
import { InterruptedError } from "../../../src/errors.js";

let projectDir = "";
beforeEach(() => {
  projectDir = mkdtempSync(join(tmpdir(), "interrupted-"));
});
afterEach(() => rmSync(projectDir, { recursive: true, force: true }));

test("a query that would take hours ends at once", async () => {
  const query = "SELECT count(*) AS n FROM range(1000000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3";
  const controller = new AbortController();
  const reading = readTable(query, { projectDir, signal: controller.signal });
  setTimeout(() => controller.abort(), 300);
  await expect(reading).rejects.toThrow(InterruptedError);
});

test("a signal that has fired before ends a query, too", async () => {
  const query = "SELECT count(*) AS n FROM range(1000000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3";
  await expect(readTable(query, { projectDir, signal: AbortSignal.abort() })).rejects.toThrow(InterruptedError);
});

test("what a query has found is taken over chunk by chunk, with room for the signal", async () => {
  const controller = new AbortController();
  const reading = readTable("SELECT range AS x, 'a text ' || range AS y FROM range(3000000)", {
    projectDir,
    signal: controller.signal,
  });
  // a timer has its turn between two chunks alone
  const timer = setInterval(() => controller.abort(), 1);
  await expect(reading).rejects.toThrow(InterruptedError);
  clearInterval(timer);
});

test("a table that is being written leaves nothing behind", async () => {
  const controller = new AbortController();
  const file = join(projectDir, "out.parquet");
  function* rows(): Generator<[number]> {
    for (let i = 0; ; i += 1) {
      if (i === 5000) controller.abort();
      yield [i];
    }
  }
  const writing = writeTable(file, [{ name: "n", type: "INTEGER" }], rows(), controller.signal);
  await expect(writing).rejects.toThrow(InterruptedError);
  expect(existsSync(file)).toBe(false);
  expect(readdirSync(projectDir)).toEqual([]);
});
