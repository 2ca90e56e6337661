/** @file One-sided tests of a run that is worse than another, with a margin, and how contracts are counted. */
import { describe, expect, it } from "vitest";
import { compareSamples } from "../../../src/analysis/comparison/compare-samples.js";
import { countContracts } from "../../../src/analysis/contracts/count-contracts.js";
import { scoreSplit } from "../../../src/analysis/score.js";
import { randomIndices } from "../../../src/analysis/statistics/random-index.js";
import { worseDecisions } from "../../../src/analysis/statistics/mcnemar.js";
import { implies, never } from "../../../src/flow/contracts.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, regression } from "../../../src/tasks/index.js";

describe("of decisions", () => {
  it("without a margin the p-value is scipy.stats.binomtest(lost, lost + gained, alternative='greater')", () => {
    expect(worseDecisions(9, 2, 100, 0)).toBeCloseTo(0.03271484375, 12);
    expect(worseDecisions(2, 9, 100, 0)).toBeCloseTo(0.994140625, 12);
    expect(worseDecisions(5, 5, 100, 0)).toBeCloseTo(0.623046875, 12);
    expect(worseDecisions(0, 0, 100, 0)).toBe(1);
  });

  it("with a margin it is Tango's score test: where the loss is just the margin, the p-value is one half", () => {
    expect(worseDecisions(15, 5, 100, 0.1)).toBeCloseTo(0.5, 6);
    expect(worseDecisions(30, 5, 100, 0.1)).toBeLessThan(0.02);
    expect(worseDecisions(12, 5, 100, 0.1)).toBeGreaterThan(0.7);
    // and without a margin it comes to McNemar's statistic: the exact p-value is near
    expect(worseDecisions(40, 20, 500, 1e-9)).toBeCloseTo(0.0049, 3);
  });
});

const graph = traceFlow(
  defineTasks({ features: ["f"], tasks: { open: binary(), lit: binary(), size: regression() } }).flow(
    "all",
    (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.lit(x.f));
      out.add(flow.size(x.f));
      out.add(never(out.open.and(out.lit.not())));
      out.add(implies(out.lit, out.open));
    },
  ),
  "all",
);
const fitted = {
  ...graph,
  tasks: graph.tasks.map((task) =>
    task.spec.kind === "regression" ? { ...task, spec: { ...task.spec, statistics: { mean: 0, deviation: 1 } } } : task,
  ),
};

/** @param error of every size */
function split(error: number, wrong: number) {
  const rows = 200;
  const truths = Float32Array.from({ length: rows }, (_, i) => i % 2);
  const sizes = Float32Array.from({ length: rows }, (_, i) => Math.sin(i));
  const logits = truths.map((truth, i) => ((truth === 1) === i >= wrong ? 3 : -3));
  return scoreSplit(
    fitted,
    {
      split: "test",
      ids: Array.from(truths, (_, i) => `r${i}`),
      outputs: [
        logits,
        truths.map((truth) => 6 * truth - 3),
        sizes.map((size, i) => size + error * (1 + 0.3 * Math.cos(7 * i))),
      ],
      labels: [truths, truths, sizes].map((answers) => ({ answers, unitScale: null })),
    },
    [[0.5], [0.5], []],
  );
}

const options = { gates: "truth", top: 0, randomOf: () => randomIndices([1, 2, 3, 4]) } as const;

describe("a run that is worse", () => {
  it("has small p-values where it is, and no others; a margin lets it pass", () => {
    const compared = compareSamples(split(0.1, 0), split(0.12, 20), { ...options, margin: 0 });
    const [open, lit, size] = compared.tasks.map(({ p_worse = null }) => p_worse);
    expect(open).toBeLessThan(1e-5);
    expect(lit).toBe(1);
    expect(size).toBeLessThan(0.001);
    const lenient = compareSamples(split(0.1, 0), split(0.12, 20), { ...options, margin: 0.25 });
    for (const { p_worse } of lenient.tasks) expect(p_worse).toBeGreaterThan(0.5);
    // the other way round it is better
    for (const { p_worse } of compareSamples(split(0.12, 20), split(0.1, 0), { ...options, margin: 0 }).tasks) {
      expect(p_worse).toBeGreaterThan(0.5);
    }
  });

  it("that answers a number with NaN is one: no answer is worse than any, and there is nothing to test", () => {
    const [known, some] = [split(0.1, 0), split(0.1, 0)];
    some.tasks[2]?.decoded.fill(Number.NaN, 5, 8);
    const size = compareSamples(known, some, { ...options, margin: 0 }).tasks[2];
    expect(size).toMatchObject({ n: 200, difference: null, interval: null, p_value: null, p_worse: null });
    expect(size?.values).toEqual([expect.closeTo(0.1, 2), null]);
    expect([size?.worse.count, size?.better.count]).toEqual([3, 0]);
    const back = compareSamples(some, known, { ...options, margin: 0 }).tasks[2];
    expect([back?.worse.count, back?.better.count]).toEqual([0, 3]);
  });

  it("is tested only where a margin is given", () => {
    expect(compareSamples(split(0.1, 0), split(0.1, 1), options).tasks.some((task) => "p_worse" in task)).toBe(false);
  });
});

it("contracts are counted by labels and by predictions, with the rows that break them", () => {
  const counts = countContracts(fitted, split(0.1, 6));
  // of the first six rows those with the truth no are said to be open, the others not to be
  expect(counts).toEqual([
    {
      split: "test",
      contract: "never open and not lit",
      broken: { labels: 0, predictions: 3 },
      known: { labels: 200, predictions: 200 },
      samples: ["r0", "r2", "r4"],
    },
    {
      split: "test",
      contract: "lit implies open",
      broken: { labels: 0, predictions: 3 },
      known: { labels: 200, predictions: 200 },
      samples: ["r1", "r3", "r5"],
    },
  ]);
});
