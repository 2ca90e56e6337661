/** @file How far sampled answers spread, and how trees show it. */
import { expect, test } from "vitest";
import { explainRow } from "../../../src/analysis/explanation/explain.js";
import { printExplanation } from "../../../src/analysis/explanation/print-explanation.js";
import { scoreSplit } from "../../../src/analysis/score.js";
import { AnswerSampler } from "../../../src/analysis/explanation/uncertainty.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, boundedRegression, classification } from "../../../src/tasks/index.js";

const definitions = defineTasks({
  features: ["f"],
  tasks: {
    seen: binary(),
    x: boundedRegression({ scale: "image-width" }),
    kind: classification({ classes: ["a", "b"] }),
  },
})
  .flow("thing", (flow, x, out) => {
    out.add(flow.x(x.f));
    out.add(flow.kind(x.f));
  })
  .flow("all", (flow, x, out) => {
    out.add(flow.seen(x.f));
    out.add(flow.thing(x).given(out.seen));
  });
const graph = traceFlow(definitions, "all");

const logit = (p: number): number => Math.log(p / (1 - p));
const column = (...values: number[]): Float32Array => Float32Array.from(values);
const THRESHOLDS = [[0.5], [], []];
// two rows, of images of 200 and 100 pixels
const labels = [
  { answers: column(Number.NaN, Number.NaN), unitScale: null },
  { answers: column(Number.NaN, Number.NaN), unitScale: column(200, 100) },
  { answers: column(Number.NaN, Number.NaN), unitScale: null },
];
/** Row 0 is seen, row 1 is not. */
const logitsOf = (seen: number, x: number, b: number): Float32Array[] => [
  column(logit(seen), logit(0.1)),
  column(logit(x), logit(0.5)),
  column(0, logit(b), 0, logit(0.5)),
];

const sampler = new AnswerSampler(graph, THRESHOLDS, labels);
for (const logits of [logitsOf(0.6, 0.2, 0.7), logitsOf(0.8, 0.3, 0.8), logitsOf(0.7, 0.4, 0.9)]) sampler.add(logits);
const sampled = sampler.answers;
const scored = scoreSplit(
  graph,
  { split: "test", ids: ["p", "q"], outputs: logitsOf(0.75, 0.25, 0.8), labels },
  THRESHOLDS,
);

test("scores have their mean and their deviation with n − 1, numbers those of label units too", () => {
  const [seen, x] = sampled.tasks;
  expect(sampled.samples).toBe(3);
  expect(seen?.activated.mean[0]).toBeCloseTo(0.7, 6);
  expect(seen?.activated.deviation[0]).toBeCloseTo(0.1, 6);
  expect(seen?.activated.deviation[1]).toBe(0);
  expect(seen?.decoded).toBeNull();
  // 40, 60 and 80 pixels of 200; always 50 of 100
  expect(x?.decoded?.mean[0]).toBeCloseTo(60, 4);
  expect(x?.decoded?.deviation[0]).toBeCloseTo(20, 4);
  expect(x?.decoded?.mean[1]).toBeCloseTo(50, 4);
  expect(x?.decoded?.deviation[1]).toBeCloseTo(0, 5);
});

test("a tree's nodes have them in the order of the answers, of nested flows too", () => {
  const [root] = explainRow(graph, scored, 0, { sampled });
  const [x, kind] = root?.children[0]?.children ?? [];
  expect(kind?.decoded).toEqual(["b", "a"]);
  [0.8, 0.2].forEach((mean, i) => {
    expect(kind?.uncertainty?.mean[i]).toBeCloseTo(mean, 5);
    expect(kind?.uncertainty?.deviation[i]).toBeCloseTo(0.1, 5);
  });
  expect(x?.uncertainty?.samples).toBe(3);
  expect(x?.uncertainty?.decoded?.deviation[0]).toBeCloseTo(20, 4);
  expect(root?.uncertainty?.decoded).toBeUndefined();
});

test("the text shows mean ± deviation, of a number in label units", () => {
  expect(printExplanation(graph, "p", explainRow(graph, scored, 0, { sampled }))).toBe(
    [
      "├── p",
      "│   └── seen | decoded: [True], activated: [0.75] ≥ 0.5, logits: [1.099], sampled: [0.7 ± 0.1]",
      "│       └── thing",
      "│           ├── x | decoded: [50], activated: [0.25], logits: [-1.099], sampled: [60 ± 20]",
      "│           └── kind | decoded: [b, a], activated: [0.8, 0.2], logits: [1.386, 0], sampled: [0.8 ± 0.1, 0.2 ± 0.1]",
    ].join("\n"),
  );
});

test("a tree that was not sampled has none", () => {
  expect(JSON.stringify(explainRow(graph, scored, 0))).not.toContain("uncertainty");
});
