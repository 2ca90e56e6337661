/** @file Slices of a split, and the worst of them: tests against SciPy's values, and a slice that is made worse. */
import { describe, expect, it } from "vitest";
import { selectScored } from "../../../src/analysis/slices/select-rows.js";
import { cutBy, slicerOf } from "../../../src/analysis/slices/slicers.js";
import { rowValues } from "../../../src/analysis/slices/row-values.js";
import { worstSlices } from "../../../src/analysis/slices/worst-slices.js";
import { fisherLower } from "../../../src/analysis/statistics/fisher-exact.js";
import { studentTail } from "../../../src/analysis/statistics/student.js";
import { evaluateSplit } from "../../../src/analysis/evaluate.js";
import { scoreSplit, type SplitOutputs } from "../../../src/analysis/score.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, boundedRegression, multilabel } from "../../../src/tasks/index.js";

describe("statistics", () => {
  it("Student's tails are scipy.stats.t.sf", () => {
    const expected = [
      [0, 5, 0.5],
      [2, 3, 0.06966298427942152],
      [-1.5, 12, 0.9202712482433966],
      [4.2, 150.5, 2.2765104299160633e-5],
      [0.3, 1, 0.4072264209222577],
    ] as const;
    for (const [t, degrees, tail] of expected) expect(studentTail(t, degrees) / tail).toBeCloseTo(1, 10);
  });

  it("Fisher's exact test is scipy.stats.fisher_exact(alternative='less')", () => {
    // [[3, 9], [25, 5]] and [[20, 10], [20, 10]]
    expect(fisherLower(3, 12, 28, 42)).toBeCloseTo(0.0006282455747541383, 12);
    expect(fisherLower(20, 30, 40, 60)).toBeCloseTo(0.6076737132186114, 12);
    expect(fisherLower(0, 2, 0, 10)).toBeCloseTo(1, 12);
  });
});

describe("a column", () => {
  it("of few numbers is cut by each of them, one of many into quarters of the rows", () => {
    const few = slicerOf({ kind: "number", name: "hour", numbers: Float64Array.of(3, 1, Number.NaN, 3) });
    expect(few.names).toEqual(["1", "3"]);
    expect([...few.codes]).toEqual([1, 0, -1, 1]);
    const many = slicerOf({ kind: "number", name: "x", numbers: Float64Array.from({ length: 101 }, (_, i) => i) });
    expect(many.names).toEqual(["0 to <25", "25 to <50", "50 to <75", "75 to 100"]);
    expect([0, 24, 25, 74, 75, 100].map((row) => many.codes[row])).toEqual([0, 0, 1, 2, 3, 3]);
  });

  it("of many texts is searched by the most frequent ones", () => {
    const codes = Int32Array.of(0, 1, 1, 2, 2, 2);
    const slicer = slicerOf({ kind: "text", name: "camera", values: ["a", "b", "c"], codes }, 2);
    expect(slicer.names).toEqual(["c", "b"]);
    expect([...slicer.codes]).toEqual([-1, 1, 1, 0, 0, 0]);
  });

  it("cuts together with another, rows with an empty cell being in none", () => {
    const camera = slicerOf({ kind: "text", name: "camera", values: ["a", "b"], codes: Int32Array.of(0, 1, 0, -1) });
    const hour = slicerOf({ kind: "number", name: "hour", numbers: Float64Array.of(1, 1, 2, 2) });
    const { slices } = cutBy([camera, hour], 4);
    expect(slices.map(({ slice, rows }) => [slice, [...rows]])).toEqual([
      [{ camera: "a", hour: "1" }, [0]],
      [{ camera: "a", hour: "2" }, [2]],
      [{ camera: "b", hour: "1" }, [1]],
    ]);
  });
});

const graph = traceFlow(
  defineTasks({ features: ["f"], tasks: { open: binary(), marks: multilabel({ labels: ["dot", "stripe"] }) } }).flow(
    "all",
    (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.marks(x.f).given(out.open));
    },
  ),
  "all",
);
const thresholds = [[0.5], [0.5, 0.5]];

let state = 5;
const next = (): number => {
  state = (state * 48271) % 2147483647;
  return state / 2147483647;
};

/** Wrong in a tenth of the rows, on camera b at night in half of them. */
function drawn(rows: number) {
  const camera = Int32Array.from({ length: rows }, () => Math.floor(3 * next()));
  const hour = Int32Array.from({ length: rows }, () => Math.floor(4 * next()));
  const open = Array.from({ length: rows }, () => Number(next() < 0.6));
  const wrong = open.map((_, i) => next() < (camera[i] === 1 && hour[i] === 3 ? 0.5 : 0.1));
  const marks = Array.from({ length: 2 * rows }, () => Number(next() < 0.5));
  const outputs: SplitOutputs = {
    split: "test",
    ids: open.map((_, i) => `r${i}`),
    outputs: [
      Float32Array.from(open, (truth, i) => ((truth === 1) === wrong[i] ? -2 : 2)),
      Float32Array.from(marks, (truth) => (next() < 0.1 ? 1 - truth : truth) * 4 - 2),
    ],
    labels: [open, marks].map((answers) => ({ answers: Float32Array.from(answers), unitScale: null })),
  };
  const slicers = [
    { column: "camera", names: ["a", "b", "c"], codes: camera },
    { column: "hour", names: ["0", "1", "2", "3"], codes: hour },
  ];
  return { outputs, slicers, open, wrong, camera, hour };
}

describe("the worst slices", () => {
  const { outputs, slicers, wrong, camera, hour } = drawn(2000);
  const scored = scoreSplit(graph, outputs, thresholds);
  const tasks = rowValues(graph, scored, "truth");

  it("begin with the one that is made worse, with its share by a plain count", () => {
    const { slices, tested } = worstSlices(tasks, slicers);
    // 3 cameras, 4 hours and 12 pairs, for two tasks
    expect(tested).toBe(2 * (3 + 4 + 12));
    const own = wrong.filter((_, i) => camera[i] === 1 && hour[i] === 3);
    expect(slices[0]).toMatchObject({ task_path: "open", slice: { camera: "b", hour: "3" }, n: own.length });
    expect(slices[0]?.value).toBeCloseTo(own.filter((one) => !one).length / own.length, 12);
    expect(slices[0]?.p_holm).toBeLessThan(1e-6);
    const p = slices.map(({ p_value }) => p_value);
    expect(p).toEqual([...p].sort((a, b) => a - b));
  });

  it("are not those of a task by its own labels", () => {
    const own = new Map([["open", ["camera"]]]);
    const { slices } = worstSlices(tasks, slicers, { ownColumns: own });
    expect(slices.filter((one) => one.task_path === "open" && "camera" in one.slice)).toEqual([]);
  });

  it("are less sure where rows come in groups", () => {
    const groups = Int32Array.from({ length: 2000 }, (_, i) => Math.floor(i / 20));
    const single = worstSlices(tasks, slicers).slices[0];
    const grouped = worstSlices(tasks, slicers, { groups }).slices[0];
    expect(grouped?.slice).toEqual(single?.slice);
    expect(grouped?.p_value).toBeGreaterThan(0);
  });

  it("are seldom found where there are none: in at most one of twenty splits", () => {
    let alarms = 0;
    const draws = 200;
    for (let i = 0; i < draws; i++) {
      const codes = (most: number) => Int32Array.from({ length: 150 }, () => Math.floor(most * next()));
      const values = Float64Array.from({ length: 150 }, () => Number(next() < 0.8));
      const task = {
        task_path: "t",
        measure: "accuracy",
        higherIsBetter: true,
        isDecision: true,
        values,
        unanswered: 0,
      };
      const { slices } = worstSlices(
        [task],
        [
          { column: "x", names: ["0", "1", "2"], codes: codes(3) },
          { column: "y", names: ["0", "1"], codes: codes(2) },
        ],
      );
      if (slices.some(({ p_holm }) => p_holm < 0.05)) alarms++;
    }
    expect(alarms / draws).toBeLessThan(0.08);
  });
});

it("answers that are NaN: a decision is not right, a number has no mean error, and its task is not searched", () => {
  const flow = traceFlow(
    defineTasks({ features: ["f"], tasks: { open: binary(), size: boundedRegression({ max: 4 }) } }).flow(
      "all",
      (own, x, out) => {
        out.add(own.open(x.f));
        out.add(own.size(x.f));
      },
    ),
    "all",
  );
  const rows = 40;
  // the first ten rows have no answers; all others are right
  const logits = Float32Array.from({ length: rows }, (_, i) => (i < 10 ? Number.NaN : 3));
  const nan = scoreSplit(
    flow,
    {
      split: "test",
      ids: Array.from({ length: rows }, (_, i) => `r${i}`),
      outputs: [logits, logits],
      labels: [1, 4 / (1 + Math.exp(-3))].map((label) => ({
        answers: new Float32Array(rows).fill(label),
        unitScale: null,
      })),
    },
    [[0.5], []],
  );
  const slicers = [
    { column: "x", names: ["a", "b"], codes: Int32Array.from({ length: rows }, (_, i) => Number(i >= 10)) },
  ];
  const found = worstSlices(rowValues(flow, nan, "truth"), slicers);
  expect(found.tested).toBe(2);
  expect(found.slices).toMatchObject([{ task_path: "open", slice: { x: "a" }, n: 10, value: 0, rest: 1 }]);
  expect(found.warnings).toEqual([expect.stringMatching(/^size is not searched: 10 of its answers are NaN/)]);
  // end to end neither is right, and both are searched
  const user = worstSlices(rowValues(flow, nan, "end_to_end"), slicers);
  expect(user.warnings).toEqual([]);
  expect(user.slices.map(({ task_path, slice }) => [task_path, slice.x])).toEqual([
    ["open", "a"],
    ["size", "a"],
  ]);
  // and a metric over the slice is undefined, its rows being counted
  const slice = evaluateSplit(flow, selectScored(nan, Int32Array.of(8, 9, 10, 11)), ["truth"]);
  for (const [path, name] of [
    ["open", "accuracy"],
    ["size", "mean_absolute_error"],
  ]) {
    const row = slice.find(({ task_path, metric_name }) => task_path === path && metric_name === name);
    expect(row).toMatchObject({ metric_res: null, num_samples: 4 });
  }
});

describe("some rows of a scored split", () => {
  it("are evaluated as a split of these rows alone", () => {
    const { outputs } = drawn(60);
    const rows = Int32Array.of(3, 4, 10, 11, 12, 40, 59);
    const pick = (values: Float32Array, width: number): Float32Array =>
      Float32Array.from([...rows].flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]));
    const alone = scoreSplit(
      graph,
      {
        split: "test",
        ids: Array.from(rows, (row) => `r${row}`),
        outputs: outputs.outputs.map((own, i) => pick(own, i + 1)),
        labels: outputs.labels.map(({ answers }, i) => ({ answers: pick(answers, i + 1), unitScale: null })),
      },
      thresholds,
    );
    const selected = selectScored(scoreSplit(graph, outputs, thresholds), rows);
    expect(selected).toEqual(alone);
    expect(evaluateSplit(graph, selected)).toEqual(evaluateSplit(graph, alone));
  });
});
