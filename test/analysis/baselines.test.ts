/** @file Constant answers against scikit-learn's dummies (fixtures/sklearn/baselines.py), and what is said of them. */
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { baselineRows, baselineValues, learnBaselines } from "../../src/analysis/baselines.js";
import { evaluateSplit, scoreSplit, totalLoss } from "../../src/analysis/index.js";
import { shortcomings } from "../../src/analysis/shortcomings.js";
import { defineTasks } from "../../src/flow/define.js";
import type { FlowGraph, TaskSpec } from "../../src/flow/graph.js";
import { traceFlow } from "../../src/flow/trace.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";
import {
  behaviourOf,
  binary,
  boundedRegression,
  box,
  classification,
  type Labels,
  metricNames,
  multilabel,
  ordinal,
  regression,
} from "../../src/tasks/index.js";
import { defineTask } from "../../src/project/define-task.js";
import { defaultThresholds } from "../support/security-flow.js";

type Column = readonly (number | null)[];

interface Case {
  readonly name: string;
  readonly train: Column;
  readonly test: Column;
  readonly expected: Readonly<Record<string, number>>;
}

interface Vectors {
  readonly binary: readonly Case[];
  readonly classification: readonly (Case & { readonly classes: number })[];
  readonly multilabel: readonly (Case & { readonly labels: number })[];
  readonly regression: readonly (Case & {
    readonly min: number;
    readonly max: number;
    readonly train_units: readonly number[];
    readonly test_units: readonly number[];
  })[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../fixtures/sklearn/baselines.json", import.meta.url), "utf8"),
) as Vectors;

function graphOf(spec: TaskSpec): FlowGraph {
  const definitions = defineTasks({ features: ["f"], tasks: { asked: spec } });
  return traceFlow(
    definitions.flow("main", (flow, x, out) => {
      out.add(flow.asked(x.f));
    }),
    "main",
  );
}

const labelsOf = (column: Column, units: readonly number[] | null = null): Labels => ({
  answers: Float32Array.from(column, (label) => label ?? Number.NaN),
  unitScale: units === null ? null : Float32Array.from(units),
});

/** Baselines of all metrics on test, learnt on train; rows with any label count. */
function baselinesOf(spec: TaskSpec, train: Labels, own: Labels, width = 1): ReadonlyMap<string, number> {
  const task = graphOf(spec).tasks[0];
  if (task === undefined) throw new Error("the flow has a task");
  const maskOf = ({ answers }: Labels) =>
    Uint8Array.from({ length: answers.length / width }, (_, row) =>
      answers.subarray(row * width, (row + 1) * width).every(Number.isNaN) ? 0 : 1,
    );
  const learnt = learnBaselines([{ task, labels: train, lossMask: maskOf(train) }]).asked;
  if (learnt === undefined) throw new Error("the labels teach a constant answer");
  return baselineValues({ task, labels: own, lossMask: maskOf(own) }, learnt, maskOf(own), metricNames(spec));
}

function expectAll(actual: ReadonlyMap<string, number>, expected: Readonly<Record<string, number>>): void {
  for (const [name, wanted] of Object.entries(expected)) {
    const value = actual.get(name) ?? Number.NaN;
    expect(Math.abs(value - wanted), `${name}: ${value} and ${wanted}`).toBeLessThanOrEqual(
      2e-6 * Math.max(1, Math.abs(wanted)),
    );
  }
}

describe("a baseline is what scikit-learn's dummy comes to", () => {
  it.each(vectors.binary)("where $name", ({ train, test: own, expected }) => {
    expectAll(baselinesOf(binary(), labelsOf(train), labelsOf(own)), expected);
  });

  it.each(vectors.classification)("of $name", ({ classes, train, test: own, expected }) => {
    const spec = classification({ classes: Array.from({ length: classes }, (_, i) => `class ${i}`) });
    expectAll(baselinesOf(spec, labelsOf(train), labelsOf(own)), expected);
  });

  it.each(vectors.multilabel)("of $name", ({ labels, train, test: own, expected }) => {
    const spec = multilabel({ labels: Array.from({ length: labels }, (_, i) => String(i)) });
    expectAll(baselinesOf(spec, labelsOf(train), labelsOf(own), labels), expected);
  });

  it.each(vectors.regression)(
    "of numbers in $name",
    ({ min, max, train, test: own, train_units, test_units, expected }) => {
      const isScaled = train_units.some((unit) => unit !== 1);
      const spec = boundedRegression(isScaled ? { scale: "image-width" } : { min, max });
      const units = (own_: readonly number[]) => (isScaled ? own_ : null);
      expectAll(baselinesOf(spec, labelsOf(train, units(train_units)), labelsOf(own, units(test_units))), expected);
    },
  );
});

test("classes of so many that only summaries are kept have the same baselines as if all scores were", () => {
  const classes = Array.from({ length: 300 }, (_, i) => `tag ${i}`);
  const [train, own] = [7, 11].map((step) => labelsOf(Array.from({ length: 900 }, (_, i) => (i * i * step) % 300)));
  if (train === undefined || own === undefined) throw new Error("two columns");
  const summarized = baselinesOf(classification({ classes, per: "token" }), train, own);
  const whole = baselinesOf(classification({ classes }), train, own);
  expect(summarized.size).toBeGreaterThan(5);
  for (const [name, value] of summarized) expect(value, name).toBeCloseTo(whole.get(name) ?? Number.NaN, 5);
});

describe("the best of all constants, by trying each", () => {
  // skewed: mode 0, median 1, mean 1.6
  const levels = Array.from({ length: 200 }, (_, i) => Math.min(4, Math.floor(5 * ((i * 0.618034) % 1) ** 2)));
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  test("of ordered levels", () => {
    const spec = ordinal({ levels: ["a", "b", "c", "d", "e"] });
    const found = baselinesOf(spec, labelsOf(levels), labelsOf(levels));
    const each = [0, 1, 2, 3, 4];
    expect(found.get("accuracy")).toBe(Math.max(...each.map((z) => meanOf(levels.map((y) => Number(y === z))))));
    const errors = each.map((z) => meanOf(levels.map((y) => Math.abs(y - z))));
    expect(found.get("mean_absolute_error")).toBeCloseTo(Math.min(...errors), 6);
    expect(found.get("quadratic_weighted_kappa")).toBeCloseTo(0, 6);
  });

  test.each(["squared", "absolute", "huber", "log-cosh"] as const)(
    "of numbers without bounds, by the loss %s",
    (loss) => {
      const values = levels.map((level, i) => 100 + 30 * level + (i % 7));
      const mask = new Uint8Array(values.length).fill(1);
      const column = labelsOf(values);
      const spec = behaviourOf(regression({ loss })).fitted(regression({ loss }), () => ({ ...column, mask }));
      const found = baselinesOf(spec, column, column);
      const each = Array.from({ length: 1600 }, (_, i) => 100 + i / 10);
      const errors = each.map((z) => meanOf(values.map((y) => Math.abs(y - z))));
      expect(found.get("mean_absolute_error")).toBeCloseTo(Math.min(...errors), 3);
      const squares = each.map((z) => Math.sqrt(meanOf(values.map((y) => (y - z) ** 2))));
      expect(found.get("root_mean_squared_error")).toBeCloseTo(Math.min(...squares), 3);
      const { mean, deviation } = spec.statistics ?? { mean: 0, deviation: 1 };
      const losses = each.map((z) =>
        meanOf(
          values.map((_, row) => {
            const view = { data: Float32Array.of((z - mean) / deviation), stride: 0, offset: 0 };
            return behaviourOf(spec).lossSum(spec, view, column, row, null);
          }),
        ),
      );
      expect(found.get("loss")).toBeCloseTo(Math.min(...losses), 4);
    },
  );
});

describe("a task of the user's own", () => {
  /** The pinball loss of Koenker and Bassett (1978): its best constant is the quantile. */
  const quantile = (q: number) =>
    defineTask({
      name: `quantile ${q}`,
      width: 1,
      parse: Number,
      loss: ([z = 0], label) => (label >= z ? q * (label - z) : (1 - q) * (z - label)),
      gradient: ([z = 0], label) => [label >= z ? -q : 1 - q],
      activation: (logits) => logits,
      decoder: { parameters: [], decode: ([z = 0]) => z },
      metrics: {
        pinball: {
          compute: (rows) =>
            rows.reduce(
              (sum, { decoded, label }) =>
                sum + (label >= decoded ? q * (label - decoded) : (1 - q) * (decoded - label)),
              0,
            ) / rows.length,
          higherIsBetter: false,
        },
      },
    })();
  const column = Array.from({ length: 401 }, (_, i) => ((i * 37) % 401) / 2 - 60);

  test.each([0.1, 0.5, 0.9])("has the constant of least loss as its baseline (quantile %s)", (q) => {
    const found = baselinesOf(quantile(q), labelsOf(column), labelsOf(column));
    // brute force over all labels: the best constant of this loss is one of them
    const best = Math.min(
      ...column.map(
        (z) => column.reduce((sum, y) => sum + (y >= z ? q * (y - z) : (1 - q) * (z - y)), 0) / column.length,
      ),
    );
    expect(found.get("pinball")).toBeCloseTo(best, 2);
    expect(found.get("loss")).toBeCloseTo(best, 2);
  });

  test("whose loss cannot be computed far from its labels keeps the best constant that was found", () => {
    const counts = defineTask({
      name: "counts",
      width: 1,
      parse: Number,
      // beyond e^4 it refuses, as an overflow would
      loss: ([z = 0], label) => (z > 4 ? Number.NaN : Math.exp(z) - label * z),
      gradient: ([z = 0], label) => [Math.exp(z) - label],
      activation: (logits) => logits,
      decoder: { parameters: [], decode: ([z = 0]) => Math.exp(z) },
      metrics: {
        error: {
          compute: (rows) => rows.reduce((sum, row) => sum + Math.abs(row.decoded - row.label), 0) / rows.length,
          higherIsBetter: false,
        },
      },
    })();
    // the mean is the best rate of a Poisson distribution: 40
    const found = baselinesOf(counts, labelsOf([20, 60]), labelsOf([40]));
    expect(found.get("error")).toBeLessThan(0.1);
  });
});

describe("an evaluation with baselines", () => {
  const tasks = { open: binary(), width: boundedRegression({ max: 10, lossWeight: 2 }) };
  const graph = traceFlow(
    defineTasks({ features: ["f"], tasks }).flow("main", (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.width(x.f).given(out.open));
    }),
    "main",
  );
  const scored = (open: readonly number[], width: readonly number[], labels: readonly [Column, Column]) =>
    scoreSplit(
      graph,
      {
        split: "test",
        ids: open.map(String),
        outputs: [Float32Array.from(open), Float32Array.from(width)],
        labels: labels.map((column) => labelsOf(column)),
      },
      defaultThresholds(graph),
    );
  const train = scored(
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [
      [1, 1, 1, 0],
      [2, 3, 7, null],
    ],
  );
  const baselines = learnBaselines(train.tasks);
  const rowOf = (rows: readonly EvaluationRow[], path: string, metric: string) =>
    rows.find((row) => row.task_path === path && row.metric_name === metric && row.gates === "truth");

  test("marks what a constant does as well, and leaves recall unjudged, which yes alone makes perfect", () => {
    // open: ranks every no above every yes; width: always 5
    const rows = evaluateSplit(
      graph,
      scored(
        [1, 1, 2],
        [0, 0, 0],
        [
          [1, 1, 0],
          [3, 4, null],
        ],
      ),
      ["truth"],
      [],
      baselines,
    );
    expect(rowOf(rows, "open", "accuracy")).toMatchObject({
      metric_res: 2 / 3,
      baseline: 2 / 3,
      beats_baseline: false,
    });
    expect(rowOf(rows, "open", "roc_auc")).toMatchObject({ metric_res: 0, baseline: 0.5, beats_baseline: false });
    expect(rowOf(rows, "open", "recall")).toMatchObject({ metric_res: 1, baseline: 1 });
    expect(rowOf(rows, "open", "recall")).not.toHaveProperty("beats_baseline");
    // the median of train is 3
    expect(rowOf(rows, "width", "mean_absolute_error")).toMatchObject({
      metric_res: 1.5,
      baseline: expect.closeTo(0.5, 5),
      beats_baseline: false,
    });
    const total = totalLoss(graph, rows);
    const [open, width] = ["open", "width"].map((path) => rowOf(rows, path, "loss")?.baseline ?? Number.NaN);
    expect(total.baseline).toBeCloseTo((open ?? 0) + 2 * (width ?? 0), 6);
    expect(shortcomings(graph, rows)).toEqual([
      "no better on test than a constant answer learnt on train: open (accuracy 0.6667, constant 0.6667), width (mean_absolute_error_normalized 0.1500, constant 0.0500)",
      "scores rank worse than chance on test: open/roc_auc 0.0000 (3 samples)",
    ]);
  });

  test("a box that overlaps its label a little, and is further off than a constant, is no better than that", () => {
    const boxes = graphOf(box({ columns: ["x", "y", "w", "h"], scale: "image" }));
    const rowOfBox = (
      metric_name: string,
      metric_res: number,
      baseline: number,
      beats_baseline: boolean,
    ): EvaluationRow => ({
      ...{ split: "test", gates: "truth", task_path: boxes.tasks[0]?.path ?? "", num_samples: 39 },
      ...{ metric_name, metric_res, baseline, beats_baseline },
    });
    const overlaps = rowOfBox("mean_iou", 0.0041, 0, true);
    expect(shortcomings(boxes, [overlaps, rowOfBox("mean_absolute_error", 18.83, 17.98, false)])).toEqual([
      `no better on test than a constant answer learnt on train: ${boxes.tasks[0]?.path} (mean_absolute_error 18.8300, constant 17.9800)`,
    ]);
    expect(shortcomings(boxes, [overlaps, rowOfBox("mean_absolute_error", 8.44, 15.69, true)])).toEqual([]);
  });

  test("has nothing to say of a network that is better everywhere", () => {
    const own = scored(
      [3, 3, -3],
      [-1, -0.4, 0],
      [
        [1, 1, 0],
        [2.7, 4, null],
      ],
    );
    const rows = evaluateSplit(graph, own, ["truth"], [], baselines);
    expect(rowOf(rows, "open", "accuracy")).toMatchObject({ metric_res: 1, baseline: 2 / 3, beats_baseline: true });
    expect(rowOf(rows, "width", "mean_absolute_error")).toMatchObject({ beats_baseline: true });
    expect(shortcomings(graph, rows)).toEqual([]);
  });

  test("a metric that is undefined beats nothing", () => {
    const rows = evaluateSplit(
      graph,
      scored(
        [Number.NaN, 0, 0],
        [0, 0, 0],
        [
          [1, 1, 0],
          [3, 4, null],
        ],
      ),
      ["truth"],
      [],
      baselines,
    );
    expect(rowOf(rows, "open", "accuracy")).toMatchObject({ metric_res: null, beats_baseline: false });
  });

  test("without baselines, as of an older run, rows say nothing of them", () => {
    const [first] = evaluateSplit(graph, train, ["truth"]);
    expect(Object.keys(first ?? {})).toEqual([
      ...["split", "task_path", "metric_name", "metric_res", "num_samples", "gates"],
    ]);
  });

  test("labels alone tell the baselines before any training", () => {
    const labels = [labelsOf([1, 1, 1, 0, 1, 1, 0]), labelsOf([2, 3, 7, null, 3, 4, null])];
    const splits = { train: Int32Array.of(0, 1, 2, 3), valid: new Int32Array(0), test: Int32Array.of(4, 5, 6) };
    const rows = baselineRows(graph, { rows: 7, labels, splits });
    const later = evaluateSplit(
      graph,
      scored(
        [1, 1, 2],
        [0, 0, 0],
        [
          [1, 1, 0],
          [3, 4, null],
        ],
      ),
      ["truth"],
      [],
      baselines,
    );
    expect(rows.filter(({ split }) => split === "test")).toEqual(
      later.map(({ split, task_path, metric_name, baseline, num_samples }) => ({
        ...{ split, task_path, metric_name },
        baseline: baseline ?? null,
        num_samples,
      })),
    );
    expect(rows.some(({ split }) => split === "valid")).toBe(false);
  });
});
