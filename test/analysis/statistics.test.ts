/** @file Tests and intervals against scipy and statsmodels (fixtures/scipy/make.py), and by hand. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { holm } from "../../src/analysis/statistics/holm.js";
import { logGamma } from "../../src/analysis/statistics/log-gamma.js";
import { mcNemarExact } from "../../src/analysis/statistics/mcnemar.js";
import { spreadOf } from "../../src/analysis/statistics/moments.js";
import { pairedDifference, signFlipPValue } from "../../src/analysis/statistics/paired-differences.js";
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

describe("paired differences", () => {
  const seeded = (seed: number) => {
    const random = createRandom(seed);
    return (bound: number) => random.int(bound);
  };

  it.each(vectors.bootstrap)(
    "have nearly scipy's interval and p of samples that are nearly normal: $name",
    (expected) => {
      const result = pairedDifference(expected.differences, { random: seeded(5) });
      expect(result?.mean).toBeCloseTo(expected.mean, 12);
      expect(Math.abs((result?.interval?.[0] ?? 0) - expected.interval[0])).toBeLessThan(0.6 * expected.standard_error);
      expect(Math.abs((result?.interval?.[1] ?? 0) - expected.interval[1])).toBeLessThan(0.6 * expected.standard_error);
      expect(Math.abs((result?.pValue ?? 0) - expected.p_value_t)).toBeLessThan(0.05);
    },
  );

  it("are tested by all flips of their signs: 1, 2, …, 6 by hand, and by brute force", () => {
    // only the two flips of all signs are as far from 0 as 21
    expect(signFlipPValue([1, 2, 3, 4, 5, 6], seeded(1), 0)).toBe(2 / 64);
    const differences = [0.3, -0.1, 0.7, 0.2, -0.4, 0.9, 0.05];
    const sum = differences.reduce((total, value) => total + value, 0);
    let extreme = 0;
    for (let flips = 0; flips < 128; flips++) {
      const flipped = differences.reduce((total, value, i) => total + (((flips >> i) & 1) === 1 ? -value : value), 0);
      if (Math.abs(flipped) >= sum - 1e-12) extreme++;
    }
    expect(signFlipPValue(differences, seeded(1), 0)).toBe(extreme / 128);
  });

  it("have a p of 1 where they are all 0, and no interval where they are all equal", () => {
    expect(pairedDifference(new Array(8).fill(0), { random: seeded(1) })).toEqual({
      mean: 0,
      interval: null,
      pValue: 1,
    });
    expect(pairedDifference(new Array(8).fill(0.5), { random: seeded(1) })).toMatchObject({
      interval: null,
      pValue: 2 / 256,
    });
  });

  it("are the same for the same seed, and never certain", () => {
    const differences = Array.from({ length: 30 }, (_, i) => 1 + (i % 3));
    const once = pairedDifference(differences, { random: seeded(3) });
    expect(pairedDifference(differences, { random: seeded(3) })).toEqual(once);
    expect(once?.pValue).toBe(1 / 2001);
  });

  it("decide nothing below six pairs", () => {
    expect(pairedDifference([0.01, 0.01], { random: seeded(1) })).toBeNull();
    expect(pairedDifference([1, 2, 3, 4, 5], { random: seeded(1) })).toBeNull();
    expect(pairedDifference([1, 2, 3, 4, 5, 6], { random: seeded(1) })).not.toBeNull();
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
