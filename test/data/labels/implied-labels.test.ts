/** @file Implied labels: by hand, and against every way to fill in what is missing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withImpliedLabels } from "../../../src/data/labels/implied-labels.js";
import { defineTasks, type Expression } from "../../../src/flow/define.js";
import type { Condition, FlowGraph, TaskSpec } from "../../../src/flow/graph.js";
import { answerWidth } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import {
  binary,
  boundedRegression,
  classification,
  type Labels,
  multilabel,
  ordinal,
} from "../../../src/tasks/index.js";
import { graphOf } from "../files.js";

const NO = Number.NaN;
const labels = (...answers: number[]): Labels => ({ answers: Float32Array.from(answers), unitScale: null });
const answersOf = (graph: FlowGraph, given: readonly Labels[]) =>
  withImpliedLabels(graph, given).labels.map(({ answers }) => [...answers]);

/** Gates a and b, and a task c that is asked under a condition on them. */
function gated(condition: (a: Expression, b: Expression) => Expression): FlowGraph {
  return traceFlow(
    defineTasks({ features: ["f"], tasks: { a: binary(), b: binary(), c: binary() } }).flow("main", (flow, x, out) => {
      const [a, b] = [out.add(flow.a(x.f)), out.add(flow.b(x.f))];
      out.add(flow.c(x.f).given(condition(a, b)));
    }),
    "main",
  );
}

describe("a labelled task implies that", () => {
  const empty = (): Labels => labels(NO);
  const one = (graph: FlowGraph, a: Labels, b: Labels) => answersOf(graph, [a, b, labels(0)]).slice(0, 2);

  test("its gate is true, and a negated one false", () => {
    expect(
      one(
        gated((a) => a),
        empty(),
        empty(),
      ),
    ).toEqual([[1], [NO]]);
    expect(
      one(
        gated((a) => a.not()),
        empty(),
        empty(),
      ),
    ).toEqual([[0], [NO]]);
    expect(
      one(
        gated((a) => a.not().not()),
        empty(),
        empty(),
      ),
    ).toEqual([[1], [NO]]);
  });

  test("every part of a conjunction is true, and of a negated disjunction false", () => {
    expect(
      one(
        gated((a, b) => a.and(b)),
        empty(),
        empty(),
      ),
    ).toEqual([[1], [1]]);
    expect(
      one(
        gated((a, b) => a.or(b).not()),
        empty(),
        empty(),
      ),
    ).toEqual([[0], [0]]);
  });

  test("a part of a disjunction is true only where the other is false", () => {
    const or = gated((a, b) => a.or(b));
    expect(one(or, empty(), empty())).toEqual([[NO], [NO]]);
    expect(one(or, labels(1), empty())).toEqual([[1], [NO]]);
    expect(one(or, labels(0), empty())).toEqual([[0], [1]]);
    expect(
      one(
        gated((a, b) => a.and(b).not()),
        empty(),
        labels(1),
      ),
    ).toEqual([[0], [1]]);
  });

  test("nothing where the labels already contradict it", () => {
    expect(
      one(
        gated((a, b) => a.and(b)),
        labels(0),
        empty(),
      ),
    ).toEqual([[0], [NO]]);
    expect(
      one(
        gated((a) => a),
        labels(0),
        empty(),
      ),
    ).toEqual([[0], [NO]]);
  });
});

test("rows without a label imply nothing, and labels that are there stay", () => {
  const graph = gated((a) => a);
  const given = [labels(NO, 1, 0, NO), labels(NO, NO, NO, NO), labels(NO, 1, 1, 0)];
  const { labels: complete, implied } = withImpliedLabels(graph, given);
  expect([...(complete[0]?.answers ?? [])]).toEqual([NO, 1, 0, 1]);
  expect(implied).toEqual([{ task_path: "a", implied: 1 }]);
  // the labels that were given are not changed
  expect(given[0]).toEqual(labels(NO, 1, 0, NO));
});

test("a class, a label of several and the other one of two classes are implied; a number is not", () => {
  const tasks = {
    colour: classification({ classes: ["red", "green", "blue"] }),
    side: classification({ classes: ["left", "right"] }),
    marks: multilabel({ labels: ["stripe", "dot"] }),
    age: boundedRegression({ max: 100 }),
    one: binary(),
    two: binary(),
    three: binary(),
  };
  const graph = traceFlow(
    defineTasks({ features: ["f"], tasks }).flow("main", (flow, x, out) => {
      const [colour, side] = [out.add(flow.colour(x.f)), out.add(flow.side(x.f))];
      const [marks, age] = [out.add(flow.marks(x.f)), out.add(flow.age(x.f))];
      out.add(flow.one(x.f).given(colour.is("green")).given(side.is("left").not()));
      out.add(
        flow
          .two(x.f)
          .given(colour.isOneOf(["red", "blue"]))
          .given(marks.has("dot").not()),
      );
      out.add(flow.three(x.f).given(age.atLeast(18)));
    }),
    "main",
  );
  // row 0 labels "one", row 1 "two", row 2 "three"
  const given = [
    labels(NO, NO, NO),
    labels(NO, NO, NO),
    labels(NO, NO, NO, NO, NO, NO),
    labels(NO, NO, NO),
    labels(1, NO, NO),
    labels(NO, 1, NO),
    labels(NO, NO, 1),
  ];
  const { labels: complete, implied } = withImpliedLabels(graph, given);
  expect(complete.slice(0, 4).map(({ answers }) => [...answers])).toEqual([
    [1, NO, NO],
    [1, NO, NO],
    [NO, NO, NO, 0, NO, NO],
    [NO, NO, NO],
  ]);
  expect(implied).toEqual([
    { task_path: "colour", implied: 1 },
    { task_path: "side", implied: 1 },
    { task_path: "marks", implied: 1 },
  ]);
});

test("a bound gives a level where only one is left", () => {
  const levels = ["mild", "severe", "fatal"] as const;
  const graph = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: { grade: ordinal({ levels }), worst: binary(), some: binary(), least: binary() },
    }).flow("main", (flow, x, out) => {
      const grade = out.add(flow.grade(x.f));
      out.add(flow.worst(x.f).given(grade.atLeast("fatal")));
      out.add(flow.some(x.f).given(grade.atLeast("severe")));
      out.add(flow.least(x.f).given(grade.atLeast("severe").not()));
    }),
    "main",
  );
  // row 0 labels "worst", row 1 "some", row 2 "least"
  const given = [labels(NO, NO, NO), labels(1, NO, NO), labels(NO, 1, NO), labels(NO, NO, 1)];
  expect(answersOf(graph, given)[0]).toEqual([2, NO, 0]);
});

test("what is implied implies in turn, through flows; a gate that is not asked gets no label", () => {
  const graph = traceFlow(
    defineTasks({ features: ["f"], tasks: { open: binary(), person: binary(), face: binary(), hat: binary() } })
      .flow("head", (flow, x, out) => {
        out.add(flow.face(x.f));
        out.add(flow.hat(x.f).given(out.face));
      })
      .flow("main", (flow, x, out) => {
        out.add(flow.open(x.f));
        out.add(flow.person(x.f).given(out.open));
        out.add(flow.head(x).given(out.person));
      }),
    "main",
  );
  // the second row's door is closed, so nobody is asked for there
  expect(answersOf(graph, [labels(NO, 0), labels(NO, NO), labels(NO, NO), labels(1, 1)])).toEqual([
    [1, 0],
    [1, NO],
    [1, 1],
    [1, 1],
  ]);
});

/** Gates of the property test: three yes-or-no questions, and one of three classes. */
const GATES: Readonly<Record<string, TaskSpec>> = {
  a: binary(),
  b: binary(),
  c: binary(),
  k: classification({ classes: ["x", "y", "z"] }),
};

/** Conditions that read each gate at most once, so that their parts are independent of each other. */
function readOnce(gates: readonly string[]): fc.Arbitrary<Condition> {
  const [gate] = gates;
  const atom: fc.Arbitrary<Condition> =
    gate === "k"
      ? fc
          .subarray([0, 1, 2], { minLength: 1, maxLength: 2 })
          .map((classes) => ({ kind: "isOneOf", task: "k", classes }))
      : fc.constant({ kind: "true", task: gate as string });
  const plain =
    gates.length === 1
      ? atom
      : fc
          .integer({ min: 1, max: gates.length - 1 })
          .chain((cut) =>
            fc
              .tuple(
                fc.constantFrom("and" as const, "or" as const),
                readOnce(gates.slice(0, cut)),
                readOnce(gates.slice(cut)),
              )
              .map(([kind, left, right]): Condition => ({ kind, of: [left, right] })),
          );
  return fc.tuple(plain, fc.boolean()).map(([of, negated]): Condition => (negated ? { kind: "not", of } : of));
}

function holds(condition: Condition, answers: Readonly<Record<string, number>>): boolean {
  switch (condition.kind) {
    case "not":
      return !holds(condition.of, answers);
    case "and":
      return condition.of.every((part) => holds(part, answers));
    case "or":
      return condition.of.some((part) => holds(part, answers));
    case "isOneOf":
      return condition.classes.includes(answers[condition.task] as number);
    default:
      return answers[condition.task] === 1;
  }
}

/** All ways to fill in the missing labels. */
function fillings(given: Readonly<Record<string, number>>): Record<string, number>[] {
  return Object.entries(given).reduce<Record<string, number>[]>(
    (ways, [gate, answer]) =>
      ways.flatMap((way) => {
        const answers = gate === "k" ? [0, 1, 2] : [0, 1];
        return (Number.isNaN(answer) ? answers : [answer]).map((chosen) => ({ ...way, [gate]: chosen }));
      }),
    [{}],
  );
}

test("a label is implied where it is the same in every way to make the condition true, and nowhere else", () => {
  const yesNo = fc.constantFrom(0, 1, NO);
  const given = fc.record({ a: yesNo, b: yesNo, c: yesNo, k: fc.constantFrom(0, 1, 2, NO) });
  const condition = fc.shuffledSubarray(Object.keys(GATES), { minLength: 1 }).chain((gates) => readOnce(gates));
  fc.assert(
    fc.property(condition, given, (precondition, row) => {
      const plain = graphOf({ ...GATES, task: binary() });
      const tasks = plain.tasks.map((task) => (task.path === "task" ? { ...task, precondition } : task));
      const rows = [...Object.values(row), 1].map((answer) => labels(answer));
      const { labels: complete } = withImpliedLabels({ ...plain, tasks }, rows);
      const ways = fillings(row).filter((way) => holds(precondition, way));
      Object.keys(GATES).forEach((gate, i) => {
        const possible = new Set(ways.map((way) => way[gate] as number));
        const expected = possible.size === 1 ? ([...possible][0] as number) : (row[gate as keyof typeof row] as number);
        expect(complete[i]?.answers[0]).toBe(expected);
      });
    }),
    { numRuns: 3000 },
  );
});

test("a width of answers is kept for every task", () => {
  const graph = graphOf({ marks: multilabel({ labels: ["u", "v"] }), open: binary() });
  const { labels: complete } = withImpliedLabels(graph, [labels(1, NO, NO, 0), labels(NO, 1)]);
  expect(complete.map(({ answers }, i) => answers.length / answerWidth(graph.tasks[i]?.spec as TaskSpec))).toEqual([
    2, 2,
  ]);
});
