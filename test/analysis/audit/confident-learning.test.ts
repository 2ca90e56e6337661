/** @file The confident joint against a reference in plain loops, and errors against SciPy's t distribution. */
import { describe, expect, it } from "vitest";
import { confidentJoint } from "../../../src/analysis/audit/confident-learning.js";
import { errorCost, errorScale, wrongShare } from "../../../src/analysis/audit/residuals.js";
import { withoutNoise } from "../../../src/analysis/audit/task-model.js";
import { at } from "../../../src/arrays.js";
import { createRandom } from "../../../src/data/rng.js";

/** Equations 1 and 2 of Northcutt et al. (2021), as they are written: sets of rows, one after the other. */
function reference(probabilities: number[][], labels: number[], values: number): number[][] {
  const thresholds: number[] = [];
  for (let j = 0; j < values; j++) {
    let [sum, count] = [0, 0];
    for (let x = 0; x < labels.length; x++) {
      if (labels[x] !== j) continue;
      sum += at(at(probabilities, x), j);
      count += 1;
    }
    thresholds.push(count === 0 ? Number.POSITIVE_INFINITY : sum / count);
  }
  const joint: number[][] = [];
  for (let i = 0; i < values; i++) {
    const line: number[] = [];
    for (let j = 0; j < values; j++) {
      let count = 0;
      for (let x = 0; x < labels.length; x++) {
        const p = at(probabilities, x);
        if (labels[x] !== i || at(p, j) < at(thresholds, j)) continue;
        let isMost = true;
        for (let other = 0; other < values; other++) {
          if (other !== j && at(p, other) >= at(thresholds, other) && at(p, other) > at(p, j)) isMost = false;
        }
        if (isMost) count += 1;
      }
      line.push(count);
    }
    joint.push(line);
  }
  return joint;
}

describe("confident learning", () => {
  it("counts rows as the reference does", () => {
    const random = createRandom("confident");
    for (let trial = 0; trial < 20; trial++) {
      const values = 2 + random.int(4);
      const labels = Array.from({ length: 200 }, () => random.int(values));
      const probabilities = labels.map((label) => {
        const drawn = Array.from({ length: values }, (_, value) => random.next() + (value === label ? 1.5 : 0));
        const sum = drawn.reduce((total, one) => total + one, 0);
        return drawn.map((one) => one / sum);
      });
      const found = confidentJoint((row, value) => at(at(probabilities, row), value), labels, values);
      expect(found.counts).toEqual(reference(probabilities, labels, values));
      const diagonal = found.counts.reduce((sum, line, i) => sum + at(line, i), 0);
      const all = found.counts.flat().reduce((sum, count) => sum + count, 0);
      expect(found.errorRate).toBeCloseTo((all - diagonal) / all, 12);
      expect(found.isIssue.filter(Boolean)).toHaveLength(all - diagonal);
    }
  });

  it("a value that no row is labelled with is never counted", () => {
    const probabilities = [
      [0.1, 0.9],
      [0.6, 0.4],
    ];
    const found = confidentJoint((row, value) => at(at(probabilities, row), value), [0, 0], 2);
    expect(found.counts).toEqual([
      [1, 0],
      [0, 0],
    ]);
    expect(found.thresholds[1]).toBeNaN();
  });

  it("takes noise that is spread evenly out of probabilities that were learnt from it", () => {
    const clean = [0.7, 0.2, 0.1];
    const noisy = clean.map((p) => 0.9 * p + (0.1 * (1 - p)) / 2);
    for (const [value, p] of withoutNoise(noisy, 0.1).entries()) expect(p).toBeCloseTo(at(clean, value), 12);
    expect(Math.min(...withoutNoise([0.99, 0.01], 0.05))).toBeGreaterThan(0);
  });
});

/** [z, logpdf(0) − logpdf(z)] of scipy.stats.t(4), whose pdf(0) is 0.375 and ppf(0.75) is 0.7406970841. */
const SCIPY = [
  [0.5, 0.1515615545410871],
  [1, 0.5578588782855243],
  [3, 2.9466374908541155],
  [10, 8.145241345053705],
] as const;

describe("errors of numbers", () => {
  it("costs what the t distribution with four degrees of freedom says", () => {
    const scale = errorScale([-0.7406970841126829, 0.7406970841126829, -0.7406970841126829, 0.7406970841126829], 80);
    expect(scale.centre).toBeCloseTo(0, 12);
    expect(scale.scale).toBeCloseTo(1, 4);
    expect(scale.values).toBeCloseTo(80 * 0.375, 2);
    for (const [z, cost] of SCIPY) expect(errorCost(z, { centre: 0, scale: 1, values: 30 })).toBeCloseTo(cost, 9);
  });

  it("finds the share of labels that are anywhere", () => {
    const random = createRandom("share");
    const errors = Array.from({ length: 4000 }, () =>
      random.next() < 0.1 ? 40 * random.next() - 20 : random.next() + random.next() + random.next() - 1.5,
    );
    const scale = errorScale(errors, 40);
    const share = wrongShare(
      errors.map((error) => errorCost(error, scale)),
      scale.values,
    );
    expect(share).toBeGreaterThan(0.07);
    expect(share).toBeLessThan(0.11);
  });
});
