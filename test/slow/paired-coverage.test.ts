/** @file How often the interval of a paired difference holds the truth, by simulation. */
import { describe, expect, test } from "vitest";
import { pairedDifference, type RandomInt } from "../../src/analysis/statistics/paired-differences.js";
import { randomIndices } from "../../src/analysis/statistics/random-index.js";

const SIMULATIONS = 1000;
const random: RandomInt = randomIndices([11, 12, 13, 14]);
const uniform = (): number => (random(2 ** 30) + 0.5) / 2 ** 30;
const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

/** Shares of simulations whose interval holds the true mean, and whose p is at most 0.05. */
function simulate(n: number, draw: () => number, truth: number) {
  let [covered, alarms] = [0, 0];
  for (let i = 0; i < SIMULATIONS; i++) {
    const result = pairedDifference(Float64Array.from({ length: n }, draw), { random, resamples: 1000 });
    const [low, high] = result?.interval ?? [Number.NaN, Number.NaN];
    if (low <= truth && truth <= high) covered++;
    if ((result?.pValue ?? 1) <= 0.05) alarms++;
  }
  return { coverage: covered / SIMULATIONS, alarms: alarms / SIMULATIONS };
}

// a share of 1,000 simulations has a standard error of 0.7 points, which the limits leave room for
describe("the interval of paired differences", { timeout: 600_000 }, () => {
  test.each([10, 20, 50, 200])("holds the truth of %i normal differences in a share of 0.93 to 0.97", (n) => {
    const { coverage, alarms } = simulate(n, normal, 0);
    expect(coverage).toBeGreaterThan(0.92);
    expect(coverage).toBeLessThan(0.98);
    expect(alarms).toBeLessThan(0.07);
  });

  test.each([
    [10, 0.9],
    [20, 0.9],
    [200, 0.93],
  ])("holds the truth of %i lognormal differences in at least a share of %f", (n, share) => {
    const { coverage } = simulate(n, () => Math.exp(normal()), Math.exp(0.5));
    expect(coverage).toBeGreaterThan(share - 0.015);
  });
});
