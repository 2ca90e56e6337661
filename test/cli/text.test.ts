/** @file Texts of a table's cells, and warnings of several tasks as lines. */
import { expect, test } from "vitest";
import { cellText, fill, warningLines } from "../../src/cli/text.js";

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

test("a sentence is broken between words, before the column that is too many", () => {
  const text = `${"word ".repeat(30).trim()}.`;
  const lines = fill(text).split("\n");
  expect(lines.every(({ length }) => length <= 80)).toBe(true);
  expect(lines.join(" ")).toBe(text);
  // 16 words of four letters with blanks between are 79 columns
  expect(lines[0]).toBe("word ".repeat(16).trim());
  expect(fill("  a: bb cc dd", { columns: 9, indent: "    " })).toBe("  a: bb\n    cc dd");
  expect(fill(`x ${"y".repeat(90)}`)).toBe(`x\n${"y".repeat(90)}`);
});
