/** @file Where a run's tables are, and cells of a row for a person to read. */
import { expect, test } from "vitest";
import { readableCells, tablesFolder } from "../../../src/asking/audit/label-table.js";

test("one cell is shown as it is, several behind their columns' names", () => {
  const cells: Readonly<Record<string, unknown>> = { text: "a cold, damp room", hour: 20, camera: "north", d: null };
  const cellIn = (column: string): unknown => cells[column];
  expect(readableCells(["text"], cellIn)).toBe("a cold, damp room");
  expect(readableCells(["camera", "hour", "d"], cellIn)).toBe("camera: north, hour: 20, d: –");
});

test("tables are looked for in the user's project, else where the run was trained; where that is gone, the way out is named", () => {
  const run = { id: "20260101-000000-abcd", name: "base" };
  expect(tablesFolder(run, "/nowhere/door", { dir: "/here" })).toBe("/here");
  expect(tablesFolder(run, process.cwd(), null)).toBe(process.cwd());
  expect(() => tablesFolder(run, "/nowhere/door", null)).toThrow(
    /\(base\) was trained in \/nowhere\/door, .* --project/,
  );
});
