/** @file Preconditions as text. */
import { expect, it } from "vitest";
import { defineTasks, type Expression } from "../../src/flow/define.js";
import { printCondition } from "../../src/flow/print.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary, boundedRegression, classification, multilabel, ordinal, regression } from "../../src/tasks/index.js";

const declared = defineTasks({
  features: ["f"],
  tasks: {
    a: binary(),
    b: binary(),
    c: binary(),
    color: classification({ classes: ["red", "green"] }),
    marks: multilabel({ labels: ["stripe", "dot"] }),
    x: boundedRegression({ max: 16 }),
    grade: ordinal({ levels: ["mild", "severe", "fatal"] }),
    price: regression(),
    asked: binary(),
  },
});
interface Gates {
  readonly a: Expression;
  readonly b: Expression;
  readonly c: Expression;
  readonly color: { is(name: "red"): Expression; isOneOf(names: ["red", "green"]): Expression };
  readonly marks: { has(label: "dot"): Expression };
  readonly grade: { atLeast(level: "severe"): Expression; below(level: "fatal"): Expression };
  readonly price: { atLeast(value: number): Expression };
  readonly x: { atLeast(value: number): Expression; below(value: number): Expression };
}

it.each<[string, (gates: Gates) => Expression]>([
  ["a", ({ a }) => a],
  ["not a", ({ a }) => a.not()],
  ["not not a", ({ a }) => a.not().not()],
  ["a and b and c", ({ a, b, c }) => a.and(b, c)],
  ["a and (b or c)", ({ a, b, c }) => a.and(b.or(c))],
  ["(a and b) or c", ({ a, b, c }) => a.and(b).or(c)],
  ["not (a or b)", ({ a, b }) => a.or(b).not()],
  ["color is red", ({ color }) => color.is("red")],
  ["color is red or green", ({ color }) => color.isOneOf(["red", "green"])],
  ["not (color is red or green)", ({ color }) => color.isOneOf(["red", "green"]).not()],
  ["a and (color is red or green)", ({ a, color }) => a.and(color.isOneOf(["red", "green"]))],
  ["not marks has dot", ({ marks }) => marks.has("dot").not()],
  ["grade >= severe and grade < fatal", ({ grade }) => grade.atLeast("severe").and(grade.below("fatal"))],
  ["price >= -3", ({ price }) => price.atLeast(-3)],
  ["x >= 3 and x < 9.5", ({ x }) => x.atLeast(3).and(x.below(9.5))],
])("%s", (text, condition) => {
  const definitions = declared.flow("main", (flow, { f }, out) => {
    for (const name of ["a", "b", "c", "color", "marks", "x", "grade", "price"] as const)
      out.add(flow[name](f) as never);
    out.add(flow.asked(f).given(condition(out)));
  });
  const graph = traceFlow(definitions, "main");
  const asked = graph.tasks.find(({ path }) => path === "asked");
  expect(asked?.precondition === null ? null : printCondition(graph, asked?.precondition as never)).toBe(text);
});
