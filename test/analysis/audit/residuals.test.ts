/** @file Errors of numbers: their scale, and how many labels are wrong. */
import { describe, expect, it } from "vitest";
import { errorCost, errorScale, wrongShare } from "../../../src/analysis/audit/residuals.js";

/** Deterministic draws from a normal distribution (Box and Muller 1958). */
function normals(count: number, seed = 1): number[] {
  let state = seed;
  const uniform = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  return Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

function shareOf(errors: readonly number[], range: number): number {
  const scale = errorScale(errors, range);
  return wrongShare(
    errors.map((error) => errorCost(error, scale)),
    scale.values,
  );
}

describe("labels that are numbers", () => {
  it("are hardly ever wrong where all have one value and the network is off by a little or by more", () => {
    const errors = normals(378).map((error, i) => (i % 5 === 0 ? 4 * error : error));
    expect(shareOf(errors, 0)).toBeLessThan(0.02);
  });

  it("are wrong in the share that was drawn from the whole range", () => {
    const errors = normals(2000).map((error, i) => (i % 20 === 0 ? ((i * 7919) % 200) - 100 : error));
    expect(shareOf(errors, 200)).toBeCloseTo(0.05, 2);
  });

  it("have the scale of most errors, however far off the others are", () => {
    const errors = normals(1000);
    const clean = errorScale(errors, 100);
    const spoiled = errorScale(
      errors.map((error, i) => (i % 10 === 0 ? 1e6 : error)),
      100,
    );
    expect(spoiled.scale / clean.scale).toBeGreaterThan(0.9);
    expect(spoiled.scale / clean.scale).toBeLessThan(1.3);
  });
});
