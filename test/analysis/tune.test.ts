/** @file Tuning: the exact optimum, its place in the plateau, and what cannot be tuned. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateSplit, scoreSplit, tuneThresholds, withThresholds } from "../../src/analysis/index.js";
import { bestThreshold } from "../../src/analysis/threshold.js";
import { UnknownNameError } from "../../src/errors.js";
import {
  confusionOf,
  type DecisionMetric,
  decisionMetrics,
  DECISION_METRICS,
} from "../../src/tasks/metrics/decisions.js";
import {
  defaultThresholds,
  referenceThresholds,
  securityBatch,
  securityGraph,
  securityRows,
} from "../support/security-flow.js";

const TUNABLE = DECISION_METRICS.map(({ name }) => name);

function reached(scores: ArrayLike<number>, truths: Uint8Array, threshold: number, metric: DecisionMetric): number {
  const decisions = Uint8Array.from(scores, (score) => (score >= threshold ? 1 : 0));
  return decisionMetrics[metric](confusionOf(truths, decisions));
}

const tune = (scores: readonly number[], truths: readonly number[], metric: DecisionMetric): number =>
  bestThreshold(Float32Array.from(scores), Uint8Array.from(truths), metric);

describe("the tuned threshold", () => {
  it("is the middle of the only best gap", () => {
    // by hand: accuracy 1 for thresholds in (0.25, 0.75]
    expect(tune([0.125, 0.25, 0.75, 1], [0, 0, 1, 1], "accuracy")).toBe(0.5);
  });

  it("takes the widest of equally good gaps", () => {
    // accuracy 3/4 in (0.125, 0.25] and in (0.5, 0.75]
    expect(tune([0.125, 0.25, 0.5, 0.75], [0, 1, 0, 1], "accuracy")).toBe(0.625);
  });

  it("takes the gap nearest 0.5 of equally good and wide ones", () => {
    // accuracy 3/4 in (0.0625, 0.3125] and in (0.5, 0.75], whose middles are 0.1875 and 0.625
    expect(tune([0.0625, 0.3125, 0.5, 0.75], [0, 1, 0, 1], "accuracy")).toBe(0.625);
  });

  it("takes the lower gap of equally good, wide and near ones", () => {
    // accuracy 3/4 in (0.125, 0.375] and in (0.625, 0.875]
    expect(tune([0.125, 0.375, 0.625, 0.875], [0, 1, 0, 1], "accuracy")).toBe(0.25);
  });

  it("may lie below all scores, from 0 on", () => {
    expect(tune([0.5, 0.75, 1], [1, 1, 0], "f1_score")).toBe(0.25);
  });

  it("may lie above all scores, up to 1", () => {
    expect(tune([0.25, 0.5, 0.5, 0.5], [1, 0, 0, 0], "accuracy")).toBe(0.75);
  });

  it("spans scores that do not change the metric", () => {
    // recall is 1 up to the lowest positive score
    expect(tune([0.125, 0.25, 0.5, 0.75], [0, 0, 1, 0], "recall")).toBe(0.25);
  });

  it("exceeds 1 where a score of exactly 1 is best decided no", () => {
    const threshold = tune([1, 1, 1], [0, 0, 1], "accuracy");
    expect(threshold).toBeGreaterThan(1);
    expect(threshold).toBeLessThan(1.000001);
  });

  it("separates neighbouring single-precision numbers", () => {
    const below = 0.5;
    const above = 0.5 + 2 ** -24;
    expect(Math.fround(above)).toBe(above);
    expect(tune([0, below, above, 1], [0, 0, 1, 1], "accuracy")).toBe(above);
  });

  it("decides no on a score that is not a number", () => {
    expect(tune([Number.NaN, 0.25, 0.75], [1, 0, 1], "accuracy")).toBe(0.5);
  });
});

// few distinct values make ties; neighbours of 0.5 and the ends make rounding matter
const score = fc.oneof(
  fc.float({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 0.25, 0.5, 0.75, 1),
  fc.integer({ min: 0, max: 4 }).map((ulps) => 0.5 + ulps * 2 ** -24),
);
const answers = fc
  .array(fc.tuple(score, fc.integer({ min: 0, max: 1 })), { minLength: 1, maxLength: 24 })
  .map((pairs) => ({
    scores: Float32Array.from(pairs, ([s]) => s),
    truths: Uint8Array.from(pairs, ([, truth]) => truth),
  }));

describe("any scores and truths", () => {
  it("reach the best value that any threshold reaches, in single and in double precision", () => {
    fc.assert(
      fc.property(answers, fc.constantFrom(...TUNABLE), ({ scores, truths }, metric) => {
        const candidates = [...scores, Number.POSITIVE_INFINITY];
        // kappa is undefined where labels and decisions are all the same
        const values = candidates.map((candidate) => reached(scores, truths, candidate, metric));
        const best = Math.max(...values.filter((value) => !Number.isNaN(value)));
        const threshold = bestThreshold(scores, truths, metric);
        expect(reached(scores, truths, threshold, metric)).toBe(best);
        expect(Math.fround(threshold)).toBe(threshold);
        expect(threshold).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  it("are tuned the same in any order", () => {
    fc.assert(
      fc.property(answers, fc.constantFrom(...TUNABLE), ({ scores, truths }, metric) => {
        const threshold = bestThreshold(scores, truths, metric);
        expect(bestThreshold(scores.toReversed(), truths.toReversed(), metric)).toBe(threshold);
      }),
    );
  });
});

describe("scikit-learn's best over all thresholds", () => {
  const { binary } = JSON.parse(
    readFileSync(new URL("../../fixtures/sklearn/metrics.json", import.meta.url), "utf8"),
  ) as {
    readonly binary: readonly {
      readonly name: string;
      readonly labels: readonly (number | null)[];
      readonly scores: readonly number[];
      readonly best: Readonly<Record<DecisionMetric, number>> | null;
    }[];
  };

  it.each(binary.filter(({ best }) => best !== null))("is reached on $name", ({ labels, scores, best }) => {
    const known = [...labels.keys()].filter((row) => labels[row] !== null);
    const ownScores = Float32Array.from(known, (row) => scores[row] as number);
    const truths = Uint8Array.from(known, (row) => labels[row] as number);
    for (const metric of TUNABLE) {
      const threshold = bestThreshold(ownScores, truths, metric);
      expect(reached(ownScores, truths, threshold, metric)).toBeCloseTo(best?.[metric] as number, 9);
    }
  });
});

describe("tuning a flow", () => {
  const scored = securityBatch();

  it.each(TUNABLE)("reaches at least the %s of the reference's thresholds", (metric) => {
    const { thresholds, reports } = tuneThresholds(securityGraph, scored, metric);
    const evaluate = (split: typeof scored) => evaluateSplit(securityGraph, split, ["truth"], [metric]);
    const theirs = evaluate(securityBatch(referenceThresholds));
    const ours = evaluate(withThresholds(securityGraph, scored, thresholds));
    for (const { task_path, label, after, warning } of reports) {
      const name = label === null ? metric : `${metric}/${label}`;
      const find = (rows: typeof ours) => rows.find((r) => r.task_path === task_path && r.metric_name === name);
      // the reference also fits labels of one class, which tell nothing about the other
      const atLeast = warning === undefined ? (find(theirs)?.metric_res as number) : 0;
      expect(after).toBe(find(ours)?.metric_res);
      expect(after ?? 0).toBeGreaterThanOrEqual(atLeast);
    }
  });

  it("reports the metric before and after, one threshold per label, none for other kinds", () => {
    const { thresholds, reports } = tuneThresholds(securityGraph, scored, "accuracy");
    const shapes = Object.fromEntries(securityGraph.tasks.map(({ name }, i) => [name, thresholds[i]?.length]));
    expect(shapes).toMatchObject({ camera_blocked: 1, facial_characteristics: 3, shirt_type: 0, face_x1: 0 });
    expect(reports.map(({ task_path, label }) => [task_path.split(".").at(-1), label])).toEqual([
      ["camera_blocked", null],
      ["door_open", null],
      ["door_locked", null],
      ["person_present", null],
      ["facial_characteristics", "red"],
      ["facial_characteristics", "green"],
      ["facial_characteristics", "blue"],
    ]);
    // 6 of 13 are right at 0.5; deciding no on all but the highest scores is wrong on the two blocked alone
    expect(reports[0]).toMatchObject({ metric: "accuracy", before: 6 / 13, after: 11 / 13 });
  });

  it("keeps 0.5 with a warning where one row is left", () => {
    const one = scoreSplit(securityGraph, securityRows([0, 1, 2, 3]), defaultThresholds(securityGraph));
    const { reports } = tuneThresholds(securityGraph, one);
    expect(reports.find(({ task_path }) => task_path === "person_present")).toEqual({
      task_path: "person_present",
      label: null,
      metric: "f1_score",
      threshold: 0.5,
      before: 0,
      after: 0,
      warning: "no positive row among 1 active and labelled; the threshold stays 0.5",
    });
  });

  it("keeps 0.5 with a warning where no row is left", () => {
    const none = scoreSplit(securityGraph, securityRows([13]), defaultThresholds(securityGraph));
    const { thresholds, reports } = tuneThresholds(securityGraph, none);
    expect(thresholds[0]).toEqual([0.5]);
    expect(reports[0]).toMatchObject({
      before: null,
      after: null,
      warning: "no row is active and labelled; the threshold stays 0.5",
    });
  });

  it("names the metrics that can be tuned when asked for another", () => {
    const wrong = () => tuneThresholds(securityGraph, scored, "f1_scor");
    expect(wrong).toThrow(UnknownNameError);
    expect(wrong).toThrow('No metric named "f1_scor" in tuning. Did you mean "f1_score"?');
  });
});
