/** @file Calibration beside scikit-learn, scipy and numpy (fixtures/sklearn/make_calibration.py), and what always holds. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withCalibration } from "../../../src/analysis/calibration/apply.js";
import { fitCalibration } from "../../../src/analysis/calibration/fit.js";
import { fitIsotonic } from "../../../src/analysis/calibration/isotonic.js";
import { measureCalibration } from "../../../src/analysis/calibration/measure.js";
import { equalMassBins } from "../../../src/analysis/calibration/reliability.js";
import { fitTemperature } from "../../../src/analysis/calibration/temperature.js";
import { type ScoredSplit, scoreSplit } from "../../../src/analysis/score.js";
import { calibrate, calibrateThreshold, mapScore, type TaskCalibration } from "../../../src/decoding/calibration.js";
import { sigmoid } from "../../../src/decoding/activations.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import type { FlowGraph, TaskSpec } from "../../../src/flow/graph.js";
import { binary, classification, multilabel, ordinal } from "../../../src/tasks/index.js";

type Numbers = Readonly<Record<string, number>>;
interface Vectors {
  readonly binary: readonly {
    readonly logits: readonly number[];
    readonly truths: readonly number[];
    readonly queries: readonly number[];
    readonly isotonic: readonly number[];
    readonly temperature: number;
    readonly before: Numbers;
    readonly after: Numbers;
  }[];
  readonly classification: readonly {
    readonly classes: number;
    readonly logits: readonly number[];
    readonly labels: readonly number[];
    readonly temperature: number;
    readonly isotonic: readonly number[];
    readonly before: Numbers;
    readonly after: Numbers;
  }[];
}

const file = new URL("../../../fixtures/sklearn/calibration.json", import.meta.url);
const vectors: Vectors = JSON.parse(readFileSync(file, "utf8"));

function flowOf(spec: TaskSpec): FlowGraph {
  const definitions = defineTasks({ features: ["f"], tasks: { asked: spec } });
  return traceFlow(
    definitions.flow("flow", (flow, x, out) => {
      out.add(flow.asked(x.f));
    }),
    "flow",
  );
}

function scoredOf(graph: FlowGraph, logits: Float32Array, answers: Float32Array, thresholds: number[]): ScoredSplit {
  const rows = answers.length / (graph.tasks[0]?.spec.kind === "multilabel" ? thresholds.length : 1);
  const ids = Array.from({ length: rows }, (_, row) => String(row));
  return scoreSplit(graph, { split: "valid", ids, outputs: [logits], labels: [{ answers, unitScale: null }] }, [
    thresholds,
  ]);
}

function expectNumbers(graph: FlowGraph, scored: ScoredSplit, before: Numbers, after: Numbers): void {
  const { tasks } = fitCalibration(graph, scored, "temperature");
  const rows = measureCalibration(graph, scored, tasks);
  for (const [name, value] of Object.entries(before)) {
    const row = rows.find(({ metric_name }) => metric_name === name);
    expect(row?.raw).toBeCloseTo(value, 5);
    expect(row?.calibrated).toBeCloseTo(after[name] ?? Number.NaN, 5);
  }
}

describe.each(vectors.binary.map((one, i) => [i, one] as const))("binary case %i", (_, one) => {
  const [logits, truths] = [Float32Array.from(one.logits), Uint8Array.from(one.truths)];

  it("has scikit-learn's isotonic map", () => {
    const map = fitIsotonic(logits.map(sigmoid), truths);
    const found = one.queries.map((query) => mapScore(map, query));
    for (const [i, value] of found.entries()) expect(value).toBeCloseTo(one.isotonic[i] ?? Number.NaN, 6);
  });

  it("has scipy's temperature", () => {
    expect(fitTemperature({ activation: "sigmoid", logits, truths })).toBeCloseTo(one.temperature, 4);
  });

  it("has numpy's calibration errors, before and after", () => {
    const graph = flowOf(binary());
    expectNumbers(graph, scoredOf(graph, logits, Float32Array.from(truths), [0.5]), one.before, one.after);
  });
});

describe.each(vectors.classification.map((one, i) => [i, one] as const))("classification case %i", (_, one) => {
  const names = Array.from({ length: one.classes }, (_, c) => `class ${c}`);
  const graph = flowOf(classification({ classes: names }));
  const scored = scoredOf(graph, Float32Array.from(one.logits), Float32Array.from(one.labels), []);

  it("has scipy's temperature, and numpy's errors before and after", () => {
    const { tasks } = fitCalibration(graph, scored, "temperature");
    const { asked } = tasks;
    expect(asked?.method === "temperature" ? asked.temperatures[0] : null).toBeCloseTo(one.temperature, 4);
    expectNumbers(graph, scored, one.before, one.after);
  });

  it("has isotonic maps of one class against the rest, as scikit-learn has them", () => {
    const { tasks } = fitCalibration(graph, scored, "isotonic");
    const found = calibrate(
      classification({ classes: names }),
      tasks.asked as TaskCalibration,
      Float32Array.from(one.logits),
    );
    for (const [i, value] of one.isotonic.entries()) expect(found[i]).toBeCloseTo(value, 5);
  });
});

const logit = fc.float({ min: -30, max: 30, noNaN: true });
const fitted = fc.record({
  rows: fc.array(fc.record({ z: logit, truth: fc.boolean() }), { minLength: 1, maxLength: 40 }),
  threshold: fc.float({ min: 0, max: 1, noNaN: true }),
  method: fc.constantFrom("temperature" as const, "isotonic" as const),
});

describe("answers that are NaN", () => {
  const nan = Number.NaN;

  it("count, leave errors undefined, and the map is that of the other answers", () => {
    const graph = flowOf(binary());
    const known = scoredOf(graph, Float32Array.of(2, -1, 1, -2), Float32Array.of(1, 1, 0, 0), [0.5]);
    const some = scoredOf(graph, Float32Array.of(2, nan, -1, 1, -2), Float32Array.of(1, 1, 1, 0, 0), [0.5]);
    for (const method of ["temperature", "isotonic"] as const) {
      const { tasks, warnings } = fitCalibration(graph, some, method);
      expect(tasks).toEqual(fitCalibration(graph, known, method).tasks);
      expect(warnings).toEqual([expect.stringMatching(/^asked: one answer is NaN/)]);
      for (const row of measureCalibration(graph, some, tasks)) {
        expect(row).toMatchObject({ raw: null, calibrated: null, num_samples: 5 });
      }
    }
  });

  it("are those of a whole row of classes where one logit is NaN", () => {
    const graph = flowOf(classification({ classes: ["a", "b", "c"] }));
    const known = scoredOf(graph, Float32Array.of(2, 0, 1, 0, 1, 0), Float32Array.of(0, 2), []);
    const some = scoredOf(graph, Float32Array.of(2, 0, 1, 0, 1, 0, 3, nan, 0), Float32Array.of(0, 2, 0), []);
    for (const method of ["temperature", "isotonic"] as const) {
      const { tasks, warnings } = fitCalibration(graph, some, method);
      expect(tasks).toEqual(fitCalibration(graph, known, method).tasks);
      expect(warnings).toContainEqual(expect.stringMatching(/^asked: one answer is NaN/));
      for (const row of measureCalibration(graph, some, tasks)) {
        expect(row).toMatchObject({ raw: null, calibrated: null, num_samples: 3 });
      }
    }
  });
});

describe("calibration", () => {
  it("changes no decision, and moves the threshold along with the scores", () => {
    const graph = flowOf(binary());
    fc.assert(
      fc.property(fitted, ({ rows, threshold, method }) => {
        const logits = Float32Array.from(rows, ({ z }) => z);
        const answers = Float32Array.from(rows, ({ truth }) => Number(truth));
        const scored = scoredOf(graph, logits, answers, [threshold]);
        const after = withCalibration(scored, fitCalibration(graph, scored, method).tasks);
        const [task, old] = [after.tasks[0], scored.tasks[0]];
        expect(task?.decoded).toEqual(old?.decoded);
        expect(task?.activePredicted).toEqual(old?.activePredicted);
        const [moved = Number.NaN] = task?.thresholds ?? [];
        const scores = task?.kept.kind === "logits" ? task.kept.activated : new Float32Array(0);
        scores.forEach((score, row) => {
          const says = task?.decoded[row] === 1;
          // single precision of the scores, double of the threshold
          if (says) expect(score).toBeGreaterThanOrEqual(moved - 1e-6);
          else expect(score).toBeLessThanOrEqual(moved + 1e-6);
        });
      }),
    );
  });

  it("never makes the log loss of valid worse by a temperature, nor the squared error by an isotonic map", () => {
    const graph = flowOf(binary());
    fc.assert(
      fc.property(fitted, ({ rows, method }) => {
        const logits = Float32Array.from(rows, ({ z }) => z);
        const answers = Float32Array.from(rows, ({ truth }) => Number(truth));
        const scored = scoredOf(graph, logits, answers, [0.5]);
        const found = measureCalibration(graph, scored, fitCalibration(graph, scored, method).tasks);
        const name = method === "temperature" ? "log_loss" : "brier";
        const row = found.find(({ metric_name }) => metric_name === name);
        // the clipped log loss of single precision is only nearly convex
        expect(row?.calibrated ?? 0).toBeLessThanOrEqual((row?.raw ?? 0) + 1e-4);
      }),
    );
  });

  it("keeps the order of ordinal ranks, by one map for all of them", () => {
    const spec = ordinal({ levels: ["low", "middle", "high"] });
    const graph = flowOf(spec);
    const logits = Float32Array.of(2, -1, 3, 1, -1, -2, 0.5, -0.5, 1, -2, 2, 1);
    const scored = scoredOf(graph, logits, Float32Array.of(1, 2, 0, 0, 1, 2), []);
    for (const method of ["temperature", "isotonic"] as const) {
      const { asked } = fitCalibration(graph, scored, method).tasks;
      const found = calibrate(spec, asked as TaskCalibration, logits);
      for (let row = 0; row < 6; row++) expect(found[row * 2]).toBeGreaterThanOrEqual(found[row * 2 + 1] ?? 1);
    }
  });

  it("leaves the scores of a label that never occurs, and says so", () => {
    const graph = flowOf(multilabel({ labels: ["dot", "stripe"] }));
    const scored = scoredOf(
      graph,
      Float32Array.of(2, 1, -1, -2, 1, -1, -2, 1),
      Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0),
      [0.5, 0.5],
    );
    const { tasks, warnings } = fitCalibration(graph, scored, "temperature");
    expect(tasks.asked?.method === "temperature" ? tasks.asked.temperatures[1] : null).toBe(1);
    expect(warnings).toEqual(["asked: stripe: it never occurs among 4 labels; its temperature stays 1"]);
    const single = (label: number) =>
      fitCalibration(
        graph,
        scoredOf(graph, Float32Array.of(2, 1), Float32Array.of(label, label), [0.5, 0.5]),
        "isotonic",
      ).warnings[0];
    expect(single(0)).toBe("asked: dot: it never occurs among 1 label; its scores stay");
    expect(single(1)).toBe("asked: dot: its one label is yes; its scores stay");
  });

  it("leaves scores that tell all labels apart", () => {
    const graph = flowOf(binary());
    const scored = scoredOf(graph, Float32Array.of(2, 1, -1), Float32Array.of(1, 1, 0), [0.5]);
    const { tasks, warnings } = fitCalibration(graph, scored, "temperature");
    expect(tasks.asked).toEqual({ method: "temperature", temperatures: [1] });
    expect(warnings[0]).toBe("asked: its scores tell all its labels apart, so that its temperature stays 1");
  });

  it("flattens scores that say nothing of the labels", () => {
    const graph = flowOf(binary());
    const scored = scoredOf(graph, Float32Array.of(2, 1, -1), Float32Array.of(0, 0, 1), [0.5]);
    const { tasks, warnings } = fitCalibration(graph, scored, "temperature");
    expect(tasks.asked).toEqual({ method: "temperature", temperatures: [100] });
    expect(warnings).toEqual(["asked: its scores say nothing of its labels; its temperature is 100"]);
  });

  it("leaves thresholds that no score can pass, or miss", () => {
    expect(calibrateThreshold({ method: "temperature", temperatures: [3] }, 0, 0)).toBe(0);
    expect(calibrateThreshold({ method: "temperature", temperatures: [3] }, 1.0000001, 0)).toBe(1.0000001);
  });

  it("keeps equal scores in one bin of equal mass", () => {
    const scores = Float32Array.of(0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.7, 0.8, 0.9, 0.95);
    const bins = equalMassBins(scores, Uint8Array.of(1, 0, 1, 0, 0, 0, 1, 1, 1, 1), 5);
    expect(bins.map(({ count }) => count)).toEqual([6, 2, 2]);
    expect(bins[0]?.shareOfYes).toBeCloseTo(2 / 6);
  });
});
