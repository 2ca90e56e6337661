/** @file Warnings of several tasks, as lines. */
import { expect, test } from "vitest";
import { warningLines } from "../../src/cli/text.js";

test("what is said of several tasks in the same words is said once", () => {
  const warnings = ["a.b: it stays", "c: it moves", "d: e: it stays", "nothing else"];
  expect(warningLines(warnings)).toEqual([
    "warning: a.b, d: e: it stays",
    "warning: c: it moves",
    "warning: nothing else",
  ]);
  expect(warningLines([])).toEqual([]);
});
