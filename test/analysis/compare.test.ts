/** @file Runs side by side. */
import { describe, expect, it } from "vitest";
import { compareRuns, higherIsBetter } from "../../src/analysis/index.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";

const row = (metric_name: string, metric_res: number | null, task_path = "door_open"): EvaluationRow => ({
  split: "test",
  task_path,
  metric_name,
  metric_res,
  num_samples: 10,
  gates: "truth",
});

describe("comparing runs", () => {
  it("lists only settings that differ, null where a run has none", () => {
    const { params } = compareRuns([
      { id: "1", name: "a", config: { epochs: 10, seed: 7, "optimizer.kind": "adam" }, evaluation: [] },
      { id: "2", name: "b", config: { epochs: 20, seed: 7, augment: true }, evaluation: [] },
    ]);
    expect(params).toEqual([
      { key: "epochs", values: [10, 20] },
      { key: "optimizer.kind", values: ["adam", null] },
      { key: "augment", values: [null, true] },
    ]);
  });

  it("finds the highest accuracy and the lowest loss", () => {
    const run = (id: string, accuracy: number | null, loss: number) => ({
      id,
      name: id,
      config: {},
      evaluation: [row("accuracy", accuracy), row("loss", loss)],
    });
    const { metrics } = compareRuns([run("a", 0.7, 0.3), run("b", null, 0.1), run("c", 0.9, 0.2)]);
    const key = { split: "test", task_path: "door_open", gates: "truth" };
    expect(metrics).toEqual([
      { ...key, metric_name: "accuracy", values: [0.7, null, 0.9], best: 2 },
      { ...key, metric_name: "loss", values: [0.3, 0.1, 0.2], best: 1 },
    ]);
  });

  it("names no best among equal values, or where one run alone has a value", () => {
    const { metrics } = compareRuns([
      { id: "1", name: "a", config: {}, evaluation: [row("accuracy", 0.5), row("recall", null), row("f1_score", 1)] },
      { id: "2", name: "b", config: {}, evaluation: [row("accuracy", 0.5), row("recall", 0.5)] },
    ]);
    expect(metrics.map(({ metric_name, values, best }) => [metric_name, values, best])).toEqual([
      ["accuracy", [0.5, 0.5], null],
      ["recall", [null, 0.5], null],
      ["f1_score", [1, null], null],
    ]);
  });

  it("keeps splits, tasks and gates apart", () => {
    const evaluation = [row("loss", 1), row("loss", 2, "other"), { ...row("loss", 3), gates: "predicted" as const }];
    const { metrics } = compareRuns([{ id: "1", name: "a", config: {}, evaluation }]);
    expect(metrics.map(({ values }) => values)).toEqual([[1], [2], [3]]);
  });
});

describe("a metric's direction", () => {
  it.each(["loss", "mean_absolute_error", "mean_absolute_error_normalized"])("%s is better when lower", (name) => {
    expect(higherIsBetter(name)).toBe(false);
  });
  it.each(["accuracy", "accuracy_1", "f1_score", "roc_auc", "recall/loss"])("%s is better when higher", (name) => {
    expect(higherIsBetter(name)).toBe(true);
  });
});
