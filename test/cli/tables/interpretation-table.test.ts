/** @file Best and worst samples on the terminal. */
import { expect, test } from "vitest";
import { interpretationText } from "../../../src/cli/tables/interpretation-table.js";

test("a task without a row says so in place of a table without lines", () => {
  const text = interpretationText({ task_path: "inner.deep", best: [], worst: [] }, "valid");
  expect(text).toBe("inner.deep on valid: nothing to show, no row that is active and labelled has a loss");
});

test("the worst samples come first, each with its label, its answer and its loss", () => {
  const sample = { id: "7", image: null, row: 6, label: true, prediction: false, loss: 2.5 };
  const lines = interpretationText({ task_path: "on", worst: [sample], best: [{ ...sample, loss: 0.25 }] }, "test");
  expect(lines.split("\n")[0]).toBe("on on test");
  expect(lines).toMatch(/│ worst │ 7 +│ true +│ false +│ +2\.5/);
  expect(lines.indexOf("worst")).toBeLessThan(lines.indexOf("best"));
});

test("an answer that is NaN is named", () => {
  const sample = { id: "7", image: null, row: 6, label: 2, prediction: null, loss: Number.NaN };
  expect(interpretationText({ task_path: "size", worst: [sample], best: [] }, "test")).toMatch(
    /│ worst │ 7 +│ 2 +│ NaN +│/,
  );
});
