/** @file What stands below a tree whose answers have a guarantee. */
import { expect, it } from "vitest";
import { type CoveredRow, printCoverage } from "../../../src/asking/sets/covered-row.js";

it("is folded between words, and loses none of them", () => {
  const names = ["severe", "type", "grade", "symptoms", "relapse"];
  const questions = Object.fromEntries(names.map((name) => [name, { asked: "unsure" as const }]));
  const row: CoveredRow = { of: "tree", level: 0.9, trees: 84, questions };
  const whole = printCoverage(row);
  expect(whole).toBe(
    "    84 trees in the set, which holds the true one with probability 0.9; perhaps asked: severe, type, grade, symptoms, relapse",
  );
  const lines = printCoverage(row, 60).split("\n");
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.every((line) => line.length <= 60)).toBe(true);
  expect(lines.map((line) => line.trim()).join(" ")).toBe(whole.trim());
});
