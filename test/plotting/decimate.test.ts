/** @file Decimation keeps what a curve looks like. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decimate } from "../../src/plotting/decimate.js";

test("a short curve keeps every point", () => {
  expect(decimate([1, 2, 3], 4)).toEqual([0, 1, 2]);
});

test("ends, the highest and the lowest value are kept, in order, and no more points than asked for", () => {
  const value = fc.oneof(fc.double(), fc.constant(null));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 300 }), fc.integer({ min: 4, max: 60 }), (values, limit) => {
      const kept = decimate(values, limit);
      expect(kept.length).toBeLessThanOrEqual(Math.max(limit, 0));
      expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
      if (values.length > 0) expect([kept[0], kept.at(-1)]).toEqual([0, values.length - 1]);
      const finite = (list: readonly (number | null | undefined)[]) =>
        list.filter((one): one is number => typeof one === "number" && Number.isFinite(one));
      const [all, shown] = [finite(values), finite(kept.map((i) => values[i]))];
      if (all.length === 0) return;
      expect(Math.max(...shown)).toBe(Math.max(...all));
      expect(Math.min(...shown)).toBe(Math.min(...all));
    }),
  );
});

test("a single peak among 100,000 points is still there", () => {
  const values = Array.from({ length: 100_000 }, (_, i) => (i === 77_777 ? 9 : 0));
  const kept = decimate(values, 200);
  expect(kept).toContain(77_777);
  expect(kept.length).toBeLessThanOrEqual(200);
});
