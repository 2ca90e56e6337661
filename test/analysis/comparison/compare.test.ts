/** @file Runs side by side. */
import { describe, expect, it } from "vitest";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary } from "../../../src/tasks/index.js";
import { compareRuns, directionOf, directionsOf } from "../../../src/analysis/index.js";
import type { EvaluationRow } from "../../../src/tasks/evaluation.js";

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

describe("facts about runs", () => {
  const run = (id: string, environment: Record<string, string | null>) => ({
    id,
    name: id,
    config: { seed: 1 },
    environment,
    code: { git_commit: "c" },
    data: { data_digest: id },
    evaluation: [],
  });

  it("are listed where they differ, or all of them", () => {
    const runs = [run("a", { node: "20", host: "x" }), run("b", { node: "22", host: "x" })];
    expect(compareRuns(runs)).toMatchObject({
      params: [],
      environment: [{ key: "node", values: ["20", "22"] }],
      code: [],
      data: [{ key: "data_digest", values: ["a", "b"] }],
    });
    expect(compareRuns(runs, { all: true })).toMatchObject({
      params: [{ key: "seed", values: [1, 1] }],
      environment: [
        { key: "node", values: ["20", "22"] },
        { key: "host", values: ["x", "x"] },
      ],
      code: [{ key: "git_commit", values: ["c", "c"] }],
    });
  });
});

describe("runs that differ in their seed alone", () => {
  const run = (name: string, seed: number, accuracy: number | null, settings: Record<string, number> = {}) => ({
    id: name,
    name,
    config: { "train.seed": seed, "train.epochs": 1, ...settings },
    evaluation: [row("accuracy", accuracy)],
  });

  it("are one group: mean, sample standard deviation, n", () => {
    const { groups, grouped_metrics, metrics } = compareRuns([
      run("wide-s1", 1, 0.5),
      run("deep", 1, 0.85, { depth: 3 }),
      run("wide-s2", 2, 0.7),
      run("wide-s3", 3, 0.9),
    ]);
    expect(groups).toEqual([
      { name: "wide", runs: [0, 2, 3], seeds: [1, 2, 3] },
      { name: "deep", runs: [1], seeds: [1] },
    ]);
    const [wide, deep] = grouped_metrics[0]?.groups ?? [];
    // (0.2² + 0² + 0.2²) / 2 = 0.04
    expect(wide).toEqual({ mean: expect.closeTo(0.7, 12), sd: expect.closeTo(0.2, 12), n: 3 });
    expect(deep).toEqual({ mean: 0.85, sd: null, n: 1 });
    expect(grouped_metrics[0]?.best).toBe(1);
    expect(metrics[0]).toMatchObject({ values: [0.5, 0.85, 0.7, 0.9], best: 3 });
  });

  it("count where the metric is defined", () => {
    const { grouped_metrics } = compareRuns([run("a", 1, 0.5), run("b", 2, null)]);
    expect(grouped_metrics[0]?.groups).toEqual([{ mean: 0.5, sd: null, n: 1 }]);
  });

  it("do not count twice where a seed is repeated", () => {
    const { groups } = compareRuns([run("a", 1, 0.5), run("a", 2, 0.5), run("a", 2, 0.5)]);
    expect(groups.map(({ runs }) => runs)).toEqual([[0, 1], [2]]);
  });

  it("stay apart where data or source differ, or where groups are not wanted", () => {
    const from = (name: string, seed: number, digest: string) => ({ ...run(name, seed, 1), data: { digest } });
    expect(compareRuns([from("a", 1, "x"), from("b", 2, "y")]).groups).toEqual([]);
    expect(compareRuns([run("a", 1, 1), run("b", 2, 1)], { group: false })).toMatchObject({
      groups: [],
      grouped_metrics: [],
    });
  });
});

describe("a metric's direction", () => {
  it.each(["loss", "mean_absolute_error", "mean_absolute_error_normalized", "log_loss", "perplexity"])(
    "%s is better when lower",
    (name) => {
      expect(directionOf({}, "task", name)).toBe(false);
    },
  );
  it.each(["accuracy", "accuracy_1", "accuracy_7", "f1_score", "roc_auc", "r2", "recall/loss"])(
    "%s is better when higher",
    (name) => {
      expect(directionOf({}, "task", name)).toBe(true);
    },
  );
  it.each(["learning_rate", "gradient_norm", "brier", "false_positive_rate", "hamming_distance"])(
    "nobody has said which way %s gets better",
    (name) => {
      expect(directionOf({}, "task", name)).toBeNull();
    },
  );
  it("is what the task says, whatever the name sounds like", () => {
    const directions = { "task/false_positive_rate": false, "task/error_free": true };
    expect(directionOf(directions, "task", "false_positive_rate")).toBe(false);
    expect(directionOf(directions, "task", "error_free")).toBe(true);
  });
  it("is that of each of the flow's tasks", () => {
    const graph = traceFlow(
      defineTasks({ features: ["f"], tasks: { open: binary() } }).flow("main", (flow, x, out) => {
        out.add(flow.open(x.f));
      }),
      "main",
    );
    expect(directionsOf(graph)).toMatchObject({ "open/loss": false, "open/f1_score": true, "open/log_loss": false });
  });
});
