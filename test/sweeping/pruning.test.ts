/** @file Rules that end runs early: ASHA against a plain simulation, the median rule by hand. */
import { expect, test } from "vitest";
import { createRandom } from "../../src/data/rng.js";
import { prunedByAsha, rungs } from "../../src/sweeping/pruning/asha.js";
import type { ValueCurve } from "../../src/sweeping/pruning/curves.js";
import { prunedByMedian } from "../../src/sweeping/pruning/median.js";

const ASHA = { kind: "asha", reduction: 3, minEpochs: 1 } as const;
const curve = (...values: number[]): ValueCurve => values.map((value, i) => ({ epoch: i + 1, value }));

test("rungs are r · ηᵏ epochs, and the last epoch is none", () => {
  expect(rungs(ASHA, 30)).toEqual([1, 3, 9, 27]);
  expect(rungs(ASHA, 9)).toEqual([1, 3]);
  expect(rungs({ ...ASHA, reduction: 4, minEpochs: 2 }, 40)).toEqual([2, 8, 32]);
});

test("a run goes on where it is among the best third of those that have come to the rung", () => {
  const others = [curve(5), curve(4), curve(3), curve(2), curve(1)];
  // of six, two go on
  expect(prunedByAsha(ASHA, 1, 9, curve(1.5), others)).toBe(false);
  expect(prunedByAsha(ASHA, 1, 9, curve(2.5), others)).toBe(true);
  // the first one at a rung goes on, and a rung is no other epoch
  expect(prunedByAsha(ASHA, 1, 9, curve(9), [])).toBe(false);
  expect(prunedByAsha(ASHA, 2, 9, curve(9, 9), others)).toBe(false);
  // what has not come so far does not count
  expect(prunedByAsha(ASHA, 3, 9, curve(9, 9, 9), others)).toBe(false);
  // its best epoch counts, as for the checkpoint that a run keeps
  expect(prunedByAsha(ASHA, 3, 9, curve(9, 0, 9), [curve(1, 1, 1), curve(2, 2, 2)])).toBe(false);
});

test("ASHA finds the best of 81 curves in less than half of the epochs, and does what a plain simulation does", () => {
  const random = createRandom("asha");
  const EPOCHS = 27;
  const runs = Array.from({ length: 81 }, () => {
    const [end, rate] = [random.next(), 0.2 + 0.3 * random.next()];
    return Array.from({ length: EPOCHS }, (_, i) => end + (1 - end) * Math.exp(-rate * (i + 1)));
  });
  // the plain simulation keeps a list of values for each rung
  const lists = new Map<number, number[]>();
  const plain = runs.map((values) => {
    for (const rung of [1, 3, 9]) {
      const list = lists.get(rung) ?? [];
      list.push(Math.min(...values.slice(0, rung)));
      lists.set(rung, list);
      const place = list.toSorted((a, b) => a - b).indexOf(list.at(-1) ?? 0) + 1;
      if (place > Math.max(1, Math.floor(list.length / 3))) return rung;
    }
    return EPOCHS;
  });
  const seen: ValueCurve[] = [];
  const done = runs.map((values) => {
    for (let epoch = 1; epoch < EPOCHS; epoch++) {
      const own = curve(...values.slice(0, epoch));
      if (prunedByAsha(ASHA, epoch, EPOCHS, own, seen)) {
        seen.push(own);
        return epoch;
      }
    }
    seen.push(curve(...values));
    return EPOCHS;
  });
  expect(done).toEqual(plain);
  const ends = runs.map((values) => values[EPOCHS - 1] ?? 0);
  const best = ends.indexOf(Math.min(...ends));
  expect(done[best]).toBe(EPOCHS);
  expect(done.reduce((sum, epochs) => sum + epochs, 0)).toBeLessThan((81 * EPOCHS) / 2);
});

test("the median rule compares a run's best value with the means of the others so far", () => {
  const rule = { kind: "median", startup: 3, minEpochs: 2 } as const;
  const others = [curve(4, 2), curve(8, 4), curve(6, 6), curve(1)];
  // means up to epoch 2: 3, 6, 6; the median is 6
  expect(prunedByMedian(rule, 2, curve(9, 6.5), others)).toBe(true);
  expect(prunedByMedian(rule, 2, curve(6, 7), others)).toBe(false);
  expect(prunedByMedian(rule, 1, curve(99), others)).toBe(false);
  expect(prunedByMedian(rule, 2, curve(99, 99), others.slice(0, 2))).toBe(false);
});
