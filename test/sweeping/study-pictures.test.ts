/** @file Pictures of studies: values stand where their lines cross, and what stands out has finished. */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bestText } from "../../src/cli/sweep/best-text.js";
import { textPlot } from "../../src/cli/plots/text-plot.js";
import { parallelSvg, parallelText } from "../../src/plotting/parallel.js";
import type { Space } from "../../src/sweeping/space/space.js";
import type { ShownTrial, StudyDocument } from "../../src/sweeping/study/study-document.js";
import { parallelOf, slicesOf, studySvg } from "../../src/sweeping/study/study-pictures.js";

const SPACE: Space = [
  { name: "train.batchSize", when: null, kind: "choice", choices: [16, 32, 64] },
  { name: "train.optimizer.kind", when: null, kind: "choice", choices: ["sgd", "adamw"] },
  { name: "train.epochs", when: null, kind: "range", low: 2, high: 9, log: false, step: 2 },
];

const TRIALS: readonly (readonly [ShownTrial["state"], number, string, number, number])[] = [
  ["pruned", 16, "sgd", 2, 0.1],
  ["finished", 32, "adamw", 4, 0.2],
  ["finished", 64, "sgd", 8, 0.3],
  ["finished", 16, "adamw", 6, 0.4],
  ["finished", 32, "sgd", 2, 0.5],
];

const DOCUMENT: StudyDocument = {
  study: {
    ...{ id: "s", name: "rates", project: "p", search: "tpe", seed: 1, prune: null, fixed: ["model.dropout=0.1"] },
    ...{ planned: 5, epochs_done: 50, created_at: "2026-01-01T00:00:00.000Z", ended_at: null },
    objectives: [{ name: "valid/_total/loss", direction: "minimize" }],
    trials: { finished: 4, pruned: 1, failed: 0, interrupted: 0, running: 0 },
  },
  trials: TRIALS.map(([state, batchSize, kind, epochs, loss], i) => ({
    ...{ number: i + 1, run: null, state, objectives: [loss], epochs_done: 10, error: null },
    values: { "train.batchSize": batchSize, "train.optimizer.kind": kind, "train.epochs": epochs },
  })),
  best: [2],
  importance: null,
};

test("each value of a list, and the last one that a range with steps has, is named where lines with it cross", () => {
  const { axes, lines } = parallelOf(SPACE, DOCUMENT);
  const placeOf = (axis: number, text: string) => axes[axis]?.marks.find((mark) => mark.text === text)?.place;
  const crossed = lines.find(({ places }) => places[3] === 0.25)?.places ?? [];
  expect([placeOf(0, "32"), placeOf(1, "adamw")]).toEqual(crossed.slice(0, 2));
  // 2, 4, 6, 8: in the middles of quarters
  expect(axes[2]?.marks).toEqual([
    { place: 0.875, text: "8" },
    { place: 0.125, text: "2" },
  ]);
  expect(axes[3]?.marks).toEqual([
    { place: 1, text: "0.5" },
    { place: 0, text: "0.1" },
  ]);
});

test("the best three that finished stand out, and no pruned trial, however good the value it stopped at", () => {
  const strong = parallelOf(SPACE, DOCUMENT).lines.filter(({ isStrong }) => isStrong);
  expect(strong.map(({ places }) => places[3])).toEqual([0.25, 0.5, 0.75].map((place) => expect.closeTo(place, 12)));
});

test("a text picture names values at their axes and never is wider than it may be", () => {
  const lines = parallelText(parallelOf(SPACE, DOCUMENT), 79, 16).map((line) => line.map(({ text }) => text).join(""));
  expect(lines).toHaveLength(16);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(79);
  const rowOf = (text: string) => lines.findIndex((line) => line.includes(text));
  // 15 rows of dots: thirds, from above
  expect([rowOf("├64"), rowOf("├32"), rowOf("├16")]).toEqual([2, 7, 12]);
  expect([rowOf("├adamw"), rowOf("├sgd"), rowOf("0.5┤"), rowOf("0.1┤")]).toEqual([3, 11, 0, 14]);
});

test("slices of 16, 32, 64 are even by ratio; charts of one kind of dots have no letter", () => {
  const slices = slicesOf(SPACE, DOCUMENT);
  expect(slices.map(({ title }) => title)).toEqual([
    "log10 train.batchSize",
    "train.optimizer.kind: 1 sgd, 2 adamw",
    "train.epochs",
  ]);
  expect(slices[0]?.curves[0]?.points[0]?.x).toBeCloseTo(1.20412, 5);
  const text = textPlot(
    { panels: slices.slice(0, 1), labels: [], hiddenLabels: [] },
    { width: 60, height: null, colour: false, isDots: true },
  );
  expect(text.replace("log10 train.batchSize", "")).not.toMatch(/[a-z]/);
});

test("an SVG file holds the parallel coordinates and a chart of each setting, without a legend of nameless dots", () => {
  const plot = parallelOf(SPACE, DOCUMENT);
  const svg = studySvg(plot, slicesOf(SPACE, DOCUMENT), "light");
  if (process.env.COOL_TEST_PICTURE !== undefined) writeFileSync(process.env.COOL_TEST_PICTURE, svg);
  expect(parallelSvg(plot, { width: 800, height: 400 }).match(/>(16|32|64)</g)).toEqual([">16<", ">32<", ">64<"]);
  expect(svg.match(/<circle /g)).toHaveLength(3 * 5);
  expect(svg).toContain("log10 train.batchSize");
  expect(svg).not.toContain('xml:space="preserve">  0.5<');
});

test("the best settings are those of the trial and those of all", () => {
  expect(bestText(DOCUMENT)).toBe(
    "the best is trial 2 (run rates-2): 0.2, with --set model.dropout=0.1 --set train.batchSize=32 --set train.optimizer.kind=adamw --set train.epochs=4",
  );
  expect(bestText({ ...DOCUMENT, best: [] })).toBeNull();
});
