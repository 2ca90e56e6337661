/** @file Losses, metrics and evaluation rows against the reference vectors and hand-made splits. */
import { describe, expect, it } from "vitest";
import { evaluateSplit, type SplitOutputs, scoreSplit, totalLoss } from "../../src/analysis/index.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import type { EvaluationRow, Gates } from "../../src/tasks/evaluation.js";
import { binary, boundedRegression, multilabel } from "../../src/tasks/index.js";
import {
  defaultThresholds,
  labelsFrom,
  readReference,
  referenceThresholds,
  security,
  securityBatch,
  securityGraph,
  securityRows,
} from "../support/security-flow.js";

const FACIAL = "person_regression.face_regression.facial_characteristics";
const SHIRT = "person_regression.body_regression.shirt_type";

function metricOf(rows: readonly EvaluationRow[], path: string, metric: string, gates: Gates = "truth"): number | null {
  const row = rows.find((r) => r.task_path === path && r.metric_name === metric && r.gates === gates);
  if (row === undefined) throw new Error(`no row ${path} ${metric} ${gates}`);
  return row.metric_res;
}

describe("the reference batch at threshold 0.5", () => {
  const scored = securityBatch();
  const rows = evaluateSplit(securityGraph, scored);
  const reference = security.training_mode_gt;

  it.each(securityGraph.tasks.map(({ path }) => path))("has the reference's masked mean loss of %s", (path) => {
    expect(metricOf(rows, path, "loss")).toBeCloseTo(reference.loss_per_task[path] as number, 5);
  });

  it("has the reference's total loss", () => {
    expect(totalLoss(securityGraph, rows)).toMatchObject({
      split: "test",
      task_path: "_total",
      metric_name: "loss",
      gates: "truth",
      num_samples: 13,
      metric_res: expect.closeTo(reference.loss_total, 5),
    });
  });

  it.each(scored.tasks)(
    "has the reference's losses of single rows of $task.path",
    ({ task, lossMask, perSampleLoss }) => {
      const indices = [...lossMask.keys()].filter((row) => lossMask[row] === 1);
      expect(indices).toEqual(reference.per_sample[`indices|${task.path}`]);
      const expected =
        task.path === FACIAL
          ? security.correct_values[`per_sample|${FACIAL}`].correct_mean_over_labels
          : (reference.per_sample[task.path] as readonly number[]);
      indices.forEach((row, i) => {
        expect(perSampleLoss[row]).toBeCloseTo(expected[i] as number, 5);
      });
    },
  );

  it("sums to the reference's losses of whole samples", () => {
    security.correct_values["per_sample|overall_correct"].forEach((expected, row) => {
      const sum = scored.tasks.reduce(
        (total, { lossMask, perSampleLoss }) => total + (lossMask[row] === 1 ? (perSampleLoss[row] as number) : 0),
        0,
      );
      expect(sum).toBeCloseTo(expected, 5);
    });
  });

  it("has the reference's metrics, with precision and recall the right way round", () => {
    const corrected: Record<string, number> = {
      ...reference.metrics,
      ...security.correct_values["training_precision_recall_thr_0.5(correct)"],
    };
    for (const [key, expected] of Object.entries(corrected)) {
      const [path, metric] = key.split("|") as [string, string];
      // the reference averages a classification's F1, precision and recall by element, which is its accuracy
      if (path === SHIRT && metric !== "accuracy_1") continue;
      expect(metricOf(rows, path, metric), key).toBeCloseTo(expected, 5);
    }
  });

  it("averages shirt_type over the four classes that occur", () => {
    // labels yellow, black, magenta; answers green, yellow, magenta: one class is always right, three never
    for (const metric of ["f1_score", "precision", "recall"])
      expect(metricOf(rows, SHIRT, metric)).toBeCloseTo(1 / 4, 9);
  });
});

describe("the reference batch at the reference's tuned thresholds", () => {
  const rows = evaluateSplit(securityGraph, securityBatch(referenceThresholds), ["truth"]);

  it("has the reference's evaluation rows, with precision and recall the right way round", () => {
    const corrections = security.correct_values["evaluation_precision_recall_tuned(correct)"];
    for (const { task_path, metric_name, metric_res, num_samples } of security.evaluation_rows_with_tuned_thresholds) {
      if (task_path === SHIRT && !metric_name.startsWith("accuracy")) continue;
      const expected = corrections[`${task_path}|${metric_name}`] ?? metric_res;
      expect(rows).toContainEqual({
        split: "test",
        task_path,
        metric_name,
        metric_res: expect.closeTo(expected, 5),
        num_samples,
        gates: "truth",
      });
    }
  });
});

interface EdgeCases {
  readonly empty_precondition: {
    readonly result: { readonly loss_total: number; readonly loss_per_task: Readonly<Record<string, number>> };
  };
  readonly batch_of_one: { readonly loss_total: number };
  readonly multilabel_partial_missing: {
    readonly targets: readonly number[][];
    readonly logits: readonly number[][];
    readonly "loss_correct(mean over known labels)": number;
  };
  readonly unrolled_loss_classification: { readonly per_sample_ce: readonly number[] };
}

describe("edge cases of the reference", () => {
  const cases: EdgeCases = readReference("edge_cases_and_bugs");
  const evaluate = (outputs: SplitOutputs): EvaluationRow[] =>
    evaluateSplit(securityGraph, scoreSplit(securityGraph, outputs, defaultThresholds(securityGraph)));

  it("gives a task without rows no value, and the total loss nothing from it", () => {
    const rows = evaluate(securityRows([0, 1, 2, 3])).filter(({ gates }) => gates === "truth");
    const { loss_per_task, loss_total } = cases.empty_precondition.result;
    for (const { path } of securityGraph.tasks.slice(0, 4)) {
      expect(metricOf(rows, path, "loss")).toBeCloseTo(loss_per_task[path] as number, 5);
    }
    const unasked = rows.filter(({ task_path }) => task_path.startsWith("person_regression."));
    expect(unasked.length).toBeGreaterThan(10);
    for (const row of unasked) expect(row).toMatchObject({ metric_res: null, num_samples: 0 });
    expect(totalLoss(securityGraph, rows).metric_res).toBeCloseTo(loss_total, 5);
  });

  it("treats a batch of one row as any other", () => {
    const rows = evaluate(securityRows([0]));
    expect(totalLoss(securityGraph, rows).metric_res).toBeCloseTo(cases.batch_of_one.loss_total, 5);
    expect(metricOf(rows, "camera_blocked", "accuracy")).toBe(0);
  });

  it("averages a partly labelled multilabel over its known elements", () => {
    const { targets, logits, ...rest } = cases.multilabel_partial_missing;
    const tags = multilabel({ labels: ["a", "b", "c"] });
    const definitions = defineTasks({ features: ["f"], tasks: { tags } });
    const graph = traceFlow(
      definitions.flow("main", (flow, x, out) => {
        out.add(flow.tags(x.f));
      }),
      "main",
    );
    const outputs: SplitOutputs = {
      split: "valid",
      ids: ["0", "1", "2"],
      outputs: [Float32Array.from(logits.flat())],
      labels: [labelsFrom(targets)],
    };
    const rows = evaluateSplit(graph, scoreSplit(graph, outputs, defaultThresholds(graph)), ["truth"]);
    expect(metricOf(rows, "tags", "loss")).toBeCloseTo(rest["loss_correct(mean over known labels)"], 5);
    expect(rows[0]?.num_samples).toBe(2);
    // label b is known in one row only, and rightly predicted there
    expect(rows).toContainEqual(expect.objectContaining({ metric_name: "accuracy/b", metric_res: 1, num_samples: 1 }));
  });

  it("keeps one loss per row of a classification", () => {
    const scored = securityBatch();
    const shirt = scored.tasks.find(({ task }) => task.path === SHIRT);
    const losses = [4, 5, 10].map((row) => shirt?.perSampleLoss[row]);
    cases.unrolled_loss_classification.per_sample_ce.forEach((expected, i) => {
      expect(losses[i]).toBeCloseTo(expected, 5);
    });
  });
});

describe("a gate that labels and network disagree on", () => {
  const tasks = { open: binary(), width: boundedRegression({ max: 10, lossWeight: 20 }) };
  const graph = traceFlow(
    defineTasks({ features: ["f"], tasks }).flow("main", (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.width(x.f).given(out.open));
    }),
    "main",
  );
  const outputs: SplitOutputs = {
    split: "test",
    ids: ["a", "b", "c"],
    // decoded: open, closed, open; width always 5
    outputs: [Float32Array.of(3, -3, 3), Float32Array.of(0, 0, 0)],
    // labelled: open, open, closed
    labels: [
      { answers: Float32Array.of(1, 1, 0), unitScale: null },
      { answers: Float32Array.of(5, 7, 9), unitScale: null },
    ],
  };
  const rows = evaluateSplit(graph, scoreSplit(graph, outputs, defaultThresholds(graph)));

  it("evaluates rows a and b by the labels' gates, a and c by the network's own", () => {
    expect(metricOf(rows, "width", "mean_absolute_error", "truth")).toBe(1);
    expect(metricOf(rows, "width", "mean_absolute_error", "predicted")).toBe(2);
    // squared errors of the normalized value: 0 and 0.2², 0 and 0.4²
    expect(metricOf(rows, "width", "loss", "truth")).toBeCloseTo(0.02, 6);
    expect(metricOf(rows, "width", "loss", "predicted")).toBeCloseTo(0.08, 6);
  });

  it("lists each task's loss first, then its metrics, by the labels' gates and then by its own", () => {
    expect(rows.map(({ task_path, gates, metric_name }) => [task_path, gates, metric_name].join(" "))).toEqual([
      ...["truth", "predicted"].flatMap((gates) =>
        ["loss", "accuracy", "f1_score", "precision", "recall", "roc_auc", "average_precision"].map(
          (metric) => `open ${gates} ${metric}`,
        ),
      ),
      ...["truth", "predicted"].flatMap((gates) =>
        ["loss", "mean_absolute_error", "mean_absolute_error_normalized"].map((metric) => `width ${gates} ${metric}`),
      ),
    ]);
  });

  it("weighs the tasks in the total loss", () => {
    const open = metricOf(rows, "open", "loss") as number;
    expect(totalLoss(graph, rows).metric_res).toBeCloseTo(open + 20 * 0.02, 6);
  });

  it("has no total loss where no row has a label", () => {
    const missing = { answers: Float32Array.of(Number.NaN, Number.NaN, Number.NaN), unitScale: null };
    const unlabelled = scoreSplit(graph, { ...outputs, labels: [missing, missing] }, defaultThresholds(graph));
    expect(totalLoss(graph, evaluateSplit(graph, unlabelled))).toMatchObject({ metric_res: null, num_samples: 0 });
  });

  it("has an undefined loss, not a loss of 0, where a logit is not a number", () => {
    const logits = [Float32Array.of(Number.NaN, 0, 0), Float32Array.of(0, 0, 0)];
    const broken = evaluateSplit(graph, scoreSplit(graph, { ...outputs, outputs: logits }, defaultThresholds(graph)));
    expect(metricOf(broken, "open", "loss")).toBeNull();
    expect(totalLoss(graph, broken)).toMatchObject({ metric_res: null, num_samples: 3 });
  });
});
