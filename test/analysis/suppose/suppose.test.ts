/** @file Answers as if: the flow read again, and what cannot be supposed. */
import { describe, expect, it } from "vitest";
import { explainRow } from "../../../src/analysis/explanation/explain.js";
import { printExplanation } from "../../../src/analysis/explanation/print-explanation.js";
import { scoreSplit } from "../../../src/analysis/score.js";
import { suppose } from "../../../src/analysis/suppose/suppose.js";
import { parseSuppositions } from "../../../src/asking/suppose/parse-suppositions.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, boundedRegression, classification, multilabel, ordinal, point } from "../../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: {
      open: binary(),
      color: classification({ classes: ["red", "green"] }),
      marks: multilabel({ labels: ["dot", "stripe"] }),
      size: boundedRegression({ min: 0, max: 10 }),
      grade: ordinal({ levels: ["low", "mid", "high"] }),
      spot: point({ columns: ["sx", "sy"] }),
    },
  }).flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.color(x.f).given(out.open));
    out.add(flow.marks(x.f).given(out.color.is("green")));
    out.add(flow.size(x.f).given(out.marks.has("dot")));
    out.add(flow.grade(x.f).given(out.size.atLeast(5)));
    out.add(flow.spot(x.f).given(out.grade.atLeast("mid")));
  }),
  "all",
);
const unknown = (width: number) => ({ answers: new Float32Array(width).fill(Number.NaN), unitScale: null });
const scored = scoreSplit(
  graph,
  {
    split: "test",
    ids: ["a"],
    outputs: [[-1], [2, 0], [0.2, 0.3], [-3], [1, 1], [0, 0]].map((logits) => Float32Array.from(logits)),
    labels: [1, 1, 2, 1, 1, 2].map(unknown),
  },
  [[0.5], [], [0.5, 0.5], [], [], []],
);
const shown = (...assignments: string[]) => {
  const suppositions = parseSuppositions(graph, assignments);
  const supposed = new Set(suppositions.flatMap(({ kind, task }) => (kind === "answer" ? [task] : [])));
  const tree = explainRow(graph, suppose(graph, scored, suppositions), 0, { supposed });
  return printExplanation(graph, "a", tree);
};
const asked = (...assignments: string[]) => [...shown(...assignments).matchAll(/─ (\w+) \|/g)].map(([, name]) => name);

describe("with suppositions", () => {
  it("each opens what hangs on it, in every kind of task", () => {
    expect(asked()).toEqual(["open"]);
    expect(asked("open=true")).toEqual(["open", "color"]);
    expect(asked("open=1", "color=green")).toEqual(["open", "color", "marks", "size"]);
    expect(asked("open=1", "color=green", "marks=stripe")).toEqual(["open", "color", "marks"]);
    expect(asked("open=1", "color=green", "size=7.5")).toEqual(["open", "color", "marks", "size", "grade", "spot"]);
    expect(asked("open=1", "color=green", "size=7.5", "grade=low").at(-1)).toBe("grade");
    expect(shown("open=1", "color=green", "size=7.5", "spot=0.25, 0.5")).toContain("spot | supposed: [0.25, 0.5]");
  });

  it("says that the answer is supposed, and gives no numbers for it", () => {
    expect(shown("open=true").split("\n")[1]).toBe("│   └── open | supposed: [True]");
  });

  it("a threshold decides anew", () => {
    expect(asked("open.threshold=0.2")).toEqual(["open", "color"]);
    expect(asked("open=1", "color=green", "marks/dot.threshold=0.9").at(-1)).toBe("marks");
  });
});

it.each([
  ["opne=true", 'No task named "opne" in --suppose. Did you mean "open"?'],
  ["open", "--suppose open is no supposition"],
  ["open=maybe", 'the answer "maybe" of "open" is not a yes-or-no label'],
  ["color=gren", 'names the unknown class "gren"; did you mean "green"?'],
  ["size=12", "is outside [0, 10]"],
  ["color.threshold=0.3", '"color" has no threshold'],
  ["marks.threshold=0.3", "has a threshold for each label. Name one, e.g. marks/dot.threshold=0.3"],
  ["marks/dots.threshold=0.3", 'Did you mean "dot"?'],
  ["open.threshold=high", '"high" is no number'],
  ["open.threshold=2", "2 is no threshold of a score, which lies between 0 and 1. Write e.g. open.threshold=0.3"],
  ["marks/dot.threshold=-0.1", "-0.1 is no threshold of a score"],
])("%s is one clear error", (assignment, message) => {
  expect(() => parseSuppositions(graph, [assignment])).toThrow(message);
});

it("the same supposed twice is refused, different labels of a task are not", () => {
  for (const twice of [
    ["open=true", "open=false"],
    ["marks/dot.threshold=0.1", "marks/dot.threshold=0.9"],
  ]) {
    expect(() => parseSuppositions(graph, twice)).toThrow("are about the same. Give one of them.");
  }
  expect(parseSuppositions(graph, ["marks/dot.threshold=0.1", "marks/stripe.threshold=0.9"])).toHaveLength(2);
});
