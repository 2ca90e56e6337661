/** @file A run beside the one whose place it is to take, as text. */
import { expect, it } from "vitest";
import { againstTable } from "../../../src/cli/tables/contract-tables.js";
import type { Against } from "../../../src/comparing/against/check-against.js";

const summary = (name: string): Against["run"] => ({
  ...{ id: name, name, state: "finished", dir: "", backend: "cpu", seed: 7, epochs: 1, best_epoch: 1 },
});
const task = (task_path: string, worse: boolean): Against["tasks"][number] => ({
  ...{ task_path, measure: "accuracy", n: 100, base: 0.9, value: 0.5, p_value: 0.001, p_holm: 0.002, worse },
});
const contract = (predictions: number): Against["contracts"][number] => ({
  ...{ split: "test", contract: "never open and locked", samples: [] },
  ...{ broken: { labels: 0, predictions }, known: { labels: 10, predictions: 10 } },
});
const checked = (own: Partial<Against>): Against => ({
  ...{ run: summary("new"), against: summary("old"), split: "test", gates: "truth", margin: 0 },
  ...{ tasks: [task("open", false)], skipped_tasks: [], contracts: [contract(0)], passed: false },
  ...own,
});
const verdictOf = (own: Partial<Against>): string => againstTable(checked(own)).split("\n").at(-1) ?? "";

it("says why a run does not pass", () => {
  expect(verdictOf({ passed: true })).toBe("new passes: no task is worse than in old beyond chance.");
  expect(verdictOf({ tasks: [task("open", true), task("locked", true)] })).toBe(
    "new does not pass: worse: open, locked.",
  );
  expect(verdictOf({ contracts: [contract(3)] })).toBe("new does not pass: broken 3 times: never open and locked.");
  expect(verdictOf({ skipped_tasks: [{ task_path: "near", reason: "only the first run has it" }] })).toBe(
    "new does not pass: not compared: near.",
  );
});
