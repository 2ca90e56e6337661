/** @file Tests for drift: SciPy's numbers, how often they raise a false alarm, and what they find. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { classifierTest, distancesFrom, type Vectors } from "../../../src/analysis/drift/features.js";
import { sketchOf, stabilityIndex } from "../../../src/analysis/drift/sketch.js";
import {
  compareCounts,
  compareNumbers,
  type DriftTest,
  judge,
  unseenCategories,
} from "../../../src/analysis/drift/tests.js";
import { chiSquareTail, homogeneity } from "../../../src/analysis/statistics/chi-square.js";
import { kolmogorovDistance, kolmogorovTail } from "../../../src/analysis/statistics/kolmogorov.js";
import { mannWhitney } from "../../../src/analysis/statistics/mann-whitney.js";
import { createRandom } from "../../../src/data/rng.js";

interface Fixture {
  readonly numbers: readonly { a: number[]; b: number[]; d: number; p: number; auc: number; above: number }[];
  readonly tails: readonly { d: number; m: number; n: number; p: number }[];
  readonly counts: readonly { a: number[]; b: number[]; statistic: number; degrees: number; p: number }[];
  readonly chi2: readonly { x: number; df: number; p: number }[];
}
const scipy: Fixture = JSON.parse(readFileSync(new URL("../../../fixtures/scipy/drift.json", import.meta.url), "utf8"));
const sorted = (values: number[]): Float64Array => Float64Array.from(values).sort();
const close = (own: number | undefined, expected: number, relative = 1e-9): void => {
  expect(Math.abs((own ?? Number.NaN) - expected)).toBeLessThanOrEqual(relative * Math.abs(expected) + 1e-15);
};

const random = createRandom("drift");
const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
const sample = (count: number, shift = 0): number[] => Array.from({ length: count }, () => gaussian() + shift);

describe("SciPy's numbers", () => {
  it.each(scipy.numbers)("of two samples", ({ a, b, d, p, auc, above }) => {
    const own = kolmogorovDistance(sorted(a), sorted(b));
    close(own, d);
    close(kolmogorovTail(own, a.length, b.length), p, 1e-7);
    const ranked = mannWhitney(Float64Array.from(a), Float64Array.from(b));
    close(ranked.auc, auc);
    close(ranked.p, above, 1e-9);
  });

  it.each(scipy.tails)("in the limit of large samples", ({ d, m, n, p }) => {
    // Stephens' correction is of the order of the root of the sizes
    close(kolmogorovTail(d, m, n), p, 0.05);
  });

  it.each(scipy.counts)("of counts", ({ a, b, statistic, degrees, p }) => {
    const own = homogeneity(a, b);
    close(own?.statistic, statistic);
    expect(own?.degrees).toBe(degrees);
    close(own?.p, p, 1e-9);
  });

  it.each(scipy.chi2)("of the tail of χ²", ({ x, df, p }) => close(chiSquareTail(x, df), p, 1e-10));
});

describe("sketches", () => {
  it("keep the distribution of many numbers within a thousandth", () => {
    const values = sample(20_000);
    const { quantiles, mean, count } = sketchOf([...values, Number.NaN]);
    expect(quantiles).toHaveLength(1001);
    expect(count).toBe(20_000);
    close(mean ?? 0, values.reduce((sum, value) => sum + value, 0) / values.length);
    expect(kolmogorovDistance(quantiles, sorted(values))).toBeLessThan(0.0015);
  });

  it("see a constant that became another one, in either direction", () => {
    for (const now of [32, 128]) {
      const test = compareNumbers(
        { kind: "input", name: "width" },
        sketchOf(new Array(200).fill(64)),
        new Array(200).fill(now),
      );
      expect(test.effect.value).toBeGreaterThan(1);
      expect(test.p).toBeLessThan(1e-9);
    }
  });

  it("have a stability index of 0 beside themselves, and that of Kullback and Leibler beside others", () => {
    expect(stabilityIndex([10, 20, 30], [10, 20, 30])).toBe(0);
    const [p, q] = [10.5 / 31, 20.5 / 31];
    close(stabilityIndex([10, 20], [20, 10]), 2 * (q - p) * Math.log(q / p));
  });
});

/** As of a run: numbers, categories and features, all drawn alike but for a shift. */
function family(rows: number, shift = 0): DriftTest[] {
  const counts = (): number[] => {
    const drawn = Array.from({ length: rows }, () => random.int(3));
    return [0, 1, 2].map((one) => drawn.filter((each) => each === one).length);
  };
  const vectors = (move: number): Vectors => ({
    ...{ rows, width: 4 },
    values: Float32Array.from({ length: rows * 4 }, (_, i) => gaussian() + (i % 4 === 0 ? move : 0)),
  });
  return [
    ...Array.from({ length: 4 }, (_, i) =>
      compareNumbers({ kind: "input", name: `x${i}` }, sketchOf(sample(rows)), sample(rows, i === 0 ? shift : 0), 0),
    ),
    compareCounts({ kind: "input", name: "c" }, ["a", "b", "c"], counts(), counts(), { limit: 0 }),
    classifierTest(vectors(0), vectors(shift), String(random.next())),
  ];
}

describe("judging", () => {
  it("raises a false alarm about as often as alpha says, effects aside", () => {
    const alpha = 0.1;
    const rounds = 250;
    const alarms = Array.from({ length: rounds }, () => {
      const judged = judge(family(80), alpha);
      return judged.some(({ p_adjusted }) => p_adjusted !== null && p_adjusted < alpha);
    }).filter(Boolean).length;
    // three deviations of a binomial share; the tests of discrete statistics are a little careful
    expect(alarms / rounds).toBeLessThan(alpha + 3 * Math.sqrt((alpha * (1 - alpha)) / rounds));
    expect(alarms / rounds).toBeGreaterThan(alpha / 3);
  });

  it("finds a shift of one deviation in nearly all samples of 160", () => {
    const found = Array.from({ length: 40 }, () => judge(family(160, 1), 0.01)).filter(
      ([first, , , , , features]) => first?.drift === true && features?.drift === true,
    ).length;
    expect(found).toBeGreaterThanOrEqual(36);
  });

  it("takes a change that is significant and small for none", () => {
    const test = compareNumbers({ kind: "input", name: "x" }, sketchOf(sample(20_000)), sample(20_000, 0.1));
    const [judged] = judge([test], 0.01);
    expect(judged?.p_adjusted).toBeLessThan(1e-6);
    expect(judged?.effect.value).toBeLessThan(0.1);
    expect(judged?.drift).toBe(false);
  });

  it("says nothing of what has no rows", () => {
    const empty = compareNumbers({ kind: "answer", name: "x" }, sketchOf(sample(50)), []);
    expect(judge([empty], 0.05)).toMatchObject([{ p: null, p_adjusted: null, drift: false, now: null }]);
    expect(homogeneity([0, 0], [3, 4])).toBeNull();
  });
});

it("distances are 1 for the median of train, and put the row that is off first", () => {
  const values = Float32Array.from({ length: 300 * 3 }, () => gaussian());
  const train: Vectors = { values, rows: 300, width: 3 };
  const own = distancesFrom(train, train);
  expect(own.distance.slice().sort()[150]).toBeCloseTo(1, 6);
  const far = distancesFrom(train, { values: Float32Array.of(0, 0, 0, 9, 0, 0), rows: 2, width: 3 });
  expect(far.distance[1]).toBeGreaterThan(4);
  expect([far.beyond[0], far.beyond[1]]).toEqual([expect.closeTo(0, 1), 1]);
});

it("a category that train does not have is a drift, however few rows have it", () => {
  const found = unseenCategories("room", ["garden", "attic", "garden"], { train: 500, now: 60 });
  expect(found).toMatchObject({ name: "room unseen", shown: "attic, garden", train: 0, now: 0.05, drift: true });
  // Wilson's interval of 3 in 60: (0.05 + z²/120 ± z·√(0.05·0.95/60 + z²/14400)) / (1 + z²/60)
  expect(found.interval?.[0]).toBeCloseTo(0.0171, 4);
  expect(found.interval?.[1]).toBeCloseTo(0.137, 3);
});
