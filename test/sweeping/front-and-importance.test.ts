/** @file Pareto fronts and hypervolumes by hand and by counting; importance on functions whose variance is known. */
import { expect, test } from "vitest";
import { createRandom } from "../../src/data/rng.js";
import { hypervolume } from "../../src/sweeping/front/hypervolume.js";
import { dominates, fronts } from "../../src/sweeping/front/pareto.js";
import { mainEffects } from "../../src/sweeping/importance/fanova.js";
import { bestFirst } from "../../src/sweeping/search/order.js";

test("fronts are what nothing else is better than, then what only those are better than", () => {
  const points = [
    [1, 4],
    [2, 2],
    [4, 1],
    [3, 3],
    [2, 2],
    [5, 5],
  ];
  expect(fronts(points)).toEqual([[0, 1, 2, 4], [3], [5]]);
  expect(dominates([2, 2], [2, 2])).toBe(false);
});

test("a hypervolume is what the points dominate up to the reference", () => {
  // by hand: 4 × 1 + 3 × 2 + 1 × 1
  expect(
    hypervolume(
      [
        [1, 4],
        [2, 2],
        [4, 1],
      ],
      [5, 5],
    ),
  ).toBe(4 + 6 + 1);
  expect(hypervolume([[6, 0]], [5, 5])).toBe(0);
  // in three dimensions by counting cells of a grid
  const random = createRandom("volume");
  const points = Array.from({ length: 8 }, () => [random.int(10), random.int(10), random.int(10)]);
  let cells = 0;
  for (let x = 0; x < 10; x++)
    for (let y = 0; y < 10; y++)
      for (let z = 0; z < 10; z++) cells += points.some(([a = 0, b = 0, c = 0]) => a <= x && b <= y && c <= z) ? 1 : 0;
  expect(hypervolume(points, [10, 10, 10])).toBe(cells);
});

test("of one front the trial that adds most volume comes first", () => {
  const trial = (number: number, ...values: number[]) =>
    ({ number, parameters: {}, outcome: { kind: "finished", values } }) as const;
  const order = bestFirst([trial(1, 0, 10), trial(2, 4, 4), trial(3, 10, 0), trial(4, 9, 9)]);
  expect(order.map(({ number }) => number)[0]).toBe(2);
  expect(order.at(-1)?.number).toBe(4);
});

test("the best of a large front of three objectives are those that each add most, found one by one", () => {
  const random = createRandom("front");
  const trials = Array.from({ length: 200 }, (_, i) => {
    const [a, b] = [random.next(), random.next()];
    const values = [a, b, 2 - a - b];
    return { number: i + 1, parameters: {}, outcome: { kind: "finished", values } } as const;
  });
  const points = trials.map(({ outcome }) => outcome.values);
  const reference = [0, 1, 2].map((axis) => {
    const own = points.map((point) => point[axis] ?? 0);
    return Math.max(...own) + 0.1 * (Math.max(...own) - Math.min(...own));
  });
  const expected: number[] = [];
  for (let rank = 0; rank < 3; rank++) {
    const volumes = points.map((_, i) =>
      hypervolume(
        [...expected, i].map((one) => points[one] ?? []),
        reference,
      ),
    );
    expected.push(volumes.indexOf(Math.max(...volumes)));
  }
  expect(bestFirst(trials, 3).map(({ number }) => number - 1)).toEqual(expected);
  expect(bestFirst(trials, 20)).toHaveLength(20);
});

function sampled(count: number, dimensions: number, value: (place: readonly number[]) => number) {
  const random = createRandom("samples");
  return Array.from({ length: count }, () => {
    const place = Array.from({ length: dimensions }, () => random.next());
    return { place, value: value(place) };
  });
}

test("importance is the share of the variance: of 2x + y it is 4 to 1", () => {
  const [x = 0, y = 0, z = 0] = mainEffects(sampled(300, 3, ([a = 0, b = 0]) => 2 * a + b));
  expect(x).toBeGreaterThan(0.74);
  expect(x).toBeLessThan(0.84);
  expect(y).toBeGreaterThan(0.14);
  expect(y).toBeLessThan(0.24);
  expect(z).toBeLessThan(0.01);
});

test("what two parameters do together only belongs to neither", () => {
  // of (x - ½)(y - ½) both main effects are 0
  const effects = mainEffects(sampled(300, 2, ([a = 0, b = 0]) => (a - 0.5) * (b - 0.5)));
  for (const effect of effects) expect(effect).toBeLessThan(0.1);
});

test("Ishigami's function has the main effects that are known of it", () => {
  // Ishigami & Homma 1990 with a = 7, b = 0.1: 0.3139, 0.4424, 0
  const angle = (unit: number): number => Math.PI * (2 * unit - 1);
  const effects = mainEffects(
    sampled(600, 3, ([a = 0, b = 0, c = 0]) => {
      const [x, y, z] = [angle(a), angle(b), angle(c)];
      return Math.sin(x) + 7 * Math.sin(y) ** 2 + 0.1 * z ** 4 * Math.sin(x);
    }),
  );
  expect(effects[0]).toBeCloseTo(0.3139, 1);
  expect(Math.abs((effects[1] ?? 0) - 0.4424)).toBeLessThan(0.13);
  expect(effects[2]).toBeLessThan(0.06);
});

test("values that do not differ have no importance", () => {
  expect(mainEffects(sampled(10, 2, () => 3))).toEqual([0, 0]);
});
