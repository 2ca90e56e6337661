/** @file Beyond the limits of a report, something of every task stays. */
import { expect, test } from "vitest";
import { LeftOut } from "../../src/reporting/budget.js";
import { shownEvaluation } from "../../src/reporting/evaluation.js";
import { inTurns } from "../../src/reporting/in-turns.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";

test("one of each task is taken before a second of any, and what comes first before all", () => {
  const items = ["a:2", "a:0", "a:1", "b:0", "b:1", "c:9!", "c:0"];
  const kept = (most: number) =>
    inTurns(items, most, (item) => ({
      task: item.slice(0, 1),
      rank: Number(item.slice(2, 3)),
      isFirst: item.endsWith("!"),
    }));
  expect(kept(7)).toBe(items);
  expect(kept(1)).toEqual(["c:9!"]);
  expect(kept(4)).toEqual(["a:0", "b:0", "c:9!", "c:0"]);
  expect(kept(6)).toEqual(["a:0", "a:1", "b:0", "b:1", "c:9!", "c:0"]);
});

test("of the evaluation of 200 tasks each keeps the metric that stands for it, the last one as well", () => {
  const paths = Array.from({ length: 200 }, (_, i) => `task_${i}`);
  const rows = paths.flatMap((task_path) =>
    ["loss", "recall", "f1_score"].flatMap((metric_name) =>
      (["truth", "predicted"] as const).map(
        (gates): EvaluationRow => ({
          ...{ split: "valid", task_path, metric_name, gates },
          ...{ metric_res: 0.5, num_samples: 10 },
        }),
      ),
    ),
  );
  const leftOut = new LeftOut();
  const kept = shownEvaluation(rows, new Map(paths.map((path) => [path, "f1_score"])), {
    most: 201,
    monitor: "task_150/recall",
    leftOut,
  });
  expect(kept).toHaveLength(201);
  expect(kept.filter(({ metric_name }) => metric_name === "f1_score").map(({ task_path }) => task_path)).toEqual(paths);
  expect(kept.filter(({ gates }) => gates === "predicted")).toHaveLength(0);
  expect(leftOut.sentences).toEqual([expect.stringContaining("201 of 1200")]);
});
