/** @file Two runs sample by sample, on a flow of four tasks with labels and answers written by hand. */
import { describe, expect, it } from "vitest";
import { compareSamples, pairRows, type SampleOptions } from "../../../src/analysis/comparison/compare-samples.js";
import { scoreSplit } from "../../../src/analysis/index.js";
import { createRandom } from "../../../src/data/rng.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, boundedRegression, box, classification, multilabel, point } from "../../../src/tasks/index.js";

const NONE = Number.NaN;

const definitions = defineTasks({
  features: ["features"],
  tasks: {
    present: binary(),
    color: classification({ classes: ["red", "green", "blue"] }),
    marks: multilabel({ labels: ["stripe", "dot"] }),
    x: boundedRegression({ max: 10 }),
  },
}).flow("full", (flow, x, out) => {
  out.add(flow.present(x.features));
  out.add(flow.color(x.features).given(out.present));
  out.add(flow.marks(x.features));
  out.add(flow.x(x.features));
});
const graph = traceFlow(definitions, "full");

interface Row {
  readonly id: string;
  /** Labels; NaN is missing. */
  readonly labels: { present?: number; color?: number; marks?: readonly [number, number]; x?: number };
  /** Logits of present, one-hot class of color, logits of marks, and x in [0, 1]. */
  readonly answers: { present?: number; color?: number; marks?: readonly [number, number]; x?: number };
}

/** Scores rows by their labels and answers; what is not given is missing, or answered by 0. */
function scored(rows: readonly Row[]) {
  const flat = (values: readonly (number | readonly number[])[]) => Float32Array.from(values.flat());
  const labels = [
    flat(rows.map(({ labels }) => labels.present ?? NONE)),
    flat(rows.map(({ labels }) => labels.color ?? NONE)),
    flat(rows.map(({ labels }) => labels.marks ?? [NONE, NONE])),
    flat(rows.map(({ labels }) => labels.x ?? NONE)),
  ];
  const logit = (fraction: number): number => Math.log(fraction / (1 - fraction));
  const logits = [
    flat(rows.map(({ answers }) => answers.present ?? 0)),
    flat(rows.map(({ answers }) => [0, 1, 2].map((i) => (i === (answers.color ?? 0) ? 5 : 0)))),
    flat(rows.map(({ answers }) => answers.marks ?? [0, 0])),
    flat(rows.map(({ answers }) => logit(answers.x ?? 0.5))),
  ];
  return scoreSplit(
    graph,
    {
      split: "test",
      ids: rows.map(({ id }) => id),
      outputs: logits,
      labels: labels.map((answers) => ({ answers, unitScale: null })),
    },
    [[0.5], [], [0.5, 0.5], []],
  );
}

const options = (changes: Partial<SampleOptions> = {}): SampleOptions => ({
  gates: "truth",
  top: 10,
  randomOf: (path) => {
    const random = createRandom(path);
    return (bound) => random.int(bound);
  },
  ...changes,
});

const taskOf = (comparison: ReturnType<typeof compareSamples>, path: string) => {
  const task = comparison.tasks.find(({ task_path }) => task_path === path);
  if (task === undefined) throw new Error(`no task ${path}`);
  return task;
};

describe("rows of two runs", () => {
  it("are matched by sample, repeated samples in their order", () => {
    expect(pairRows(["a", "b", "a", "c"], ["c", "a", "x", "a", "a"])).toEqual([
      [0, 1],
      [2, 3],
      [3, 0],
    ]);
  });

  it("say how many samples are shared and how many are not", () => {
    const row = (id: string): Row => ({ id, labels: {}, answers: {} });
    const comparison = compareSamples(scored(["a", "b"].map(row)), scored(["b", "c", "d"].map(row)), options());
    expect(comparison).toMatchObject({ shared: 1, unshared: [1, 2] });
  });
});

describe("decisions", () => {
  // present: 6 right → wrong, 1 wrong → right, 1 right in both; 2 · (1 + 7) / 2⁷ = 0.125
  const rows = (second: boolean): Row[] =>
    Array.from({ length: 8 }, (_, i) => {
      const isRight = i === 7 || (second ? i === 6 : i !== 6);
      return { id: `s${i}`, labels: { present: 1 }, answers: { present: isRight ? 2 : -1 - i } };
    });
  const comparison = compareSamples(scored(rows(false)), scored(rows(true)), options({ top: 2 }));
  const present = taskOf(comparison, "present");

  it("are tested by McNemar's exact test", () => {
    expect(present).toMatchObject({
      measure: "accuracy",
      test: "mcnemar_exact",
      n: 8,
      relabelled: 0,
      values: [7 / 8, 2 / 8],
      difference: -5 / 8,
      interval: null,
      p_value: expect.closeTo(0.125, 12),
    });
  });

  it("name the samples that flipped, the largest change of the loss first", () => {
    expect(present.worse).toEqual({
      count: 6,
      samples: [
        { sample: "s5", label: true, first: true, second: false },
        { sample: "s4", label: true, first: true, second: false },
      ],
    });
    expect(present.better).toEqual({
      count: 1,
      samples: [{ sample: "s6", label: true, first: false, second: true }],
    });
  });

  it("of a multilabel task are right where every known label is", () => {
    const of = (marks: readonly [number, number]) =>
      scored([
        { id: "a", labels: { marks: [1, 0] }, answers: { marks } },
        { id: "b", labels: { marks: [1, NONE] }, answers: { marks } },
      ]);
    const marks = taskOf(compareSamples(of([3, 3]), of([3, -3]), options()), "marks");
    expect(marks).toMatchObject({ measure: "exact_match", n: 2, values: [0.5, 1] });
    expect(marks.better.samples).toEqual([
      { sample: "a", label: ["stripe"], first: ["stripe", "dot"], second: ["stripe"] },
    ]);
  });
});

describe("errors", () => {
  it("have a bootstrap-t interval of the paired difference in label units", () => {
    // the error is 1 in the first run and 2, 3 or 4 in the second
    const of = (error: (i: number) => number) =>
      scored(
        Array.from(
          { length: 30 },
          (_, i): Row => ({ id: `s${i}`, labels: { x: 5 }, answers: { x: 0.5 + error(i) / 10 } }),
        ),
      );
    const comparison = compareSamples(
      of(() => -1),
      of((i) => 2 + (i % 3)),
      options(),
    );
    const x = taskOf(comparison, "x");
    expect(x).toMatchObject({ measure: "absolute_error", test: "sign_flip", n: 30 });
    expect(x.values[0]).toBeCloseTo(1, 5);
    expect(x.values[1]).toBeCloseTo(3, 5);
    expect(x.difference).toBeCloseTo(2, 5);
    // standard error √(2/3) / √30 = 0.149
    expect(x.interval?.[0]).toBeCloseTo(2 - 1.96 * 0.149, 1);
    expect(x.interval?.[1]).toBeCloseTo(2 + 1.96 * 0.149, 1);
    // of 2,000 random flips none is as far from 0
    expect(x.p_value).toBeCloseTo(1 / 2001, 12);
    expect([x.worse.count, x.better.count]).toEqual([30, 0]);
    expect(x.worse.samples[0]?.sample).toBe("s2");
  });
});

describe("samples that count", () => {
  const of = (answer: number, label: number, gate = 1) =>
    scored([
      { id: "a", labels: { present: 1, color: label }, answers: { present: answer, color: 1 } },
      { id: "b", labels: { present: gate, color: 1 }, answers: { present: 3, color: 2 } },
    ]);

  it("are active and labelled, with one label in both runs", () => {
    expect(taskOf(compareSamples(of(3, 1), of(3, 2), options()), "color")).toMatchObject({ n: 1, relabelled: 1 });
    // the gate of b is false in the second run's labels
    expect(taskOf(compareSamples(of(3, 1), of(3, 1, 0), options()), "color")).toMatchObject({ n: 1, relabelled: 0 });
  });

  it("are asked by both networks where gates are predicted", () => {
    const comparison = compareSamples(of(3, 1), of(-3, 1), options({ gates: "predicted" }));
    expect(taskOf(comparison, "color").n).toBe(1);
    expect(taskOf(comparison, "present").n).toBe(2);
  });

  it("may be none: then nothing is tested", () => {
    const empty = () => scored([{ id: "a", labels: {}, answers: {} }]);
    expect(taskOf(compareSamples(empty(), empty(), options()), "x")).toMatchObject({
      n: 0,
      values: [null, null],
      difference: null,
      interval: null,
      p_value: null,
      p_holm: null,
    });
  });
});

describe("several tasks", () => {
  it("have p-values adjusted by the number of tests that were made", () => {
    const of = (logit: number) =>
      scored(
        Array.from(
          { length: 6 },
          (_, i): Row => ({
            id: `s${i}`,
            labels: { present: 1, marks: [1, 1] },
            answers: { present: logit, marks: [3, 3] },
          }),
        ),
      );
    const comparison = compareSamples(of(2), of(-2), options());
    // 2 / 2⁶, two tests: present and marks; color and x have no labels
    expect(taskOf(comparison, "present")).toMatchObject({
      p_value: expect.closeTo(1 / 32, 12),
      p_holm: expect.closeTo(2 / 32, 12),
    });
    expect(taskOf(comparison, "marks")).toMatchObject({ p_value: 1, p_holm: 1 });
  });

  it("that only one run has, or that are of another kind, are left out with the reason", () => {
    const other = defineTasks({
      features: ["features"],
      tasks: { present: binary(), color: classification({ classes: ["red", "blue"] }), x: binary(), y: binary() },
    }).flow("full", (flow, x, out) => {
      out.add(flow.present(x.features));
      out.add(flow.color(x.features));
      out.add(flow.x(x.features));
      out.add(flow.y(x.features));
    });
    const second = scoreSplit(
      traceFlow(other, "full"),
      {
        split: "test",
        ids: ["a"],
        outputs: [1, 2, 1, 1].map((width) => new Float32Array(width)),
        labels: [1, 1, 1, 1].map(() => ({ answers: Float32Array.of(1), unitScale: null })),
      },
      [[0.5], [], [0.5], [0.5]],
    );
    const comparison = compareSamples(scored([{ id: "a", labels: {}, answers: {} }]), second, options());
    expect(comparison.tasks.map(({ task_path }) => task_path)).toEqual(["present"]);
    expect(comparison.skipped_tasks).toEqual([
      { task_path: "color", reason: "its classes or labels differ" },
      { task_path: "marks", reason: "only the first run has it" },
      { task_path: "x", reason: "it is boundedRegression in the first run and binary in the second" },
      { task_path: "y", reason: "only the second run has it" },
    ]);
  });
});

describe("figures on the picture", () => {
  const pictures = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: { face: box({ columns: ["x", "y", "w", "h"] }), eye: point({ columns: ["x", "y"] }) },
    }).flow("main", (flow, x, out) => {
      out.add(flow.face(x.f));
      out.add(flow.eye(x.f));
    }),
    "main",
  );
  const logit = (fraction: number): number => Math.log(fraction / (1 - fraction));

  /** One picture whose face fills its left half; the answer is so wide, and the eye so far to the right. */
  const answered = (width: number, right: number) =>
    scoreSplit(
      pictures,
      {
        split: "test",
        ids: ["a"],
        outputs: [
          Float32Array.from([0.25, 0.5, width, 0.999_999], logit),
          Float32Array.from([0.5 + right, 0.5], logit),
        ],
        labels: [
          { answers: Float32Array.of(0, 0, 0.5, 1), unitScale: null },
          { answers: Float32Array.of(0.5, 0.5), unitScale: null },
        ],
      },
      [[], []],
    );

  it("are compared by their overlap, of which more is better, and by their distance, of which less is", () => {
    const { tasks } = compareSamples(answered(0.25, 0.1), answered(0.5, 0.3), options());
    const said = tasks.map(({ measure, values, worse, better }) => ({
      measure,
      values: values.map((value) => Number(value?.toFixed(4))),
      worse: worse.count,
      better: better.count,
    }));
    expect(said).toEqual([
      { measure: "iou", values: [0.5, 1], worse: 0, better: 1 },
      { measure: "distance", values: [0.1, 0.3], worse: 1, better: 0 },
    ]);
  });
});
