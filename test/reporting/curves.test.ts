/** @file Curves with fewer points: peaks and holes stay, and what is counted is told. */
import { expect, test } from "vitest";
import { curveOf } from "../../src/reporting/curves.js";
import type { MetricPoint } from "../../src/tasks/evaluation.js";

const SERIES = { split: "train", taskPath: "t", metricName: "loss" } as const;

function points(values: readonly (number | null)[], epochOf: (i: number) => number | null): MetricPoint[] {
  return values.map((value, i) => ({ ...SERIES, step: i * 10, epoch: epochOf(i), value, wallTime: 0 }));
}

test("10,000 epochs with one peak come to few points, the peak among them", () => {
  const values = Array.from({ length: 10_000 }, (_, i) => (i === 6543 ? 9 : 1 / (i + 1)));
  const curve = curveOf(
    SERIES,
    points(values, (i) => i + 1),
    100,
  );
  expect(curve.x.length).toBeLessThanOrEqual(100);
  expect(curve).toMatchObject({ unit: "epoch", points: 10_000, not_finite: 0 });
  expect(curve.y[curve.x.indexOf(6544)]).toBe(9);
  expect([curve.x[0], curve.x.at(-1)]).toEqual([1, 10_000]);
});

test("several points of one epoch are counted in steps", () => {
  const curve = curveOf(
    SERIES,
    points([1, 2, null, Number.NaN], () => 1),
    100,
  );
  expect(curve).toMatchObject({ unit: "step", x: [0, 10, 20, 30], y: [1, 2, null, null], not_finite: 1 });
});
