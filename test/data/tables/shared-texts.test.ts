/** @file Short texts of a table are shared between cells, and none is taken for another. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTable } from "../../../src/data/tables/table.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "cool-texts-"));
});
afterEach(() => rm(dir, { recursive: true }));

test("texts of every length read as they were written, however many there are", async () => {
  // more different ones than are remembered; some differ in their last byte alone, and some in their length
  const texts = Array.from({ length: 90_000 }, (_, i) => `${i}${"äx€".repeat(i % 4)}`.slice(0, 1 + (i % 15)));
  await writeFile(join(dir, "texts.csv"), `a,b\n${texts.map((text) => `${text},${text}`).join("\n")}\n`);
  const { columns } = await readTable("texts.csv", { projectDir: dir });
  expect([...(columns.get("a") ?? [])]).toEqual(texts);
  expect([...(columns.get("b") ?? [])]).toEqual(texts);
});

test("bytes that are zero belong to a text, and missing cells are none", async () => {
  const { columns } = await readTable(
    "SELECT * FROM (VALUES ('a'), ('a' || chr(0)), (NULL), (''), ('a'), ('twelve bytes'), ('thirteen byte')) t(x)",
    { projectDir: dir },
  );
  expect(columns.get("x")).toEqual(["a", "a\0", null, "", "a", "twelve bytes", "thirteen byte"]);
});
