/** @file Intervals of metrics against SciPy and plain loops (fixtures/intervals/make.py), and what holds of all of them. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { intervalForm } from "../../../src/analysis/intervals/forms.js";
import { jackknifeIntervals } from "../../../src/analysis/intervals/jackknife.js";
import { studentQuantile } from "../../../src/analysis/intervals/quantiles.js";
import { wilson } from "../../../src/analysis/intervals/shares.js";
import { type Interval, SINGLE, type Units } from "../../../src/analysis/intervals/spread.js";
import { withIntervals } from "../../../src/analysis/intervals/with-intervals.js";
import { evaluateSplit } from "../../../src/analysis/evaluate.js";
import { evaluateEndToEnd } from "../../../src/analysis/end-to-end.js";
import { scoreSplit } from "../../../src/analysis/score.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import type { TaskSpec } from "../../../src/flow/graph.js";
import { binary, boundedRegression, classification, multilabel } from "../../../src/tasks/index.js";

interface Moments {
  readonly value: number;
  readonly single: number;
  readonly grouped: number;
}

const vectors: {
  readonly [column in
    | "groups"
    | "truths"
    | "scores"
    | "decisions"
    | "classes"
    | "answers"
    | "labels"
    | "numbers"]: number[];
} & {
  readonly student: Readonly<Record<string, number>>;
  readonly wilson: Readonly<Record<string, [number, number]>>;
  readonly delong: { readonly value: number; readonly variance: number };
  readonly binary: Readonly<Record<string, Moments>>;
  readonly by_class: Readonly<Record<string, Moments>>;
  readonly accuracy_grouped: Moments;
  readonly errors: { readonly mean: number; readonly standard_error: number; readonly skewness: number };
  readonly r2_log: Moments;
  readonly mse: Moments;
} = JSON.parse(readFileSync(new URL("../../../fixtures/intervals/intervals.json", import.meta.url), "utf8"));

const N = vectors.truths.length;
const GROUPED: Units = { of: Int32Array.from(vectors.groups), count: 30 };
const mask = new Uint8Array(N).fill(1);

function formOf(spec: TaskSpec, labels: number[], decoded: number[], activated: number[], units: Units) {
  const column = Float32Array.from(activated);
  return intervalForm(
    {
      spec,
      logits: column,
      activated: column,
      decoded: Float32Array.from(decoded),
      labels: { answers: Float32Array.from(labels), unitScale: null },
      mask,
    },
    units,
  );
}

const yesNo = (units: Units) => formOf({ kind: "binary" }, vectors.truths, vectors.decisions, vectors.scores, units);
const byClass = (units: Units) =>
  formOf(
    { kind: "classification", classes: ["a", "b", "c", "d"] },
    vectors.classes,
    vectors.answers,
    vectors.answers.flatMap((answer) => [0, 1, 2, 3].map((c) => (c === answer ? 0.7 : 0.1))),
    units,
  );
const byLevel = (units: Units) =>
  formOf({ kind: "ordinal", levels: ["a", "b", "c", "d"] }, vectors.classes, vectors.answers, [], units);
const byNumber = (units: Units) =>
  formOf({ kind: "regression", loss: "squared", statistics: null }, vectors.labels, vectors.numbers, [], units);

const logit = (x: number): number => Math.log(x / (1 - x));

/** The variance that an interval symmetric on a scale was made of. */
function varianceOf(interval: Interval | null | undefined, to: (x: number) => number, slope: number, degrees: number) {
  if (interval == null) return Number.NaN;
  return ((to(interval[1]) - to(interval[0])) / 2 / studentQuantile(degrees) / slope) ** 2;
}

describe("shares", () => {
  it("have the intervals of scipy.stats.binomtest", () => {
    const form = yesNo(SINGLE);
    for (const name of ["accuracy", "precision", "recall"]) {
      const [low, high] = form(name) ?? [Number.NaN, Number.NaN];
      expect(low).toBeCloseTo(vectors.wilson[name]?.[0] ?? Number.NaN, 9);
      expect(high).toBeCloseTo(vectors.wilson[name]?.[1] ?? Number.NaN, 9);
    }
    expect(wilson(0, 17)[1]).toBeCloseTo(vectors.wilson.none?.[1] ?? Number.NaN, 9);
    expect(wilson(1, 17)[0]).toBeCloseTo(vectors.wilson.all?.[0] ?? Number.NaN, 9);
    expect(byClass(SINGLE)("accuracy_1")?.[0]).toBeCloseTo(vectors.wilson.accuracy_1?.[0] ?? Number.NaN, 9);
  });

  it("of groups have Wilson's of the effective number of answers", () => {
    const { value, grouped } = vectors.accuracy_grouped;
    const count = ((value * (1 - value)) / grouped) * (studentQuantile(N - 1) / studentQuantile(29)) ** 2;
    const [low, high] = yesNo(GROUPED)("accuracy") ?? [Number.NaN, Number.NaN];
    const expected = wilson(value, Math.min(N, count));
    expect(low).toBeCloseTo(expected[0], 9);
    expect(high).toBeCloseTo(expected[1], 9);
  });
});

it("Student's quantiles are SciPy's", () => {
  for (const [degrees, quantile] of Object.entries(vectors.student)) {
    expect(studentQuantile(Number(degrees))).toBeCloseTo(quantile, 3);
  }
});

it("the area under the ROC curve has DeLong's variance, as comparing every pair gives it", () => {
  const { value, variance } = vectors.delong;
  const own = varianceOf(yesNo(SINGLE)("roc_auc"), logit, 1 / (value * (1 - value)), N - 1);
  expect(own).toBeCloseTo(variance, 9);
});

describe.each([
  ["single answers", SINGLE, "single", N - 1],
  ["groups", GROUPED, "grouped", 29],
] as const)("by the delta method over %s", (_, units, which, degrees) => {
  it.each(["matthews_correlation", "cohen_kappa"])("%s of a yes-or-no question has its variance", (name) => {
    const { value, [which]: variance } = vectors.binary[name] as Moments;
    const own = varianceOf(yesNo(units)(name), Math.atanh, 1 / (1 - value * value), degrees);
    expect(own / variance).toBeCloseTo(1, 4);
  });

  it("average precision has its variance", () => {
    const { value, [which]: variance } = vectors.binary.average_precision as Moments;
    const own = varianceOf(yesNo(units)("average_precision"), logit, 1 / (value * (1 - value)), degrees);
    expect(own / variance).toBeCloseTo(1, 4);
  });

  it.each(["f1_score", "precision", "f1_score_weighted"])("%s over classes has its variance", (name) => {
    const { value, [which]: variance } = vectors.by_class[name] as Moments;
    const own = varianceOf(byClass(units)(name), logit, 1 / (value * (1 - value)), degrees);
    expect(own / variance).toBeCloseTo(1, 4);
  });

  it.each(["matthews_correlation", "cohen_kappa", "quadratic_weighted_kappa"])(
    "%s of classes has its variance",
    (name) => {
      const { value, [which]: variance } = vectors.by_class[name] as Moments;
      const form = name.startsWith("quadratic") ? byLevel(units) : byClass(units);
      const own = varianceOf(form(name), Math.atanh, 1 / (1 - value * value), degrees);
      expect(own / variance).toBeCloseTo(1, 4);
    },
  );

  it("R² has that of log(1 − R²)", () => {
    const { [which]: variance } = vectors.r2_log;
    const own = varianceOf(byNumber(units)("r2"), (x) => -Math.log(1 - x), 1, degrees);
    expect(own / variance).toBeCloseTo(1, 4);
  });
});

it("F1 is a function of the share TP / (TP + FP + FN), near to the delta method's", () => {
  const { value, single } = vectors.binary.f1_score as Moments;
  const [low, high] = yesNo(SINGLE)("f1_score") ?? [Number.NaN, Number.NaN];
  expect((high - low) / (2 * 1.96 * Math.sqrt(single))).toBeCloseTo(1, 1);
  expect(low < value && value < high).toBe(true);
});

describe("every row twice, in groups of its two copies", () => {
  const twice = (column: number[], width = 1): number[] =>
    Array.from({ length: column.length / width }, (_, i) => column.slice(i * width, (i + 1) * width)).flatMap((row) => [
      ...row,
      ...row,
    ]);
  const pairs: Units = { of: Int32Array.from({ length: 2 * N }, (_, i) => Math.floor(i / 2)), count: N };

  it.each(["accuracy", "precision", "recall", "f1_score", "roc_auc", "average_precision", "cohen_kappa", "log_loss"])(
    "is no more evidence of %s than every row once",
    (name) => {
      const column = Float32Array.from(twice(vectors.scores));
      const form = intervalForm(
        {
          spec: { kind: "binary" },
          logits: column,
          activated: column,
          decoded: Float32Array.from(twice(vectors.decisions)),
          labels: { answers: Float32Array.from(twice(vectors.truths)), unitScale: null },
          mask: new Uint8Array(2 * N).fill(1),
        },
        pairs,
      );
      const [once, again] = [yesNo(SINGLE)(name), form(name)].map((own) =>
        own == null ? Number.NaN : own[1] - own[0],
      );
      expect((again ?? Number.NaN) / (once ?? Number.NaN)).toBeGreaterThan(0.97);
      expect((again ?? Number.NaN) / (once ?? Number.NaN)).toBeLessThan(1.03);
    },
  );
});

it("a mean error follows the skew of its errors: Hall's interval by its formula", () => {
  const { mean, standard_error, skewness } = vectors.errors;
  const [low, high] = byNumber(SINGLE)("mean_absolute_error") ?? [Number.NaN, Number.NaN];
  const skew = skewness / Math.sqrt(N);
  // the ends are where the transformed statistic is Student's quantile
  const transformed = (end: number): number => {
    const t = (mean - end) / standard_error;
    return t + (skew * (t * t)) / 3 + (skew * skew * t ** 3) / 27 + skew / 6;
  };
  expect(transformed(low)).toBeCloseTo(studentQuantile(N - 1), 6);
  expect(transformed(high)).toBeCloseTo(-studentQuantile(N - 1), 6);
  expect(high - mean).toBeGreaterThan(mean - low);
});

it("the jackknife of a mean is near to its standard error, and leaves out whole groups", () => {
  const value = (some: Uint8Array): number => {
    const own = vectors.labels.filter((_, i) => some[i] === 1);
    return own.reduce((sum, x) => sum + x, 0) / own.length;
  };
  const metric = (some: Uint8Array) => [{ name: "mean", value: value(some), count: N }];
  const [low, high] = jackknifeIntervals(mask, SINGLE, metric).get("mean") ?? [Number.NaN, Number.NaN];
  const mean = value(mask);
  const variance = vectors.labels.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (N - 1) / N;
  expect((high - low) / (2 * studentQuantile(19) * Math.sqrt(variance))).toBeGreaterThan(0.6);
  expect((high - low) / (2 * studentQuantile(19) * Math.sqrt(variance))).toBeLessThan(1.5);
  expect(jackknifeIntervals(new Uint8Array(10).fill(1), SINGLE, metric).size).toBe(0);
});

describe("answers that are all right", () => {
  const truths = Array.from({ length: 40 }, (_, i) => i % 2);
  const ones = new Uint8Array(40).fill(1);
  const form = intervalForm(
    {
      spec: { kind: "binary" },
      logits: Float32Array.from(truths),
      activated: Float32Array.from(truths, (t) => (t === 1 ? 0.9 : 0.1)),
      decoded: Float32Array.from(truths),
      labels: { answers: Float32Array.from(truths), unitScale: null },
      mask: ones,
    },
    SINGLE,
  );

  it.each([
    "accuracy",
    "f1_score",
    "roc_auc",
    "average_precision",
    "matthews_correlation",
    "cohen_kappa",
    "f1_score_macro",
  ])("have an interval of %s that ends at 1 and does not begin there", (name) => {
    const [low, high] = form(name) ?? [Number.NaN, Number.NaN];
    expect(high).toBe(1);
    expect(low).toBeGreaterThan(0.6);
    expect(low).toBeLessThan(1);
  });
});

describe("an evaluation", () => {
  const graph = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: {
        open: binary(),
        color: classification({ classes: ["red", "green", "blue"] }),
        marks: multilabel({ labels: ["dot", "stripe"] }),
        x: boundedRegression({ min: 0, max: 10 }),
      },
    }).flow("all", (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.color(x.f).given(out.open));
      out.add(flow.marks(x.f).given(out.color.is("blue").not()));
      out.add(flow.x(x.f).given(out.open));
    }),
    "all",
  );
  let state = 1;
  const next = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const rows = 300;
  const labels = {
    open: Array.from({ length: rows }, () => Number(next() < 0.7)),
    color: Array.from({ length: rows }, () => Math.floor(3 * next())),
    marks: Array.from({ length: 2 * rows }, () => Number(next() < 0.4)),
    x: Array.from({ length: rows }, () => 10 * next()),
  };
  const noisy = (truths: number[]): Float32Array =>
    Float32Array.from(truths, (t) => (2 * t - 1) * 1.5 + 4 * next() - 2);
  const scored = scoreSplit(
    graph,
    {
      split: "test",
      ids: Array.from({ length: rows }, (_, i) => String(i)),
      outputs: [
        noisy(labels.open),
        noisy(labels.color.flatMap((c) => [0, 1, 2].map((i) => Number(i === c)))),
        noisy(labels.marks),
        Float32Array.from(labels.x, (value) => Math.log((value + 0.1) / (10.1 - value)) + next() - 0.5),
      ],
      labels: Object.values(labels).map((answers) => ({ answers: Float32Array.from(answers), unitScale: null })),
    },
    [[0.5], [], [0.5, 0.5], []],
  );
  const evaluation = [...evaluateSplit(graph, scored), ...evaluateEndToEnd(graph, scored)];

  it("has an interval around every metric of every kind of gates", () => {
    const found = withIntervals(graph, scored, evaluation);
    expect(found).toHaveLength(evaluation.length);
    const without = found.filter(({ interval, metric_res }) => metric_res !== null && interval == null);
    expect(without.map(({ task_path, metric_name, gates }) => [task_path, metric_name, gates])).toEqual([]);
    for (const { interval, metric_res, metric_name } of found) {
      if (interval == null || metric_res === null) continue;
      expect(interval[0], metric_name).toBeLessThanOrEqual(metric_res);
      expect(interval[1], metric_name).toBeGreaterThanOrEqual(metric_res);
    }
  });

  it("gives other splits none", () => {
    const other = evaluation.map((row) => ({ ...row, split: "valid" as const }));
    expect(withIntervals(graph, scored, other)).toEqual(other);
  });
});

describe("in simulations of 120 rows", () => {
  let state = 99;
  const next = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());

  /** 40 % yes; scores of yes and no are 1.5 deviations apart. */
  function draw(rows: number, units: Units = SINGLE) {
    const truths = Float32Array.from({ length: rows }, () => Number(next() < 0.4));
    const activated = truths.map((t) => 1 / (1 + Math.exp(-(normal() + 1.5 * t - 0.75))));
    const decoded = activated.map((score) => Number(score >= 0.5));
    const all = new Uint8Array(rows).fill(1);
    const labels = { answers: truths, unitScale: null };
    return intervalForm({ spec: { kind: "binary" }, logits: activated, activated, decoded, labels, mask: all }, units);
  }
  const exact = (() => {
    const form = draw(150_000);
    return (name: string): number => {
      const [low, high] = form(name) ?? [Number.NaN, Number.NaN];
      return (low + high) / 2;
    };
  })();
  const names = [
    "accuracy",
    "precision",
    "f1_score",
    "roc_auc",
    "average_precision",
    "matthews_correlation",
    "log_loss",
  ];

  it("nineteen of twenty intervals of a yes-or-no question hold the metric of endless rows", () => {
    const truth = new Map(names.map((name) => [name, exact(name)]));
    const held = new Map(names.map((name) => [name, 0]));
    const draws = 500;
    for (let i = 0; i < draws; i++) {
      const form = draw(120);
      for (const name of names) {
        const [low, high] = form(name) ?? [Number.NaN, Number.NaN];
        const value = truth.get(name) ?? Number.NaN;
        if (low <= value && value <= high) held.set(name, (held.get(name) ?? 0) + 1);
      }
    }
    for (const [name, count] of held) {
      expect(count / draws, name).toBeGreaterThan(0.925);
      expect(count / draws, name).toBeLessThan(0.98);
    }
  });

  it("and of skewed errors: exponential ones, of 30 rows", () => {
    let held = 0;
    const draws = 2000;
    for (let i = 0; i < draws; i++) {
      const errors = Float32Array.from({ length: 30 }, () => -Math.log(next()));
      const form = intervalForm(
        {
          spec: { kind: "regression", loss: "squared", statistics: null },
          logits: errors,
          activated: errors,
          decoded: errors,
          labels: { answers: new Float32Array(30), unitScale: null },
          mask: new Uint8Array(30).fill(1),
        },
        SINGLE,
      );
      const [low, high] = form("mean_absolute_error") ?? [Number.NaN, Number.NaN];
      if (low <= 1 && 1 <= high) held++;
    }
    expect(held / draws).toBeGreaterThan(0.93);
    expect(held / draws).toBeLessThan(0.975);
  });
});
