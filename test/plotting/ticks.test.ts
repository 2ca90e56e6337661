/** @file Ticks: round numbers within the axis, and labels that tell them apart. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linearScale, logScale } from "../../src/plotting/scale.js";
import { niceStep, ticksOf, timeLabel, valueLabel } from "../../src/plotting/ticks.js";

const linear = (low: number, high: number, count: number) =>
  ticksOf(linearScale({ low, high }), count).map(({ label }) => label);
const log = (low: number, high: number, count: number) =>
  ticksOf(logScale({ low, high }), count).map(({ label }) => label);

describe("niceStep", () => {
  it.each([
    [1, 1],
    [1.4, 1],
    [1.5, 2],
    [3, 2],
    [3.5, 5],
    [7, 5],
    [7.5, 10],
    [0.03, 0.02],
    [4e-31, 5e-31],
  ])("of %d is %d", (wanted, step) => {
    expect(niceStep(wanted)).toBe(step);
  });
});

describe("ticks of a linear axis", () => {
  it("are multiples of 1, 2 or 5", () => {
    expect(linear(0, 1, 5)).toEqual(["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
    expect(linear(0.13, 0.97, 4)).toEqual(["0.2", "0.4", "0.6", "0.8"]);
    expect(linear(-3, 3, 3)).toEqual(["-2", "0", "2"]);
    expect(linear(0, 12_345, 3)).toEqual(["0", "5000", "10000"]);
  });

  it("have as many digits as tell them apart", () => {
    expect(linear(1, 1.0001, 2)).toEqual(["1.00000", "1.00005", "1.00010"]);
    expect(linear(0, 3e-30, 3)).toEqual(["0", "1e-30", "2e-30", "3e-30"]);
    expect(linear(-1e30, 1e30, 2)).toEqual(["-1e30", "0", "1e30"]);
    expect(linear(1.5e6, 2.5e6, 2)).toEqual(["1.5e6", "2.0e6", "2.5e6"]);
  });

  it("of whole numbers are whole", () => {
    const ticks = ticksOf(linearScale({ low: 1, high: 3 }), 8, "whole");
    expect(ticks.map(({ value }) => value)).toEqual([1, 2, 3]);
  });

  it("stand within the axis, ascend and differ, whatever its ends", () => {
    const number = fc.double({ min: -1e30, max: 1e30, noNaN: true });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 2, max: 12 }), (a, b, count) => {
        const scale = linearScale({ low: Math.min(a, b), high: Math.max(a, b) });
        const ticks = ticksOf(scale, count);
        const places = ticks.map(({ value }) => scale.place(value));
        expect(places.every((place) => place >= -1e-6 && place <= 1 + 1e-6)).toBe(true);
        expect(ticks.length).toBeLessThanOrEqual(2 * count + 2);
        expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      }),
    );
  });
});

describe("ticks of a logarithmic axis", () => {
  it("are powers of ten, with 2 and 5 where there is room", () => {
    expect(log(1e-4, 1, 4)).toEqual(["1e-4", "0.001", "0.01", "0.1", "1"]);
    expect(log(0.06, 1.2, 4)).toEqual(["0.1", "0.2", "0.5", "1"]);
    expect(log(1e-30, 1e30, 4)).toEqual(["1e-20", "1", "1e20"]);
  });

  it("are those of a linear axis within a factor of two", () => {
    expect(log(1.1, 1.4, 3)).toEqual(["1.1", "1.2", "1.3", "1.4"]);
  });
});

describe("labels of time", () => {
  it("have a round unit", () => {
    const labels = ticksOf(linearScale({ low: 0, high: 7200 }), 4, "seconds").map(({ label }) => label);
    expect(labels).toEqual(["0s", "30m", "1h", "1h30", "2h"]);
    expect([45, 90, 3661, 86_400, 93_600, -30].map(timeLabel)).toEqual(["45s", "1m30", "1h01", "1d", "1d2h", "-30s"]);
  });
});

describe("values", () => {
  it("have about five digits", () => {
    const values = [0, 12, 0.123456, 12.345678, 123.4567, 12_345.67, 1.5e7, 1e-30, 0.00123456, Number.NaN];
    expect(values.map(valueLabel)).toEqual([
      ...["0", "12", "0.1235", "12.3457", "123.46", "12345.7", "1.50e7", "1.00e-30", "0.00123", "NaN"],
    ]);
    expect([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(valueLabel)).toEqual(["∞", "-∞"]);
  });
});

describe("scales", () => {
  it("give a constant the middle", () => {
    for (const value of [3, 0, -2, 1e-320]) {
      expect(linearScale({ low: value, high: value }).place(value)).toBeCloseTo(0.5, 12);
    }
    expect(logScale({ low: 5, high: 5 }).place(5)).toBeCloseTo(0.5, 12);
  });

  it("span what no difference can be computed of", () => {
    const scale = linearScale({ low: -Number.MAX_VALUE, high: Number.MAX_VALUE });
    expect([-Number.MAX_VALUE, 0, Number.MAX_VALUE].map(scale.place)).toEqual([0, 0.5, 1]);
  });

  it("of the largest and the smallest numbers have ends, and ticks between them", () => {
    for (const value of [Number.MAX_VALUE, 1.7e308, Number.MIN_VALUE, 1e-323]) {
      for (const scale of [linearScale({ low: value, high: value }), logScale({ low: value, high: value })]) {
        expect([scale.low, scale.high].every(Number.isFinite)).toBe(true);
        const place = scale.place(value);
        expect(place >= 0 && place <= 1).toBe(true);
        expect(ticksOf(scale, 6).length).toBeLessThan(20);
      }
    }
  });

  it("have no place for zero and below on a logarithmic axis", () => {
    expect([0, -1].map(logScale({ low: 1, high: 10 }).place)).toEqual([Number.NaN, Number.NaN]);
  });
});
