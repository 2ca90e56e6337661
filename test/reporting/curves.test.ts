/** @file Curves with fewer points: peaks and holes stay, and what is counted is told. */
import { expect, test } from "vitest";
import { curveOf, readCurves } from "../../src/reporting/curves.js";
import type { ThinnedCurve } from "../../src/storage/tables/thinned-points.js";
import { openStore, temporaryDir } from "../storage/support.js";

const SERIES = { split: "train", taskPath: "t", metricName: "loss" } as const;

function given(values: readonly (number | null)[], epochOf: (i: number) => number | null): ThinnedCurve {
  const points = values.map((value, i) => ({ ...SERIES, step: i * 10, epoch: epochOf(i), value, wallTime: 0 }));
  return { points, total: points.length, notFinite: points.filter(({ value }) => Number.isNaN(value)).length };
}

test("10,000 epochs with one peak come to few points, the peak among them", () => {
  const values = Array.from({ length: 10_000 }, (_, i) => (i === 6543 ? 9 : 1 / (i + 1)));
  const curve = curveOf(
    SERIES,
    given(values, (i) => i + 1),
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
    given([1, 2, null, Number.NaN], () => 1),
    100,
  );
  expect(curve).toMatchObject({ unit: "step", x: [0, 10, 20, 30], y: [1, 2, null, null], not_finite: 1 });
});

test("curves of a store that log by step are thinned while they are read, those of epochs over their epochs", async () => {
  const store = openStore(temporaryDir());
  const run = store.createRun({ project: "p" });
  const values = Array.from({ length: 5000 }, (_, i) => (i === 3210 ? 9 : i === 11 ? Number.NaN : 1 / (i + 1)));
  const written = (metricName: string, epochOf: (i: number) => number) =>
    values.map((value, i) => ({ ...SERIES, metricName, step: i, epoch: epochOf(i), value, wallTime: 0 }));
  store.appendMetrics(run.id, [...written("steps", (i) => Math.floor(i / 100)), ...written("epochs", (i) => i + 1)]);
  const names = ["steps", "epochs"].map((metricName) => ({ ...SERIES, metricName }));
  const [steps, epochs] = await readCurves(store, run, names, 100);
  for (const [read, unit, place] of [[steps, "step", 3210] as const, [epochs, "epoch", 3211] as const]) {
    expect(read).toMatchObject({ unit, points: 5000, not_finite: 1 });
    expect(read?.x.length).toBeLessThanOrEqual(100);
    expect(read?.y[read.x.indexOf(place)]).toBe(9);
  }
});
