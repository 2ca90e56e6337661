/** @file UPGrad: each task's gradient, projected so that no task objects to it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { at } from "../../../src/arrays.js";
import { createRandom } from "../../../src/data/rng.js";
import { combineGradients } from "../../../src/engine/optimization/conflicts.js";
import { projectOnDualCone } from "../../../src/engine/optimization/dual-cone.js";

type Vector = readonly number[];

/** By scipy's non-negative least squares on the gradients themselves: fixtures/scipy/make_dual_cone.py. */
interface Case {
  readonly name: string;
  readonly gradients: readonly Vector[];
  readonly projections: readonly Vector[];
  readonly mean: Vector;
}
const { cases } = JSON.parse(readFileSync("fixtures/scipy/dual-cone.json", "utf8")) as { cases: readonly Case[] };

const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, k) => sum + x * at(b, k), 0);
const plus = (a: Vector, b: Vector, factor: number): Vector => a.map((x, k) => x + factor * at(b, k));
const distance = (a: Vector, b: Vector): number => Math.sqrt(dot(plus(a, b, -1), plus(a, b, -1)));

function projected(gradients: readonly Vector[], own: number): Vector {
  const products = gradients.map((a) => gradients.map((b) => dot(a, b)));
  const added = projectOnDualCone(products, own);
  expect(added.every((share) => share >= 0)).toBe(true);
  return gradients.reduce((sum, gradient, i) => plus(sum, gradient, at(added, i)), at(gradients, own));
}

const named = (gradients: readonly Vector[]) =>
  gradients.map((values, task) => ({ task, values: Float32Array.from(values) }));

describe("the projection of each gradient", () => {
  test.each(cases.map((one) => [one.name, one] as const))("is scipy's: %s", (_, { gradients, projections }) => {
    for (const [i, gradient] of gradients.entries()) {
      const size = Math.sqrt(dot(gradient, gradient));
      expect(distance(projected(gradients, i), at(projections, i))).toBeLessThan(2e-6 * size);
    }
  });

  /** The nearest vector that is across some of the gradients, and that none of them objects to: one of all sets is it. */
  function byBruteForce(gradients: readonly Vector[], own: number): Vector {
    const found = Array.from({ length: 1 << gradients.length }, (_, bits): Vector | null => {
      const basis: Vector[] = [];
      for (const gradient of gradients.filter((__, i) => (bits >> i) & 1)) {
        // twice is enough (Kahan)
        const rest = [0, 1].reduce((left) => basis.reduce((sum, b) => plus(sum, b, -dot(sum, b)), left), gradient);
        const size = Math.sqrt(dot(rest, rest));
        if (size > 1e-9) basis.push(rest.map((x) => x / size));
      }
      const candidate = basis.reduce((sum, b) => plus(sum, b, -dot(sum, b)), at(gradients, own));
      return gradients.every((gradient) => dot(gradient, candidate) >= -1e-9) ? candidate : null;
    });
    const allowed = found.flatMap((candidate) => (candidate === null ? [] : [candidate]));
    return allowed.reduce((best, candidate) =>
      distance(candidate, at(gradients, own)) < distance(best, at(gradients, own)) ? candidate : best,
    );
  }

  test("is the best of all active sets, of up to six tasks", () => {
    const random = createRandom("active sets");
    for (let round = 0; round < 200; round++) {
      const [tasks, size] = [2 + random.int(5), 1 + random.int(6)];
      // few different numbers, so that some are parallel, opposed or dependent
      const gradients = Array.from({ length: tasks }, () =>
        Array.from({ length: size }, () => random.int(5) - 2),
      ).filter((gradient) => gradient.some((x) => x !== 0));
      for (let i = 0; i < gradients.length; i++) {
        expect(distance(projected(gradients, i), byBruteForce(gradients, i))).toBeLessThan(1e-7);
      }
    }
  });

  test("ends, with numbers, for fifty tasks that nearly depend on each other", () => {
    const random = createRandom("nearly dependent");
    const bases = Array.from({ length: 4 }, () => Array.from({ length: 60 }, () => random.next() - 0.5));
    const gradients = Array.from({ length: 50 }, () => {
      const mixed = bases.reduce<Vector>((sum, base) => plus(sum, base, random.next() - 0.5), new Array(60).fill(0));
      return mixed.map((x) => x + 1e-7 * (random.next() - 0.5));
    });
    for (let i = 0; i < gradients.length; i += 7) {
      const nearest = projected(gradients, i);
      const size = Math.sqrt(dot(at(gradients, i), at(gradients, i)));
      for (const gradient of gradients) expect(dot(gradient, nearest)).toBeGreaterThan(-1e-5 * size ** 2);
    }
  });
});

describe("what a feature's gradient becomes", () => {
  test.each(cases.map((one) => [one.name, one] as const))("is UPGrad's mean times the tasks: %s", (_, one) => {
    const { sum, pairs } = combineGradients("upgrad", named(one.gradients), "seed");
    const tasks = one.gradients.length;
    const largest = Math.max(...one.gradients.flat().map(Math.abs));
    for (const [k, value] of one.mean.entries())
      expect(Math.abs(at(sum, k) / tasks - value)).toBeLessThan(1e-6 * largest);
    // no task objects
    for (const gradient of one.gradients) {
      expect(dot(gradient, [...sum])).toBeGreaterThan(-1e-5 * largest ** 2);
    }
    const conflicts = pairs.filter(({ isConflict }) => isConflict).map((pair) => pair.tasks);
    const expected = one.gradients.flatMap((a, i) =>
      one.gradients.flatMap((b, j) => (i < j && dot(a, b) < 0 ? [[i, j]] : [])),
    );
    expect(conflicts).toEqual(expected);
  });

  test("is their sum where none is in conflict, bit by bit, and a task without a gradient meets nobody", () => {
    const { sum, pairs } = combineGradients(
      "upgrad",
      named([
        [2, 0.1],
        [1, 1],
        [0, 0],
      ]),
      "seed",
    );
    expect([...sum]).toEqual([3, Math.fround(Math.fround(0.1) + 1)]);
    expect(pairs).toEqual([{ tasks: [0, 1], isConflict: false }]);
  });

  test("does not hang on the order of the tasks, nor on a seed", () => {
    const { gradients } = cases.find(({ name }) => name === "8 tasks in 8 numbers") as Case;
    const { sum } = combineGradients("upgrad", named(gradients), "a");
    expect([...combineGradients("upgrad", named(gradients), "b").sum]).toEqual([...sum]);
    const turned = combineGradients("upgrad", named(gradients.toReversed()), "a").sum;
    for (const [k, value] of sum.entries()) expect(at(turned, k)).toBeCloseTo(value, 5);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "of a gradient with %s is not finite, so that the step fails",
    (bad) => {
      const { sum } = combineGradients(
        "upgrad",
        named([
          [1, bad],
          [-1, 0.5],
        ]),
        "seed",
      );
      expect([...sum].every(Number.isFinite)).toBe(false);
    },
  );
});
