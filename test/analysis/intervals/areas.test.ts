/** @file Areas under curves in one walk over sorted scores, against sums over all pairs of answers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { precisionArea, rocArea, scoreOrder } from "../../../src/analysis/intervals/areas.js";

/** Few scores, so that many are tied; both zeros, which are one score. */
const answers = fc.array(fc.record({ score: fc.constantFrom(-2, -0, 0, 0.25, 0.5, 1, 1.5), isYes: fc.boolean() }), {
  minLength: 1,
  maxLength: 40,
});
type Answers = readonly { readonly score: number; readonly isYes: boolean }[];

const orderOf = (all: Answers) =>
  scoreOrder({
    scores: Float32Array.from(all, ({ score }) => score),
    truths: Uint8Array.from(all, ({ isYes }) => Number(isYes)),
  });

function expectClose(found: Float64Array | undefined, expected: readonly number[]): void {
  expect(found?.length).toBe(expected.length);
  found?.forEach((own, i) => {
    expect(own).toBeCloseTo(expected[i] ?? Number.NaN, 12);
  });
}

describe("areas", () => {
  it("under the ROC curve are shares of pairs, and their influences DeLong's placements", () => {
    fc.assert(
      fc.property(answers, (all) => {
        const area = rocArea(orderOf(all));
        const yes = all.filter(({ isYes }) => isYes).length;
        const no = all.length - yes;
        if (yes === 0 || no === 0) {
          expect(area).toBeNull();
          return;
        }
        const rightly = (a: Answers[number], b: Answers[number]): number => {
          const [up, down] = a.isYes ? [a, b] : [b, a];
          return up.score > down.score ? 1 : up.score === down.score ? 0.5 : 0;
        };
        const placements = all.map((one) => {
          const others = all.filter(({ isYes }) => isYes !== one.isYes);
          return others.reduce((sum, other) => sum + rightly(one, other), 0) / others.length;
        });
        const value = all.reduce((sum, { isYes }, i) => sum + (isYes ? (placements[i] ?? 0) / yes : 0), 0);
        expect(area?.value).toBeCloseTo(value, 12);
        const share = (count: number): number => 1 / Math.sqrt(count * Math.max(1, count - 1));
        expectClose(
          area?.influence(),
          all.map(({ isYes }, i) => ((placements[i] ?? 0) - value) * share(isYes ? yes : no)),
        );
      }),
    );
  });

  it("of precision are means over yes, and their influences derivatives by the weight of each answer", () => {
    fc.assert(
      fc.property(answers, (all) => {
        const area = precisionArea(orderOf(all));
        const yes = all.filter(({ isYes }) => isYes);
        if (yes.length === 0) {
          expect(area).toBeNull();
          return;
        }
        const from = (score: number) => all.filter((one) => one.score >= score);
        const precisionAt = (score: number): number =>
          from(score).filter(({ isYes }) => isYes).length / from(score).length;
        const value = yes.reduce((sum, { score }) => sum + precisionAt(score), 0) / yes.length;
        expect(area?.value).toBeCloseTo(value, 12);
        expectClose(
          area?.influence(),
          all.map((one) => {
            const below = yes.filter(({ score }) => score <= one.score);
            const moved = below.reduce(
              (sum, { score }) => sum + (Number(one.isYes) - precisionAt(score)) / from(score).length,
              0,
            );
            return (moved + (one.isYes ? precisionAt(one.score) - value : 0)) / yes.length;
          }),
        );
      }),
    );
  });
});
