/** @file Smoothing against its definition, summed anew for every point. */
import { expect, test } from "vitest";
import { smooth } from "../../src/plotting/smooth.js";

test("a smoothed value is the weighted mean of the values so far", () => {
  const values = [3, -1, 4, 1, -5, 9, 2, 6];
  const weight = 0.7;
  const byHand = values.map((_, n) => {
    let [sum, total] = [0, 0];
    for (let i = 0; i <= n; i++) {
      sum += weight ** (n - i) * (values[i] ?? 0);
      total += weight ** (n - i);
    }
    return sum / total;
  });
  smooth(values, weight).forEach((value, i) => {
    expect(value).toBeCloseTo(byHand[i] ?? Number.NaN, 12);
  });
});

test("the first value stands as it is, and a constant stays constant", () => {
  expect(smooth([5], 0.99)).toEqual([5]);
  for (const value of smooth([2, 2, 2, 2], 0.9)) expect(value).toBeCloseTo(2, 12);
});

test("a weight of 0 changes nothing", () => {
  expect(smooth([1, null, 3], 0)).toEqual([1, null, 3]);
});

test("holes stay holes and count for nothing", () => {
  expect(smooth([1, null, 1, Number.NaN, 1], 0.5)).toEqual([1, null, 1, Number.NaN, 1]);
  expect(smooth([0, Number.POSITIVE_INFINITY, 3], 0.5)).toEqual([0, Number.POSITIVE_INFINITY, 2]);
});
