/** @file Two runs by what their users get, with labels and answers written by hand. */
import { describe, expect, it } from "vitest";
import { type AnsweredSplit, compareOutcomes } from "../../../src/analysis/comparison/compare-outcomes.js";
import { scoreSplit } from "../../../src/analysis/index.js";
import { createRandom } from "../../../src/data/rng.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, multilabel } from "../../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: { gate: binary(), child: binary(), marks: multilabel({ labels: ["a", "b"] }) },
  }).flow("all", (flow, x, out) => {
    out.add(flow.gate(x.f));
    out.add(flow.child(x.f).given(out.gate));
    out.add(flow.marks(x.f));
  }),
  "all",
);

const NONE = Number.NaN;

/** Each row: gate, child, a, b; as labels and as answers. */
interface Row {
  readonly label: readonly [number, number, number, number];
  readonly answer: readonly [number, number, number, number];
}

function answered(rows: readonly Row[]): AnsweredSplit {
  const columns = (of: keyof Row) => [
    Float32Array.from(rows, (row) => row[of][0]),
    Float32Array.from(rows, (row) => row[of][1]),
    Float32Array.from(rows.flatMap((row) => [row[of][2], row[of][3]])),
  ];
  const scored = scoreSplit(
    graph,
    {
      split: "test",
      ids: rows.map((_, i) => `${i}`),
      outputs: columns("answer").map((column) => column.map((yes) => (yes === 1 ? 3 : -3))),
      labels: columns("label").map((answers) => ({ answers, unitScale: null })),
    },
    [[0.5], [0.5], [0.5, 0.5]],
  );
  return { graph, scored, tolerance: 0.05 };
}

const compare = (rows: readonly Row[], others: readonly Row[], margin = 0) =>
  compareOutcomes(answered(rows), answered(others), {
    margin,
    randomOf: (path) => {
      const random = createRandom(path);
      return (bound) => random.int(bound);
    },
  });

const LABELS = [
  [1, 1, 1, 0],
  [1, 0, 1, 0],
  [0, NONE, 1, 0],
  [0, NONE, 1, 0],
  [NONE, 1, 1, 0],
  [1, NONE, 1, 0],
] as const;
const rowsOf = (answers: readonly Row["answer"][]): Row[] =>
  LABELS.map((label, i) => ({ label, answer: answers[i] ?? [0, 0, 1, 0] }));

describe("outcomes of two runs", () => {
  const perfect = rowsOf([
    [1, 1, 1, 0],
    [1, 0, 1, 0],
    [0, 0, 1, 0],
    [0, 0, 1, 0],
    [1, 1, 1, 0],
    [1, 1, 1, 0],
  ]);

  it("count rows where the question is due or either asks it, and a question rightly left out as right", () => {
    // missed, answered wrongly, asked for nothing, rightly left out by both
    const worse = rowsOf([
      [0, 1, 1, 0],
      [1, 1, 1, 0],
      [1, 1, 1, 0],
      [0, 0, 1, 0],
    ]);
    const { tasks, shared, skipped_tasks } = compare(perfect, worse);
    expect([shared, skipped_tasks]).toEqual([6, []]);
    const [gate, child] = tasks;
    expect(gate).toMatchObject({ task_path: "gate", n: 5 });
    expect(gate?.values).toEqual([1, 2 / 5]);
    // the gate is not known of row 4, and the answer of row 5
    expect(child).toMatchObject({ task_path: "child", measure: "accuracy", n: 3, values: [1, 0] });
    // three of three lost: ½³
    expect(child?.p_worse).toBeCloseTo(1 / 8, 12);
    const back = compare(worse, perfect).tasks[1];
    expect(back).toMatchObject({ values: [0, 1], p_worse: 1 });
    expect(compare(perfect, worse, 0.5).tasks[1]?.p_worse).toBeGreaterThan(1 / 8 - 1e-12);
  });

  it("are tested by flips of signs where answers are right in part, and not below a few rows", () => {
    const half = rowsOf(LABELS.map(([gate, child]) => [gate === 1 ? 1 : 0, child === 1 ? 1 : 0, 1, 1] as const));
    const marks = compare(perfect, half).tasks[2];
    expect(marks).toMatchObject({ n: 6, values: [1, 0.5] });
    // every difference has the same sign: 2 of 2⁶ flips, one of the two sides
    expect(marks?.p_worse).toBeCloseTo(1 / 64, 12);
    expect(compare(perfect, half, 0.6).tasks[2]?.p_worse).toBeGreaterThan(0.5);
    expect(compare(perfect.slice(0, 3), half.slice(0, 3)).tasks[2]?.p_worse).toBeNull();
  });
});
