/** @file Confusion matrices and calibration, counted by hand. */
import { describe, expect, it } from "vitest";
import { calibration, yesNoAnswers } from "../../src/analysis/calibration/reliability.js";
import { confusionMatrix } from "../../src/analysis/confusion.js";
import { type ScoredTask, scoreSplit } from "../../src/analysis/score.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import { allLogits, binary, boundedRegression, classification, multilabel } from "../../src/tasks/index.js";

const graph = traceFlow(
  defineTasks({
    features: ["f"],
    tasks: {
      seen: binary(),
      color: classification({ classes: ["red", "green", "blue"] }),
      marks: multilabel({ labels: ["dot", "stripe"] }),
      x: boundedRegression({ max: 10 }),
    },
  }).flow("flow", (flow, x, out) => {
    out.add(flow.seen(x.f));
    out.add(flow.color(x.f).given(out.seen));
    out.add(flow.marks(x.f));
    out.add(flow.x(x.f));
  }),
  "flow",
);

const logit = (p: number): number => Math.log(p / (1 - p));
const NONE = Number.NaN;

// row 4 is not seen, so its color is not asked for; row 3 has no label
const scored = scoreSplit(
  graph,
  {
    split: "valid",
    ids: ["a", "b", "c", "d", "e"],
    outputs: [
      Float32Array.of(...[0.91, 0.75, 0.95, 0.55, 0.15].map(logit)),
      Float32Array.of(...[5, 0, 0, 0, 5, 0, 5, 0, 0, 5, 0, 0, 0, 0, 5]),
      Float32Array.of(...[0.2, 0.9, 0.1, 0.9, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5].map(logit)),
      new Float32Array(5),
    ],
    labels: [
      { answers: Float32Array.of(1, 1, 1, 1, 0), unitScale: null },
      { answers: Float32Array.of(0, 1, 1, NONE, 2), unitScale: null },
      { answers: Float32Array.of(0, 1, 0, NONE, 1, 0, NONE, NONE, 1, 1), unitScale: null },
      { answers: new Float32Array(5), unitScale: null },
    ],
  },
  [[0.5], [], [0.5, 0.5], []],
);
const [seen, color, marks, x] = scored.tasks as [ScoredTask, ScoredTask, ScoredTask, ScoredTask];

describe("confusion matrix", () => {
  it("counts labels by answers, among the rows that are asked and labelled", () => {
    expect(confusionMatrix(color)).toEqual({
      classes: ["red", "green", "blue"],
      counts: [
        [1, 0, 0],
        [1, 1, 0],
        [0, 0, 0],
      ],
      total: 3,
    });
  });

  it("exists for classifications only", () => {
    expect([seen, marks, x].map((task) => confusionMatrix(task))).toEqual([null, null, null]);
  });
});

describe("calibration", () => {
  it("compares mean probability and share of yes in each bin", () => {
    const found = calibration(seen);
    expect(found?.count).toBe(5);
    const filled = found?.bins.filter(({ count }) => count > 0);
    expect(filled?.map(({ lower, count, shareOfYes }) => [lower, count, shareOfYes])).toEqual([
      [0.1, 1, 0],
      [0.5, 1, 1],
      [0.7, 1, 1],
      [0.9, 2, 1],
    ]);
    expect(filled?.at(-1)?.meanScore).toBeCloseTo(0.93, 5);
    // |0 − 0.15| + |1 − 0.55| + |1 − 0.75| + 2 · |1 − 0.93|, over 5 answers
    expect(found?.expectedCalibrationError).toBeCloseTo((0.15 + 0.45 + 0.25 + 0.14) / 5, 5);
  });

  it("puts a probability of 1 into the last bin", () => {
    const sure: ScoredTask = { ...seen, kept: { ...allLogits(seen.kept), activated: Float32Array.of(1, 1, 1, 1, 1) } };
    expect(calibration(sure)?.bins.at(-1)?.count).toBe(5);
  });

  it("takes the predicted class of a classification, right or wrong", () => {
    // softmax of (5, 0, 0): e⁵ / (e⁵ + 2)
    const sureness = Math.exp(5) / (Math.exp(5) + 2);
    const last = calibration(color)?.bins.at(-1);
    expect(last?.count).toBe(3);
    expect(last?.meanScore).toBeCloseTo(sureness, 5);
    expect(last?.shareOfYes).toBeCloseTo(2 / 3, 6);
  });

  it("has no bins for a regression, and no error without answers", () => {
    expect(calibration(x)).toBeNull();
    expect(calibration(seen, new Uint8Array(5))).toMatchObject({ count: 0, expectedCalibrationError: null });
  });
});

describe("yes-or-no answers", () => {
  it("leave out single labels that are unknown", () => {
    const [dot, stripe] = yesNoAnswers(marks);
    expect(dot?.name).toBe("dot");
    expect([...(dot?.labels ?? [])]).toEqual([0, 0, 1, 1]);
    expect(dot?.scores[3]).toBeCloseTo(0.5, 6);
    expect([...(stripe?.labels ?? [])]).toEqual([1, 0, 1]);
    expect(stripe?.scores[0]).toBeCloseTo(0.9, 6);
  });
});
