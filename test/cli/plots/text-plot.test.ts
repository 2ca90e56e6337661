/** @file Curves as text: one chart or many, no wider than asked for, whatever their names hold. */
import { describe, expect, it } from "vitest";
import { textPlot } from "../../../src/cli/plots/text-plot.js";
import { displayWidth } from "../../../src/cli/tables/display-width.js";
import { type NamedCurve, panelsOf } from "../../../src/plotting/panels.js";

const curve = (run: string, taskPath: string, ys: readonly number[] = [1, 2], metricName = "loss"): NamedCurve => ({
  ...{ run, split: "valid", taskPath, metricName },
  points: ys.map((y, x) => ({ x, y })),
});
const plain = { width: 80, height: null, colour: false, xUnit: "whole", xLabel: "step" } as const;
const HOSTILE = "\u001b[2J\u0007\nname\u202e狐 ".repeat(20);

describe("textPlot", () => {
  it("names what differs in the legend, and what is the same in the title", () => {
    const lines = textPlot(panelsOf([curve("one", "door"), curve("two", "door", [3, 0.25])]), plain).split("\n");
    expect(lines).toHaveLength(24);
    expect(lines[0]).toBe("valid/door/loss");
    expect(lines.at(-1)).toBe("a one  2   b two  0.2500");
    const tasks = textPlot(panelsOf([curve("one", "door"), curve("one", "window")]), plain).split("\n");
    expect([tasks[0], tasks.at(-1)]).toEqual(["one", "a valid/door/loss  2   b valid/window/loss  2"]);
  });

  it("draws more than eight curves as a chart for each metric, and says which are not shown", () => {
    const tasks = Array.from({ length: 15 }, (_, i) => `task${i}`);
    const text = textPlot(panelsOf(tasks.flatMap((task) => [curve("one", task), curve("two", task)])), plain);
    const lines = text.split("\n");
    expect(lines[0]).toMatch(/^valid\/task0\/loss +valid\/task1\/loss$/);
    expect(lines.slice(-2)).toEqual(
      [
        "a one   b two",
        "… 3 more charts (--metric, --height): valid/task12/loss, valid/task13/loss, val…k14/loss".replace(
          "valid/task13/loss, val…k14/loss",
          "valid/task13…lid/task14/loss",
        ),
      ].map((line) => expect.stringContaining(line.slice(0, 40))),
    );
    const many = textPlot(panelsOf(Array.from({ length: 12 }, (_, i) => curve(`run${i}`, "door"))), plain);
    expect(many).toContain("… 4 more curves per chart are not shown: name fewer runs");
  });

  it("says what has no place", () => {
    const text = textPlot(panelsOf([curve("one", "door", [1, Number.NaN, 0, -1, 2])]), { ...plain, log: true });
    expect(text).toContain("1 value is NaN, infinite or undefined: gaps");
    expect(text).toContain("2 values of zero or below: no place on a log axis");
  });

  it.each([20, 40, 80, 200])("is no wider than %d columns, and shows control characters", (width) => {
    const curves = Array.from({ length: 4 }, (_, i) => curve(`${HOSTILE}${i}`, `${HOSTILE}task`));
    for (const own of [
      curves,
      [...curves, ...curves, ...curves].map((one, i) => ({ ...one, taskPath: `${HOSTILE}${i}` })),
    ]) {
      const text = textPlot(panelsOf(own), { ...plain, width });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
      for (const line of text.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }
  });
});
