/** @file Which columns of a table a run keeps, and that they come back from its folder. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { groupsOf, rowColumns, selectRows } from "../../../src/data/tables/row-columns.js";
import { joinTables } from "../../../src/data/tables/tables.js";
import type { Table } from "../../../src/data/tables/table.js";
import { runFiles } from "../../../src/records/run-folder.js";
import { readRowColumns, writeRowColumns } from "../../../src/records/rows/row-columns.js";

const table = (file: string, columns: Readonly<Record<string, readonly unknown[]>>): Table => ({
  rows: Object.values(columns)[0]?.length ?? 0,
  columns: new Map(Object.entries(columns)),
  file,
  baseDir: "/",
  firstLine: 2,
});
const range = Array.from({ length: 30 }, (_, i) => i);

it("keeps texts that repeat and numbers; no names of rows, no sentences, no lists", () => {
  const joined = joinTables([
    table("a.csv", {
      img: range.map((i) => `images/${i}.png`),
      camera: range.map((i) => (i % 3 === 0 ? "" : `cam ${i % 3}`)),
      hour: range.map((i) => String(i % 24)),
      note: range.map(() => "x".repeat(300)),
      list: range.map(() => [1, 2]),
      empty: range.map(() => null),
    }),
  ]);
  const kept = Int32Array.of(0, 1, 2, 4, ...range.slice(5));
  const every = Int32Array.from(kept, (_, i) => i);
  const columns = rowColumns(joined, kept).map((column) => selectRows(column, every));
  expect(columns.map(({ name, kind }) => [name, kind])).toEqual([
    ["camera", "text"],
    ["hour", "number"],
  ]);
  const [camera, hour] = columns;
  if (camera?.kind !== "text" || hour?.kind !== "number") throw new Error("other kinds");
  expect([...camera.codes].slice(0, 4)).toEqual([-1, 0, 1, 0]);
  expect([...hour.numbers].slice(0, 4)).toEqual([0, 1, 2, 4]);
  expect(rowColumns(joined, kept, "img").map(({ name }) => name)).toContain("img");
});

it("of several tables, a column that one of them lacks is empty there", () => {
  const joined = joinTables([table("a.csv", { camera: ["x", "y"] }), table("b.csv", { place: ["hall", "yard"] })]);
  const columns = rowColumns(joined, Int32Array.of(1, 2, 3)).map((column) =>
    selectRows(column, Int32Array.of(0, 1, 2)),
  );
  expect(columns).toEqual([
    { kind: "text", name: "camera", values: ["y"], codes: Int32Array.of(0, -1, -1) },
    { kind: "text", name: "place", values: ["hall", "yard"], codes: Int32Array.of(-1, 0, 1) },
  ]);
});

it("rows of one cell are a group, and a row with an empty cell is one by itself", () => {
  const column = { kind: "text", name: "p", values: ["a", "b"], codes: Int32Array.of(0, -1, 1, 0, -1) } as const;
  expect([...groupsOf(column)]).toEqual([0, 1, 2, 0, 3]);
});

it("come back from a run's folder, whatever they are called", async () => {
  const dir = mkdtempSync(join(tmpdir(), "cool-columns-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, "predictions"));
  const columns = [
    { kind: "text", name: 'my "row"', values: ["a", "b"], codes: Int32Array.of(0, 1, -1, 0) },
    { kind: "number", name: "row", numbers: Float64Array.of(0.1, 1, Number.NaN, 3) },
  ] as const;
  await writeRowColumns(runFiles(dir).columns("test"), columns, Int32Array.of(1, 2, 3));
  expect(await readRowColumns(dir, "test")).toEqual([
    { kind: "text", name: 'my "row"', values: ["b", "a"], codes: Int32Array.of(0, -1, 1) },
    { kind: "number", name: "row", numbers: Float64Array.of(1, Number.NaN, 3) },
  ]);
  expect(await readRowColumns(dir, "test", ["row"])).toHaveLength(1);
  expect(await readRowColumns(dir, "valid")).toEqual([]);
});
