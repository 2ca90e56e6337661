/** @file Smoothing as TensorBoard does it. */
import { describe, expect, it } from "vitest";
import { smooth } from "../../src/plotting/smooth.js";

const at = (values: readonly number[]) => values.map((y, x) => ({ x, y }));
const smoothed = (values: readonly number[], weight: number): number[] => smooth(at(values), weight).map(({ y }) => y);

describe("smooth", () => {
  it("is s / (1 - w^n) with s = w s + (1 - w) y", () => {
    // by hand: 0.5 / 0.5, (0.25 + 1) / 0.75, (0.625 + 1.5) / 0.875
    expect(smoothed([1, 2, 3], 0.5)).toEqual([1, 1.25 / 0.75, 2.125 / 0.875]);
  });

  it("is the weighted mean of pandas' ewm(adjust=True), whose gaps count for nothing", () => {
    // pandas: Series([1, 2, 4, nan, 3, -1, 0.5]).ewm(alpha=0.4, adjust=True, ignore_na=True).mean(), the gap put back
    const expected = [1, 1.625, 2.8367346938775513, 2.911764705882353, 1.2151283830673143, 0.915077873254565];
    const own = smoothed([1, 2, 4, Number.NaN, 3, -1, 0.5], 0.6);
    expect(own[3]).toBeNaN();
    own
      .filter((y) => !Number.isNaN(y))
      .forEach((y, i) => {
        expect(y).toBeCloseTo(expected[i] ?? 0, 12);
      });
  });

  it("changes nothing with weight 0, and a constant with none", () => {
    expect(smoothed([3, 1, 2], 0)).toEqual([3, 1, 2]);
    // 0.1 + 0.2 would round
    expect(smoothed([0.3, 0.3, 0.3], 0.9)).toEqual([0.3, 0.3, 0.3]);
    expect(smoothed([7], 0.9)).toEqual([7]);
    expect(smoothed([], 0.9)).toEqual([]);
  });
});
