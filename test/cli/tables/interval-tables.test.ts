/** @file What slices of a run come to, as a person reads it. */
import { expect, test } from "vitest";
import { worstTable } from "../../../src/cli/tables/interval-tables.js";

test("that no slice has rows enough is said, and not that none is worse", () => {
  expect(worstTable([], 0).replaceAll("\n", " ")).toBe(
    "No slice was tested: each, and the rest beside it, takes 10 rows that count for a task.",
  );
  expect(worstTable([], 7)).toBe("None of 7 slices is worse than the rest.");
});

test("the count below the worst slices fits 80 columns", () => {
  const slice = { task_path: "a.open", slice: { camera: "b" }, measure: "accuracy", n: 20, value: 0.5, rest: 0.9 };
  for (const line of worstTable([{ ...slice, p_holm: 0.01 }], 1888).split("\n")) {
    expect(line.length).toBeLessThanOrEqual(80);
  }
});
