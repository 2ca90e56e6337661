/** @file The generator against its published vector; orders of epochs. */
import { describe, expect, test } from "vitest";
import { batchesOf, epochOrder } from "../../src/data/batches.js";
import { createRandom } from "../../src/data/rng.js";

describe("createRandom", () => {
  test("steps as the reference implementation of xoshiro128** does from state 1, 2, 3, 4", () => {
    const random = createRandom(0);
    random.restore([1, 2, 3, 4]);
    const words = Array.from({ length: 10 }, () => random.int(2 ** 32));
    expect(words).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test("next joins the upper 27 and 26 bits of two words", () => {
    const random = createRandom(0);
    random.restore([1, 2, 3, 4]);
    // 11520 >> 5 = 360, 0 >> 6 = 0
    expect(random.next()).toBe((360 * 2 ** 26) / 2 ** 53);
    expect(random.next()).toBe((Math.floor(5927040 / 32) * 2 ** 26 + Math.floor(70819200 / 64)) / 2 ** 53);
  });

  test("the seed 7 gives the state that SHA-256 of its text says", () => {
    // printf 7 | sha256sum: 7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451
    expect(createRandom(7).state()).toEqual([0x9b690279, 0x8e8a2ce4, 0x45bbfb46, 0x17657201]);
    expect(createRandom("7").state()).toEqual(createRandom(7).state());
  });

  test("a saved state goes on with the same numbers", () => {
    const random = createRandom("a");
    random.next();
    const state = random.state();
    const first = [random.next(), random.int(10), random.next()];
    random.restore(state);
    expect([random.next(), random.int(10), random.next()]).toEqual(first);
  });

  test("int stays below its bound, reaches every value, and is even within 5 standard errors", () => {
    const random = createRandom(1);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 60_000; i++) (counts[random.int(6)] as number)++;
    for (const count of counts)
      expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(60_000 * (1 / 6) * (5 / 6)));
    expect(() => random.int(0)).toThrow(RangeError);
  });

  test("each of the 6 orders of 3 items comes up equally often, within 5 standard errors", () => {
    const random = createRandom(2);
    const counts = new Map<string, number>();
    for (let i = 0; i < 12_000; i++) {
      const order = random.shuffle(["a", "b", "c"]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(5 * 41);
  });
});

describe("epochOrder", () => {
  const rows = Int32Array.from({ length: 100 }, (_, i) => i * 2);

  test("is a permutation that depends on seed and epoch alone", () => {
    const order = epochOrder(rows, 7, 3);
    expect(order).not.toEqual(rows);
    expect(order.slice().sort()).toEqual(rows);
    expect(epochOrder(rows, 7, 3)).toEqual(order);
    expect(epochOrder(rows, 7, 4)).not.toEqual(order);
    expect(epochOrder(rows, 8, 3)).not.toEqual(order);
  });

  test("leaves its input as it is", () => {
    epochOrder(rows, 1, 1);
    expect(rows[1]).toBe(2);
  });
});

test("batches cover the order; the last one is shorter", () => {
  const batches = batchesOf(Int32Array.of(5, 4, 3, 2, 1), 2);
  expect(batches.map((batch) => [...batch])).toEqual([[5, 4], [3, 2], [1]]);
  expect(batchesOf(new Int32Array(0), 2)).toEqual([]);
  expect(() => batchesOf(Int32Array.of(1), 0)).toThrow(RangeError);
});
