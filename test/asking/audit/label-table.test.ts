/** @file Cells of a row for a person to read. */
import { expect, test } from "vitest";
import { readableCells } from "../../../src/asking/audit/label-table.js";

test("one cell is shown as it is, several behind their columns' names", () => {
  const cells: Readonly<Record<string, unknown>> = { text: "a cold, damp room", hour: 20, camera: "north", d: null };
  const cellIn = (column: string): unknown => cells[column];
  expect(readableCells(["text"], cellIn)).toBe("a cold, damp room");
  expect(readableCells(["camera", "hour", "d"], cellIn)).toBe("camera: north, hour: 20, d: –");
});
