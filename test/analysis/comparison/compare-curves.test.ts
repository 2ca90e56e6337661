/** @file Curves side by side. */
import { describe, expect, it } from "vitest";
import { type CurvePoint, compareCurves } from "../../../src/analysis/comparison/compare-curves.js";

const curve = (metricName: string, values: readonly (number | null)[], taskPath = "door_open"): CurvePoint[] =>
  values.map((value, i) => ({ split: "valid", taskPath, metricName, step: 10 * (i + 1), value }));

describe("a curve", () => {
  it("is summed up by its last, best, lowest and highest value", () => {
    const [loss, accuracy] = compareCurves([
      [...curve("loss", [0.9, 0.2, 0.4]), ...curve("accuracy", [0.5, 0.8, 0.8])],
    ]);
    expect(loss).toEqual({
      split: "valid",
      task_path: "door_open",
      metric_name: "loss",
      values: [{ points: 3, last: 0.4, last_step: 30, best: 0.2, best_step: 20, min: 0.2, max: 0.9 }],
      best: null,
    });
    expect(accuracy?.values[0]).toMatchObject({ last: 0.8, best: 0.8, best_step: 20, min: 0.5, max: 0.8 });
  });

  it("passes over values that are undefined or not finite", () => {
    const [loss] = compareCurves([curve("loss", [null, 0.5, Number.NEGATIVE_INFINITY, Number.NaN])]);
    expect(loss?.values[0]).toMatchObject({ last: null, best: 0.5, best_step: 20, min: 0.5, max: 0.5 });
    const [none] = compareCurves([curve("loss", [null])]);
    expect(none?.values[0]).toMatchObject({ points: 1, last: null, best: null, best_step: null, min: null, max: null });
  });

  it("has no best value where neither direction is better", () => {
    const [rate, load] = compareCurves([
      [...curve("learning_rate", [1, 2], "_total"), ...curve("process_memory_mb", [1, 2], "_system")],
    ]);
    expect([rate?.values[0]?.best, load?.values[0]?.best]).toEqual([null, null]);
  });
});

describe("curves of several runs", () => {
  it("name the run whose best value is best, null for a run without the curve", () => {
    const [loss] = compareCurves([curve("loss", [0.3]), curve("accuracy", [1]), curve("loss", [0.5, 0.1, 0.9])]);
    expect(loss?.values.map((summary) => summary?.best ?? null)).toEqual([0.3, null, 0.1]);
    expect(loss?.best).toBe(2);
  });
});
