/** @file Tests and intervals against scipy and statsmodels (fixtures/scipy/make.py), and by hand. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  achievedSignificance,
  pairedBootstrap,
  percentileInterval,
  resampledMeans,
} from "../../src/analysis/statistics/bootstrap.js";
import { holm } from "../../src/analysis/statistics/holm.js";
import { logGamma } from "../../src/analysis/statistics/log-gamma.js";
import { mcNemarExact } from "../../src/analysis/statistics/mcnemar.js";
import { spreadOf } from "../../src/analysis/statistics/moments.js";
import { randomIndices } from "../../src/analysis/statistics/random-index.js";
import { createRandom } from "../../src/data/rng.js";

interface Vectors {
  readonly log_gamma: readonly { readonly x: number; readonly value: number }[];
  readonly mcnemar: readonly {
    readonly lost: number;
    readonly gained: number;
    readonly p_value: number;
    readonly binomial: number;
  }[];
  readonly holm: readonly { readonly p_values: readonly number[]; readonly adjusted: readonly number[] }[];
  readonly bootstrap: readonly {
    readonly name: string;
    readonly differences: readonly number[];
    readonly distribution: readonly number[];
    readonly mean: number;
    readonly interval: readonly [number, number];
    readonly standard_error: number;
    readonly p_value_t: number;
  }[];
  readonly spread: readonly { readonly values: readonly number[]; readonly mean: number; readonly sd: number }[];
}

const fixture = new URL("../../fixtures/scipy/statistics.json", import.meta.url);
const vectors = JSON.parse(readFileSync(fixture, "utf8")) as Vectors;

/** |actual − expected| as a share of the expected value. */
const relativeError = (actual: number, expected: number): number =>
  expected === 0 ? Math.abs(actual) : Math.abs(actual - expected) / Math.abs(expected);

describe("the logarithm of the gamma function", () => {
  it.each(vectors.log_gamma)("at $x is scipy's", ({ x, value }) => {
    expect(Math.abs(logGamma(x) - value)).toBeLessThanOrEqual(1e-14 * Math.max(10, Math.abs(value)));
  });

  it("of n + 1 is that of n factorial", () => {
    expect(Math.exp(logGamma(6))).toBeCloseTo(120, 10);
  });
});

describe("McNemar's exact test", () => {
  it.each(vectors.mcnemar)(
    "of $lost lost and $gained gained is statsmodels'",
    ({ lost, gained, p_value, binomial }) => {
      expect(relativeError(mcNemarExact(lost, gained), p_value)).toBeLessThan(1e-8);
      expect(relativeError(mcNemarExact(lost, gained), binomial)).toBeLessThan(1e-8);
    },
  );

  it("doubles the binomial tail: 1 of 6 pairs has p = 2 · (1 + 6) / 64", () => {
    expect(mcNemarExact(1, 5)).toBeCloseTo(14 / 64, 14);
  });

  it("finds nothing where no pair differs, or both sides are even", () => {
    expect(mcNemarExact(0, 0)).toBe(1);
    expect(mcNemarExact(7, 7)).toBe(1);
  });
});

describe("Holm's adjustment", () => {
  it.each(vectors.holm)("of $p_values is statsmodels'", ({ p_values, adjusted }) => {
    holm(p_values).forEach((p, i) => {
      expect(p).toBeCloseTo(adjusted[i] as number, 12);
    });
  });

  it("does not count tests that were not made", () => {
    expect(holm([0.01, null, 0.03])).toEqual([0.02, null, 0.03]);
    expect(holm([null])).toEqual([null]);
  });
});

describe("the paired bootstrap", () => {
  it.each(vectors.bootstrap)("takes scipy's interval of scipy's resamples: $name", ({ distribution, interval }) => {
    const [low, high] = percentileInterval(Float64Array.from(distribution), 0.95);
    expect(low).toBeCloseTo(interval[0], 12);
    expect(high).toBeCloseTo(interval[1], 12);
  });

  it.each(vectors.bootstrap)("has scipy's interval up to chance, by its own resamples: $name", (expected) => {
    const random = createRandom(5);
    const result = pairedBootstrap(expected.differences, { random: (bound) => random.int(bound) });
    expect(result?.mean).toBeCloseTo(expected.mean, 12);
    // the ends of an interval of 2,000 resamples vary by about a tenth of the standard error
    expect(Math.abs((result?.interval[0] ?? 0) - expected.interval[0])).toBeLessThan(0.25 * expected.standard_error);
    expect(Math.abs((result?.interval[1] ?? 0) - expected.interval[1])).toBeLessThan(0.25 * expected.standard_error);
    // and the mean is nearly normal at these sizes
    expect(Math.abs((result?.pValue ?? 0) - expected.p_value_t)).toBeLessThan(0.05);
  });

  it("is the same for the same seed", () => {
    const draw = (seed: number) => {
      const random = createRandom(seed);
      return [...resampledMeans([1, 2, 3, 4], (bound) => random.int(bound), 50)];
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("draws the samples it is told to: indices 0 0 1, then 2 2 2", () => {
    const drawn = [0, 0, 1, 2, 2, 2];
    expect([...resampledMeans([3, 6, 9], () => drawn.shift() as number, 2)]).toEqual([4, 9]);
  });

  it("counts the measured sample as one resample more", () => {
    // 3 means above 0, none below: 2 · (0 + 1) / (3 + 1)
    expect(achievedSignificance(Float64Array.of(0.1, 0.2, 0.3))).toBe(0.5);
    expect(achievedSignificance(Float64Array.of(0, 0, 0))).toBe(1);
  });

  it("knows nothing of fewer than two samples", () => {
    expect(pairedBootstrap([0.5], { random: () => 0 })).toBeNull();
  });
});

describe("random row numbers", () => {
  it("are sfc32's, scaled: the first words after the seed 1, 2, 3, 4 by hand", () => {
    const next = randomIndices([1, 2, 3, 4]);
    // a + b + counter = 1 + 2 + 4 = 7; then a = 2, b = 27, counter = 5: 2 + 27 + 5 = 34
    expect([next(2 ** 32), next(2 ** 32)]).toEqual([7, 34]);
  });

  it("fill their range evenly: χ² of 10 cells stays below the 99.9 % point of 9 degrees, 27.9", () => {
    const next = randomIndices(createRandom(3).state());
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) {
      const index = next(10);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect(counts).toHaveLength(10);
    expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(27.9);
  });
});

describe("mean and standard deviation", () => {
  it.each(vectors.spread)("of $values are numpy's with n − 1", ({ values, mean, sd }) => {
    const spread = spreadOf(values);
    expect(relativeError(spread?.mean ?? 0, mean)).toBeLessThan(1e-15);
    expect(Math.abs((spread?.sd ?? -1) - sd)).toBeLessThan(1e-12);
    expect(spread?.n).toBe(values.length);
  });

  it("leave out values that are undefined", () => {
    expect(spreadOf([1, null, 3, Number.NaN])).toEqual({ mean: 2, sd: Math.SQRT2, n: 2 });
    expect(spreadOf([5])).toEqual({ mean: 5, sd: null, n: 1 });
    expect(spreadOf([null])).toBeNull();
  });
});
