/** @file The sort of scores and the areas under the curves, against their definitions. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankingMetrics } from "../../src/tasks/metrics/ranking.js";
import { sortByScore } from "../../src/tasks/metrics/sort.js";

const pairs = fc.array(
  fc.tuple(
    fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity)),
    fc.integer({ min: 0, max: 1 }),
  ),
  { maxLength: 40 },
);
const sorted = (rows: readonly (readonly [number, number])[]) =>
  sortByScore(
    Float32Array.from(rows, ([score]) => score),
    Uint8Array.from(rows, ([, truth]) => truth),
  );

describe("scores of any sign and size", () => {
  it("are sorted with their truths, equal scores in their order, −0 equal to 0", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const expected = rows
          .map(([score, truth]) => [score + 0, truth])
          .sort(([a = 0], [b = 0]) => (a < b ? -1 : a > b ? 1 : 0));
        const { scores, truths } = sorted(rows);
        expect(Array.from(scores, (score, i) => [score, truths[i]])).toEqual(expected);
      }),
    );
  });

  it("are not changed in place", () => {
    const scores = Float32Array.of(3, 1, 2);
    const truths = Uint8Array.of(1, 0, 0);
    sortByScore(scores, truths);
    expect([...scores, ...truths]).toEqual([3, 1, 2, 1, 0, 0]);
  });
});

describe("the area under the ROC curve", () => {
  it("is the share of yes-no pairs in the right order, equal scores counting half", () => {
    fc.assert(
      fc.property(pairs, (rows) => {
        const yes = rows.filter(([, truth]) => truth === 1);
        const no = rows.filter(([, truth]) => truth === 0);
        const points = yes.flatMap(([a]) => no.map(([b]): number => (a > b ? 1 : a === b ? 0.5 : 0)));
        const { rocAuc } = rankingMetrics(sorted(rows));
        if (points.length === 0) expect(rocAuc).toBeNull();
        else expect(rocAuc).toBeCloseTo(points.reduce((sum, p) => sum + p, 0) / points.length, 9);
      }),
    );
  });
});
