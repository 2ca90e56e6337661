/** @file Curves as text, small enough to be read. */
import { describe, expect, it } from "vitest";
import type { PlotCurve } from "../../src/plotting/curve.js";
import { DotGrid } from "../../src/plotting/dots.js";
import { type TextChartOptions, textChart } from "../../src/plotting/text-chart.js";

const curve = (ys: readonly number[], name = "curve"): PlotCurve => ({ name, points: ys.map((y, x) => ({ x, y })) });
const drawn = (curves: readonly PlotCurve[], options: TextChartOptions): string =>
  `\n${textChart(curves, options)
    .map((line) => line.map(({ text }) => text).join(""))
    .join("\n")}\n`;

describe("DotGrid", () => {
  it("sets the bits of Unicode's braille patterns", () => {
    const grid = new DotGrid(2, 1);
    // dots 1, 4 (upper row) and 7, 8 (lowest): U+2800 + 0x01 + 0x08 + 0x40 + 0x80
    for (const [x, y] of [
      [0, 0],
      [1, 0],
      [0, 3],
      [1, 3],
    ] as const)
      grid.dot(x, y, 5);
    expect(grid.cell(0, 0)).toEqual({ text: "⣉", owner: 5 });
    expect(grid.cell(1, 0)).toEqual({ text: " ", owner: -1 });
    grid.dot(-1, 0, 1);
    grid.dot(4, 0, 1);
    expect(grid.cell(1, 0).owner).toBe(-1);
  });
});

describe("textChart", () => {
  it("draws a line from corner to corner", () => {
    expect(drawn([curve([0, 1, 2, 3])], { width: 16, height: 6, xUnit: "whole" })).toMatchInlineSnapshot(`
      "
        │         ⣀⠔⠊a
      2 ┤      ⡠⠔⠉
        │   ⣀⠔⠊
      0 ┤⡠⠔⠊
        └┬──────┬────
         0      2
      "
    `);
  });

  it("leaves gaps, and shows a point between two of them", () => {
    const values = [0, 1, Number.NaN, 2, Number.NaN, 1, 0];
    expect(drawn([curve(values)], { width: 24, height: 6, xUnit: "whole" })).toMatchInlineSnapshot(`
      "
      2 ┤          ⠁
        │
      1 ┤  ⡠⠊            ⠈⠢⡀
      0 ┤⡠⠊                ⠑⢄a
        └┬───────────────┬───
         0               5
      "
    `);
  });

  it("shows a constant, a single point and nothing", () => {
    expect(drawn([curve([3, 3, 3])], { width: 20, height: 5 })).toMatchInlineSnapshot(`
      "
      3.2 ┤
      3.0 ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤a
      2.8 ┤
          └┬────────────┬
           0            2
      "
    `);
    expect(drawn([curve([3])], { width: 20, height: 5, xUnit: "whole" })).toMatchInlineSnapshot(`
      "
      3.2 ┤
      3.0 ┤       ⠄a
      2.8 ┤
          └───────┬──────
                  0
      "
    `);
    expect(drawn([], { width: 20, height: 5 })).toMatchInlineSnapshot(`
      "
      1.0 ┤
      0.5 ┤
        0 ┤
          └┬────────────┬
           0            1
      "
    `);
  });

  it("writes numbers of its axis whole, or not at all", () => {
    const near = [curve([1e6, 1e6 + 2e-6, 1e6 + 4e-6])];
    const labels = (width: number): string[] =>
      drawn(near, { width, height: 14 })
        .split("\n")
        .map((line) => /^ *(\S+) ┤/.exec(line)?.[1] ?? "")
        .filter((label) => label !== "");
    const values = labels(60).map(Number);
    expect(values.length).toBeGreaterThan(2);
    for (const value of values) expect(Math.abs(value - 1e6)).toBeLessThan(1e-5);
    expect(new Set(values).size).toBe(values.length);
    // no room for so many digits
    expect(labels(24)).toEqual([]);
  });

  it("tells curves apart without colour: a letter at each end, and along the lines", () => {
    const curves = [curve([0, 1, 2, 3, 4]), curve([4, 3, 2, 1, 0])];
    expect(drawn(curves, { width: 30, height: 8, xUnit: "whole", xLabel: "epoch" })).toMatchInlineSnapshot(`
      "
      4 ┤⠉⠒⠤⣀                  ⣀⠤⠒⠉a
        │    ⠉b⠤⢄⡀         ⣀⠤a⠉
        │        ⠈⠑⠢b⡀ a⠤⠒⠉
      2 ┤        a⣀⠤⠔⠊⠉⠒⠤⢄b
        │    ⣀⠤⠒⠊⠁        ⠈⠑⠒⠤⣀
      0 ┤⣀⠤a⠉                  ⠉b⠤⣀b
        └┬────────────┬───────────┬
         0            2        epoch
      "
    `);
    const coloured = textChart(curves, { width: 30, height: 8, colour: true });
    const roles = new Set(coloured.flat().map(({ role }) => role));
    expect(roles).toEqual(new Set(["axis", 0, 1]));
  });

  it("has a logarithmic axis, on which zero is a gap", () => {
    expect(drawn([curve([1000, 100, 10, 1, 0, 1])], { width: 24, height: 8, log: true })).toMatchInlineSnapshot(`
      "
          │⠑⢄
          │ ⠈⠢⡀
      100 ┤   ⠈⠢⡀
          │     ⠈⠢⡀
          │       ⠈⢢
        1 ┤         ⠑⢄      ⢀a
          └┬────────────────┬
           0                5
      "
    `);
  });

  it("draws a band behind its mean", () => {
    const points = [0, 1, 2].map((x) => ({ x, y: 1 }));
    const band = [0, 1, 2].map((x) => ({ x, low: 0, high: 2 }));
    expect(drawn([{ name: "folds", points, band }], { width: 20, height: 7 })).toMatchInlineSnapshot(`
      "
      2 ┤⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅
        │⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅
      1 ┤⠥⠥⠥⠥⠥⠥⠥⠥⠥⠥⠥⠥⠥⠥⠥⠥a
        │⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅
      0 ┤⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅⠅
        └┬──────────────┬
         0              2
      "
    `);
  });

  it("shows a spike among ten thousand points", () => {
    const values = Array.from({ length: 10_000 }, (_, i) => (i === 5000 ? 1 : 0));
    const [top = ""] = drawn([curve(values)], { width: 40, height: 8 })
      .trim()
      .split("\n");
    expect(top).toMatch(/1\.0 ┤ +[⡇⢸]$/);
  });

  it.each([1e-30, 1, 1e30])("fits its width and height at a scale of %d", (unit) => {
    for (const width of [10, 40, 80])
      for (const height of [3, 8, 24])
        for (const log of [false, true]) {
          const lines = textChart([curve([unit, 2 * unit, 1.5 * unit])], { width, height, log, xLabel: "step" });
          expect(lines).toHaveLength(height);
          for (const line of lines)
            expect(line.map(({ text }) => text).join("").length).toBeLessThanOrEqual(Math.max(width, 14));
        }
  });
});
