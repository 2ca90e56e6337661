/** @file Texts of a table's cells, and warnings of several tasks as lines. */
import { expect, test } from "vitest";
import { cellText, warningLines } from "../../src/cli/text.js";

test("what is said of several tasks in the same words is said once", () => {
  const warnings = ["a.b: it stays", "c: it moves", "d: e: it stays", "nothing else"];
  expect(warningLines(warnings)).toEqual([
    "warning: a.b, d: e: it stays",
    "warning: c: it moves",
    "warning: nothing else",
  ]);
  expect(warningLines([])).toEqual([]);
});

test("a cell shows numbers that JSON has no word for as what they are", () => {
  const values = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 0.5, null, [1], "a\nb"];
  expect(values.map(cellText)).toEqual(["Infinity", "-Infinity", "NaN", "0.5", "–", "[1]", "a\\nb"]);
});
