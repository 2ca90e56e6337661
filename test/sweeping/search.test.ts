/** @file Searches against outside references: SciPy's Sobol points, Optuna's TPE. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FUNCTIONS } from "../../bench/sweep/functions.js";
import { mannWhitney } from "../../src/analysis/statistics/mann-whitney.js";
import { sobolPoint } from "../../src/sweeping/search/sobol.js";
import { STARTUP_TRIALS, tpeChoice } from "../../src/sweeping/search/tpe.js";
import type { Trial } from "../../src/sweeping/search/trials.js";
import type { Space } from "../../src/sweeping/space/space.js";

const fixture = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), "utf8"));

test("Sobol's points are SciPy's, in the same order", () => {
  const { first, later } = fixture("scipy/sobol.json") as {
    readonly first: readonly (readonly number[])[];
    readonly later: Readonly<Record<string, readonly number[]>>;
  };
  for (const [i, point] of first.entries()) expect(sobolPoint(i, 8)).toEqual(point);
  for (const [index, point] of Object.entries(later)) expect(sobolPoint(Number(index), 40)).toEqual(point);
});

const optuna = fixture("optuna/tpe.json") as { readonly best: Readonly<Record<string, readonly number[]>> };

test.each(FUNCTIONS.map((tested) => [tested.name, tested] as const))(
  "the best of 100 trials on %s is like that of Optuna's TPE",
  { timeout: 120_000 },
  (name, { space, value }) => {
    const best = Array.from({ length: 10 }, (_, seed) => {
      const past: Trial[] = [];
      for (let number = 1; number <= 100; number++) {
        const parameters = tpeChoice(space, past, seed, number);
        past.push({ number, parameters, outcome: { kind: "finished", values: [value(parameters)] } });
      }
      return Math.min(...past.map(({ outcome }) => (outcome.kind === "finished" ? (outcome.values[0] ?? 0) : 0)));
    });
    const { p } = mannWhitney(Float64Array.from(best), Float64Array.from(optuna.best[name] ?? []));
    expect(p).toBeGreaterThan(0.01);
  },
);

test("the same trial after the same others is chosen the same way, and another seed chooses otherwise", () => {
  const space = FUNCTIONS[3]?.space ?? [];
  const past = startup(space);
  expect(tpeChoice(space, past, 1, 11)).toEqual(tpeChoice(space, past, 1, 11));
  expect(tpeChoice(space, past, 2, 11)).not.toEqual(tpeChoice(space, past, 1, 11));
});

test("what failed, what is pruned early and what is still running are not looked for again", () => {
  const space: Space = [{ kind: "range", name: "x", low: 0, high: 1, log: false, step: null, when: null }];
  const near = (trials: readonly Trial[]): number => {
    const drawn = Array.from({ length: 40 }, (_, seed) => Number(tpeChoice(space, trials, seed, 60).x));
    return drawn.filter((x) => x > 0.8).length;
  };
  const at = (number: number, x: number, outcome: Trial["outcome"]): Trial => ({ number, parameters: { x }, outcome });
  const even = Array.from({ length: 20 }, (_, i) => at(i + 1, (i + 0.5) / 20, { kind: "finished", values: [1] }));
  const good = [0.2, 0.88, 0.92].map((x, i) => at(21 + i, x, { kind: "finished", values: [0] }));
  const before = near([...even, ...good]);
  expect(before).toBeGreaterThan(20);
  for (const outcome of [{ kind: "failed" }, { kind: "running" }, { kind: "pruned", epochs: 1, value: 9 }] as const) {
    const more = Array.from({ length: 12 }, (_, i) => at(24 + i, 0.85 + i / 100, outcome));
    expect(near([...even, ...good, ...more])).toBeLessThan(before / 2);
  }
});

function startup(space: Space): Trial[] {
  return Array.from({ length: STARTUP_TRIALS }, (_, i) => ({
    number: i + 1,
    parameters: tpeChoice(space, [], 1, i + 1),
    outcome: { kind: "finished", values: [i] },
  }));
}
