/** @file Numbers of 16 bits, against all that there are. */
import { describe, expect, test } from "vitest";
import { createRandom } from "../../../src/data/rng.js";
import { bytesOf, fromHalf, keep, keptFrom, restore, toHalf } from "../../../src/engine/features/numbers.js";

/** Finite ones, ascending, with their bits. */
const HALVES = Array.from({ length: 2 ** 16 }, (_, bits) => ({ bits, value: fromHalf(bits) }))
  .filter(({ value }) => Number.isFinite(value))
  .sort((a, b) => a.value - b.value);

describe("a number of 16 bits", () => {
  test.each([
    [0x0000, 0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3555, 0.333251953125],
    [0x7c00, Number.POSITIVE_INFINITY],
  ])("of the bits %s is %s, as IEEE 754 says", (bits, value) => {
    expect(fromHalf(bits)).toBe(value);
    expect(toHalf(value)).toBe(bits);
  });

  test("is the nearest of all that there are; of two as near, the even one", () => {
    const random = createRandom("halves");
    const values = Array.from({ length: 40 }, () => Math.fround((random.next() - 0.5) * 2 ** (random.int(34) - 18)));
    const middles = HALVES.slice(0, -1)
      .filter((_, i) => i % 1511 === 0)
      .map(({ value }, i) => (value + (HALVES[i * 1511 + 1]?.value ?? 0)) / 2);
    for (const value of [...values, ...middles]) {
      const distance = (half: number): number => Math.abs(half - value);
      const nearest = Math.min(...HALVES.map((half) => distance(half.value)));
      const candidates = HALVES.filter((half) => distance(half.value) === nearest);
      const chosen = toHalf(value);
      expect(candidates.map(({ bits }) => bits)).toContain(chosen);
      if (new Set(candidates.map((half) => half.value)).size > 1) expect(chosen % 2).toBe(0);
    }
  });

  test("keeps what it is through the cache, NaN too", () => {
    const values = Float32Array.from([0.5, -3, 65504, Number.NaN, 1 / 3]);
    for (const precision of ["float32", "float16"] as const) {
      const out = new Float32Array(5);
      restore(keptFrom(bytesOf(keep(values, precision)), precision), out, 0);
      expect(out[4]).toBeCloseTo(1 / 3, precision === "float32" ? 7 : 3);
      expect([...out.slice(0, 4)]).toEqual([0.5, -3, 65504, Number.NaN]);
    }
  });
});
