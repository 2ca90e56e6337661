/** @file Curves as an SVG drawing. */
import { expect, test } from "vitest";
import { svgChart } from "../../src/plotting/svg-chart.js";

const points = [0, 1, 2].map((x) => ({ x, y: x }));

test("a drawing has its curve as a line between its axes, and its name in the legend", () => {
  const svg = svgChart([{ title: "valid/_total/loss", curves: [{ name: "first", points }] }], {
    width: 960,
    height: 540,
    xLabel: "epoch",
  });
  const [, line = ""] = /<polyline points="([^"]*)"/.exec(svg) ?? [];
  const places = line.split(" ").map((pair) => pair.split(",").map(Number));
  expect(places).toHaveLength(3);
  const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = []] = places;
  expect(x1).toBeCloseTo((x0 + x2) / 2, 1);
  expect(y1).toBeCloseTo((y0 + y2) / 2, 1);
  expect([x2, y2]).toEqual([940, 44]);
  expect(svg).toContain(">first  2</text>");
  expect(svg).toContain(">epoch</text>");
});

test("names that are markup or control characters are text", () => {
  const name = '<script>alert("x")</script>&\u001b[2J\u0000';
  const svg = svgChart([{ title: name, curves: [{ name, points }] }], { width: 640, height: 400, note: name });
  expect(svg).not.toContain("<script>");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none
  expect(svg).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  expect(svg).toContain("&lt;script&gt;");
});

test("small multiples stand in a grid, and a single point is a dot", () => {
  const panels = ["a", "b", "c"].map((title) => ({ title, curves: [{ name: title, points: points.slice(1, 2) }] }));
  const svg = svgChart(panels, { width: 960, height: 800, theme: "dark" });
  expect([...svg.matchAll(/<g transform="translate\(([\d. ]+)\)"><text/g)].map(([, at]) => at)).toEqual([
    "0 0",
    "480 0",
    "0 400",
  ]);
  expect(svg.match(/<circle /g)).toHaveLength(3);
});
