/** @file Answers that must not pass unseen: suppositions that change nothing, and NaN. */
import { describe, expect, it } from "vitest";
import { explainRow } from "../../src/analysis/explanation/explain.js";
import { printExplanation } from "../../src/analysis/explanation/print-explanation.js";
import { scoreSplit } from "../../src/analysis/score.js";
import { suppose } from "../../src/analysis/suppose/suppose.js";
import { parseSuppositions } from "../../src/asking/suppose/parse-suppositions.js";
import { nanInputs, unaskedSuppositions } from "../../src/asking/suppose/answer-warnings.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { binary, boundedRegression } from "../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: { open: binary(), locked: binary(), size: boundedRegression({ min: 0, max: 10 }) },
  }).flow("all", (flow, x, out) => {
    out.add(flow.open(x.f));
    out.add(flow.locked(x.f).given(out.open.not()));
    out.add(flow.size(x.f).given(out.open));
  }),
  "all",
);
const unknown = () => ({ answers: new Float32Array(2).fill(Number.NaN), unitScale: null });
const scored = scoreSplit(
  graph,
  {
    split: "test",
    ids: ["a.png", "b.png"],
    outputs: [
      [1, -1],
      [1, Number.NaN],
      [Number.NaN, Number.NaN],
    ].map((logits) => Float32Array.from(logits)),
    labels: [unknown(), unknown(), unknown()],
  },
  [[0.5], [0.5], []],
);

const warningsOf = (...assignments: string[]): string[] => {
  const suppositions = parseSuppositions(graph, assignments);
  return unaskedSuppositions(graph, suppose(graph, scored, suppositions), suppositions);
};

describe("a supposition", () => {
  it("of a question that is not asked of an input changes nothing there, and says so once", () => {
    expect(warningsOf("locked=true", "locked.threshold=0.4")).toEqual([
      "locked is not asked of a.png, so that to suppose it changes nothing there; it is asked where not open",
    ]);
  });

  it("of a question that is asked everywhere, or with its gates, is not warned of", () => {
    expect(warningsOf("open=false")).toEqual([]);
    expect(warningsOf("open=false", "locked=true")).toEqual([]);
  });
});

describe("an answer that is NaN", () => {
  it("is named with its task and inputs where the question is asked", () => {
    expect(nanInputs(graph, scored)).toEqual([
      "locked: the network's answer to b.png is NaN, which is no answer",
      "size: the network's answer to a.png is NaN, which is no answer",
    ]);
  });

  it("stands in the tree as what it is", () => {
    expect(printExplanation(graph, "a", explainRow(graph, scored, 0))).toContain("size | decoded: [NaN]");
  });
});
