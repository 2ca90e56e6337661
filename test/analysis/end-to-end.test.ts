/** @file What a user gets, end to end, against plain loops over answers with one more class: nothing. */
import { describe, expect, it } from "vitest";
import { evaluateEndToEnd } from "../../src/analysis/end-to-end.js";
import { scoreSplit } from "../../src/analysis/score.js";
import { at, f32At } from "../../src/arrays.js";
import { createRandom } from "../../src/data/rng.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";
import { binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";

const CLASSES = ["red", "green", "blue"] as const;
const LABELS = ["dot", "stripe"] as const;
const NOTHING = "nothing";

const definitions = defineTasks({
  features: ["f"],
  tasks: {
    open: binary(),
    locked: binary(),
    color: classification({ classes: CLASSES }),
    marks: multilabel({ labels: LABELS }),
    x: boundedRegression({ min: 0, max: 10 }),
  },
}).flow("all", (flow, x, out) => {
  out.add(flow.open(x.f));
  out.add(flow.locked(x.f).given(out.open.not()));
  out.add(flow.color(x.f).given(out.open));
  out.add(flow.marks(x.f).given(out.color.is("blue").not()));
  out.add(flow.x(x.f).given(out.open.and(out.color.is("red"))));
});
const graph = traceFlow(definitions, "all");

/** One row as the labels say and as the network says; undefined: not asked, null: asked, and the label is missing. */
interface Row {
  readonly open: readonly [boolean | null, boolean];
  readonly locked: readonly [boolean | null, boolean];
  readonly color: readonly [number | null, number];
  readonly marks: readonly [readonly number[] | null, readonly number[]];
  readonly x: readonly [number | null, number];
}

function drawRows(count: number, missing: number): Row[] {
  const random = createRandom(`end to end ${missing}`);
  const truth = (): boolean => random.next() < 0.6;
  const kept = <T>(value: T): T | null => (random.next() < missing ? null : value);
  const flip = (value: boolean): boolean => (random.next() < 0.25 ? !value : value);
  return Array.from({ length: count }, (): Row => {
    const [open, locked, color] = [truth(), truth(), random.int(3)];
    const marks = [random.int(2), random.int(2)];
    const x = 10 * random.next();
    return {
      open: [kept(open), flip(open)],
      locked: [kept(locked), flip(locked)],
      color: [kept(color), random.next() < 0.3 ? random.int(3) : color],
      marks: [kept(marks), marks.map((mark) => (random.next() < 0.2 ? 1 - mark : mark))],
      x: [kept(x), Math.min(10, Math.max(0, x + 2 * random.next() - 1))],
    };
  });
}

const number = (value: boolean | number | null): number => (value === null ? Number.NaN : Number(value));
const logit = (p: number): number => Math.log(p / (1 - p));

function evaluated(rows: readonly Row[], tolerance?: number): EvaluationRow[] {
  const column = (of: (row: Row) => readonly number[]) => Float32Array.from(rows.flatMap((row) => [...of(row)]));
  const sure = (yes: boolean | number): number => (yes ? 4 : -4);
  const scored = scoreSplit(
    graph,
    {
      split: "test",
      ids: rows.map((_, i) => String(i)),
      outputs: [
        column(({ open }) => [sure(open[1])]),
        column(({ locked }) => [sure(locked[1])]),
        column(({ color }) => [0, 1, 2].map((i) => sure(i === color[1]))),
        column(({ marks }) => marks[1].map(sure)),
        column(({ x }) => [logit(Math.min(0.9999, Math.max(0.0001, x[1] / 10)))]),
      ],
      labels: [
        column(({ open }) => [number(open[0])]),
        column(({ locked }) => [number(locked[0])]),
        column(({ color }) => [number(color[0])]),
        column(({ marks }) => marks[0] ?? [Number.NaN, Number.NaN]),
        column(({ x }) => [number(x[0])]),
      ].map((answers) => ({ answers, unitScale: null })),
    },
    [[0.5], [0.5], [], [0.5, 0.5], []],
  );
  return evaluateEndToEnd(graph, scored, tolerance);
}

const metricOf = (rows: readonly EvaluationRow[], task: string, metric: string): number | null => {
  const row = rows.find(({ task_path, metric_name }) => task_path === task && metric_name === metric);
  if (row === undefined) throw new Error(`no ${task}/${metric}`);
  return row.metric_res;
};

/** What is said of a row without missing labels: by the labels or by the network, NOTHING where it is not asked. */
function said(row: Row, side: 0 | 1): Record<keyof Row, string> {
  const open = row.open[side] === true;
  const color = open ? at(CLASSES, row.color[side] ?? -1) : NOTHING;
  const marked = open && color !== "blue";
  return {
    open: String(open),
    locked: open ? NOTHING : String(row.locked[side]),
    color,
    marks: marked ? String(row.marks[side]) : NOTHING,
    x: color === "red" ? "a number" : NOTHING,
  };
}

/** Precision, recall and F1 of one thing that may be said. */
function scores(truths: readonly boolean[], answers: readonly boolean[]): [number, number, number] {
  const both = truths.filter((truth, i) => truth && answers[i] === true).length;
  const [said, due] = [answers.filter(Boolean).length, truths.filter(Boolean).length];
  return [said === 0 ? 0 : both / said, due === 0 ? 0 : both / due, said + due === 0 ? 0 : (2 * both) / (said + due)];
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("answers as a user gets them", () => {
  const rows = drawRows(400, 0);
  const result = evaluated(rows);
  const truths = rows.map((row) => said(row, 0));
  const answers = rows.map((row) => said(row, 1));
  const concerned = (task: keyof Row) =>
    rows.flatMap((_, i) => (truths[i]?.[task] !== NOTHING || answers[i]?.[task] !== NOTHING ? [i] : []));

  it.each([
    ["locked", "accuracy"],
    ["color", "accuracy_1"],
  ] as const)("of %s have as %s the share of equal ones among those due or given", (task, metric) => {
    const own = concerned(task);
    const equal = own.filter((i) => truths[i]?.[task] === answers[i]?.[task]).length;
    expect(metricOf(result, task, metric)).toBeCloseTo(equal / own.length, 12);
    const row = result.find(({ task_path, metric_name }) => task_path === task && metric_name === metric);
    expect(row).toMatchObject({ num_samples: own.length, gates: "end_to_end", split: "test" });
  });

  it("of a class have the precision, recall and F1 of saying it, nothing being one more class", () => {
    const each = CLASSES.map((name) =>
      scores(
        truths.map(({ color }) => color === name),
        answers.map(({ color }) => color === name),
      ),
    );
    (["precision", "recall", "f1_score"] as const).forEach((metric, k) => {
      CLASSES.forEach((name, c) => {
        expect(metricOf(result, "color", `${metric}/${name}`)).toBeCloseTo(at(at(each, c), k), 12);
      });
      expect(metricOf(result, "color", metric)).toBeCloseTo(meanOf(each.map((one) => at(one, k))), 12);
    });
  });

  it("of a yes-or-no task count its yes, given and due", () => {
    const [precision, recall, f1] = scores(
      truths.map(({ locked }) => locked === "true"),
      answers.map(({ locked }) => locked === "true"),
    );
    expect(metricOf(result, "locked", "precision")).toBeCloseTo(precision, 12);
    expect(metricOf(result, "locked", "recall")).toBeCloseTo(recall, 12);
    expect(metricOf(result, "locked", "f1_score")).toBeCloseTo(f1, 12);
  });

  it("of several labels are right by their share", () => {
    const own = concerned("marks");
    const right = own.map((i) => {
      if (truths[i]?.marks === NOTHING || answers[i]?.marks === NOTHING) return 0;
      const [labels, given] = at(rows, i).marks;
      return meanOf(given.map((mark, k) => Number(mark === labels?.[k])));
    });
    expect(metricOf(result, "marks", "accuracy")).toBeCloseTo(meanOf(right), 12);
    const dots = scores(
      rows.map((row, i) => truths[i]?.marks !== NOTHING && row.marks[0]?.[0] === 1),
      rows.map((row, i) => answers[i]?.marks !== NOTHING && row.marks[1][0] === 1),
    );
    expect(metricOf(result, "marks", "f1_score/dot")).toBeCloseTo(dots[2], 12);
  });

  it.each([0.02, 0.05, 0.2])("of numbers are right within %f of their range where they are due", (tolerance) => {
    const own = concerned("x");
    const both = own.filter((i) => truths[i]?.x !== NOTHING && answers[i]?.x !== NOTHING);
    const errors = both.map((i) => Math.abs((at(rows, i).x[0] ?? Number.NaN) - at(rows, i).x[1]));
    const found = evaluated(rows, tolerance);
    const right = errors.filter((error) => error <= 10 * tolerance).length;
    expect(Math.abs((metricOf(found, "x", "within_tolerance") ?? 0) - right / own.length)).toBeLessThan(
      1.5 / own.length,
    );
    expect(metricOf(found, "x", "mean_absolute_error")).toBeCloseTo(meanOf(errors), 2);
  });

  it("say how well is asked", () => {
    const asked = answers.filter(({ marks }) => marks !== NOTHING).length;
    const due = truths.filter(({ marks }) => marks !== NOTHING).length;
    const both = truths.filter(({ marks }, i) => marks !== NOTHING && answers[i]?.marks !== NOTHING).length;
    expect(metricOf(result, "marks", "asked_precision")).toBeCloseTo(both / asked, 12);
    expect(metricOf(result, "marks", "asked_recall")).toBeCloseTo(both / due, 12);
    expect(result.some(({ task_path, metric_name }) => task_path === "open" && metric_name === "asked_recall")).toBe(
      false,
    );
  });

  it("make a tree that is right where all of it is", () => {
    const right = rows.filter((row, i) => {
      const [truth, answer] = [at(truths, i), at(answers, i)];
      const isNear = truth.x === NOTHING || Math.abs((row.x[0] ?? 0) - row.x[1]) <= 0.5;
      return isNear && (Object.keys(truth) as (keyof Row)[]).every((task) => truth[task] === answer[task]);
    });
    const tree = metricOf(result, "_total", "tree_accuracy") ?? Number.NaN;
    expect(Math.abs(tree - right.length / rows.length)).toBeLessThan(2 / rows.length);
    expect(right.length).toBeGreaterThan(50);
  });
});

it("rows of which a missing label leaves open whether they are asked are left out, those that are surely not asked stay", () => {
  const no = 0;
  const row = (open: boolean | null, locked: boolean | null): Row => ({
    open: [open, true],
    locked: [locked, true],
    color: [no, no],
    marks: [
      [0, 0],
      [0, 0],
    ],
    x: [1, 1],
  });
  // the network says open everywhere, so it never asks for locked
  const result = evaluated([row(null, true), row(true, null), row(false, null), row(false, true)]);
  const locked = result.find(({ task_path, metric_name }) => task_path === "locked" && metric_name === "accuracy");
  // the first is undecided, the second not due and not asked, the third due without a label, the fourth due and missed
  expect(locked).toMatchObject({ metric_res: 0, num_samples: 1 });
  expect(metricOf(result, "locked", "asked_recall")).toBe(0);
  expect(metricOf(result, "locked", "asked_precision")).toBeNull();
});

it("a score that is NaN is an answer that says nothing, and wrong", () => {
  const answers = Float32Array.of(Number.NaN, 4);
  const scored = scoreSplit(
    traceFlow(
      defineTasks({ features: ["f"], tasks: { a: binary() } }).flow("one", (flow, x, out) => {
        out.add(flow.a(x.f));
      }),
      "one",
    ),
    {
      split: "test",
      ids: ["0", "1"],
      outputs: [answers],
      labels: [{ answers: Float32Array.of(1, 1), unitScale: null }],
    },
    [[0.5]],
  );
  const [task] = scored.tasks;
  expect(f32At(task?.decoded ?? new Float32Array(1), 0)).toBeNaN();
  const rows = evaluateEndToEnd({ ...graph, tasks: scored.tasks.map(({ task }) => task) }, scored);
  expect(metricOf(rows, "a", "accuracy")).toBe(0.5);
  expect(metricOf(rows, "a", "recall")).toBe(0.5);
});
