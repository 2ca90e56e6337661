/** @file Fewer points, and none that stands out is lost. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { meanWithBand } from "../../src/plotting/band.js";
import { decimate } from "../../src/plotting/decimate.js";

describe("decimate", () => {
  it("keeps a spike of one point among ten thousand", () => {
    const points = Array.from({ length: 10_000 }, (_, x) => ({ x, y: x === 7321 ? 99 : x % 2 }));
    const kept = decimate(points, 60, (x) => x / 9999);
    expect(kept.length).toBeLessThanOrEqual(240);
    expect(kept.filter(({ y }) => y === 99)).toEqual([{ x: 7321, y: 99 }]);
  });

  it("keeps the ends, the lowest and the highest of every column, in their order", () => {
    // -0 and 0 are as low
    const value = fc.oneof(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.constant(Number.NaN));
    fc.assert(
      fc.property(fc.array(value, { minLength: 30, maxLength: 300 }), (values) => {
        const points = values.map((y, x) => ({ x, y }));
        const place = (x: number): number => x / (points.length - 1);
        const kept = decimate(points, 5, place);
        expect(kept.map(({ x }) => x)).toEqual([...kept.map(({ x }) => x)].sort((a, b) => a - b));
        for (let column = 0; column < 5; column += 1) {
          // brute force
          const own = (list: typeof kept) => list.filter(({ x }) => Math.min(4, Math.floor(place(x) * 5)) === column);
          const ys = (list: typeof kept) => own(list).flatMap(({ y }) => (Number.isFinite(y) ? [y === 0 ? 0 : y] : []));
          expect([Math.min(...ys(kept)), Math.max(...ys(kept))]).toEqual([
            Math.min(...ys(points)),
            Math.max(...ys(points)),
          ]);
          expect([own(kept)[0], own(kept).at(-1)]).toEqual([own(points)[0], own(points).at(-1)]);
        }
      }),
    );
  });

  it("leaves few points as they are", () => {
    const points = [{ x: 0, y: 1 }];
    expect(decimate(points, 10, () => 0)).toBe(points);
  });
});

describe("meanWithBand", () => {
  it("is the mean and one sample deviation where two curves or more have a value", () => {
    const curve = (...ys: number[]) => ys.map((y, i) => ({ x: i + 1, y }));
    const { points, band } = meanWithBand([curve(1, 2, 3), curve(3, Number.NaN), curve(5, 4)]);
    // by hand: mean of 1, 3, 5 is 3, deviation 2; of 2, 4 it is 3 and √2; a single value has no spread
    expect(points).toEqual([
      { x: 1, y: 3 },
      { x: 2, y: 3 },
      { x: 3, y: 3 },
    ]);
    expect(band.map(({ x, low, high }) => [x, +low.toFixed(6), +high.toFixed(6)])).toEqual([
      [1, 1, 5],
      [2, 1.585786, 4.414214],
    ]);
  });
});
