/** @file Boxes and points on pictures that are cropped or letterboxed: they lie where the picture shows the thing. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scoreSplit } from "../../../src/analysis/score.js";
import { type Dataset, firstPixels } from "../../../src/data/dataset.js";
import { type ImageOptions, image } from "../../../src/data/inputs/inputs.js";
import { loadDataset } from "../../../src/data/load.js";
import type { TaskSpec } from "../../../src/flow/graph.js";
import { figuresOf } from "../../../src/logging/panels/figures.js";
import { withFrames } from "../../../src/project/framed-pictures.js";
import { readPredictions } from "../../../src/records/predictions/read.js";
import { writePredictions } from "../../../src/records/predictions/write.js";
import { behaviourOf, boundedRegression, box, point } from "../../../src/tasks/index.js";
import { graphOf, newFolder, plain, write } from "../files.js";

/** Left, top, width and height of a red thing, in pixels of a black picture. */
const THINGS = [
  { size: [120, 60], thing: [50, 20, 20, 30] },
  { size: [60, 120], thing: [12, 40, 36, 24] },
  // cut off by a crop
  { size: [120, 60], thing: [20, 12, 30, 18] },
  // wholly outside of one
  { size: [120, 60], thing: [0, 0, 20, 60] },
] as const;

const columns = ["x", "y", "w", "h"];
const GRAPH = graphOf({
  pixels: box({ columns, scale: "image" }),
  shares: box({ columns: ["fx", "fy", "fw", "fh"], format: "cxcywh" }),
  centre: point({ columns: ["cx", "cy"], scale: "image" }),
});

async function load(options: Omit<ImageOptions, "column">): Promise<{ dataset: Dataset; graph: typeof GRAPH }> {
  const projectDir = newFolder();
  const rows = ["img,x,y,w,h,fx,fy,fw,fh,cx,cy"];
  for (const [i, { size, thing }] of THINGS.entries()) {
    const [[width, height], [left, top, w, h]] = [size, thing];
    const red = await plain(w, h, [255, 0, 0]).png().toBuffer();
    const picture = plain(width, height, [0, 0, 0]).composite([{ input: red, left, top }]);
    write(projectDir, `${i}.png`, await picture.png().toBuffer());
    const [cx, cy] = [left + w / 2, top + h / 2];
    rows.push([`${i}.png`, ...thing, cx / width, cy / height, w / width, h / height, cx, cy].join(","));
  }
  write(projectDir, "labels.csv", `${rows.join("\n")}\n`);
  const inputs = { image: image({ column: "img", ...options }) };
  const graph = withFrames(GRAPH, inputs, "the project");
  const split = { train: 1, valid: 0, test: 0, seed: 1 };
  const dataset = await loadDataset({ graph, table: "labels.csv", inputs, split, projectDir, onBadImage: "error" });
  return { dataset, graph };
}

/** Edges of what is red among a row's pixels, in fractions of them. */
function redEdges(dataset: Dataset, row: number): number[] {
  const source = firstPixels(dataset.inputs);
  const [height, width] = source?.spec.size ?? [0, 0];
  const pixels = source?.read([row]) ?? new Uint8Array();
  const [xs, ys]: [number[], number[]] = [[], []];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if ((pixels[(y * width + x) * 3] ?? 0) < 128) continue;
      xs.push(x);
      ys.push(y);
    }
  }
  return [
    Math.min(...xs) / width,
    Math.min(...ys) / height,
    (Math.max(...xs) + 1) / width,
    (Math.max(...ys) + 1) / height,
  ];
}

const framed = [
  { size: [60, 60], fit: "crop" },
  { size: [48, 52], fit: "crop", resizeTo: 64 },
  { size: [60, 60], fit: "letterbox" },
  { size: [40, 90], fit: "letterbox", background: 114 },
] as const;

describe.each(framed)("image(%o)", (options) => {
  const isCrop = options.fit === "crop";

  test("a box is where its pixels are, in label units of the original", async () => {
    const { dataset, graph } = await load(options);
    for (const [task, { spec }] of graph.tasks.slice(0, 2).entries()) {
      const { answers, unitScale } = dataset.labels[task] ?? expect.fail();
      for (const row of isCrop ? [0, 1, 2] : [0, 1, 2, 3]) {
        const edges = behaviourOf(spec).figure?.read(spec, answers, row, unitScale) ?? [];
        // a pixel's edge is somewhere within it
        for (const [i, edge] of redEdges(dataset, row).entries()) expect(edges[i]).toBeCloseTo(edge, 1.3);
      }
    }
    expect(Array.from(dataset.labels[0]?.answers.subarray(0, 4) ?? [])).toEqual(
      [50, 20, 20, 30].map((n) => expect.closeTo(n, 3)),
    );
    dataset.close();
  });

  test("what is not seen is cut off, or missing and said to be", async () => {
    const { dataset } = await load(options);
    const [pixels, , centre] = dataset.labels;
    const last = Array.from(pixels?.answers.subarray(12, 16) ?? []);
    if (isCrop) {
      expect(last).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
      expect(pixels?.answers[8]).toBeGreaterThan(20);
      expect(Array.from(centre?.answers.subarray(6, 8) ?? [])).toEqual([Number.NaN, Number.NaN]);
      expect(dataset.warnings).toContainEqual(expect.stringContaining('1 label of "pixels" lies wholly outside'));
    } else {
      expect(last).toEqual([0, 0, 20, 60].map((n) => expect.closeTo(n, 3)));
      expect(dataset.warnings).toEqual([]);
    }
    dataset.close();
  });

  test("an answer that is the label is decoded to it, stored, and drawn on the original", async () => {
    const { dataset, graph } = await load(options);
    const rows = THINGS.length;
    const outputs = graph.tasks.map(({ spec, index }) => {
      const width = behaviourOf(spec).logitWidth(spec);
      const labels = dataset.labels[index] ?? expect.fail();
      return Float32Array.from({ length: rows * width }, (_, i) => {
        const fraction = behaviourOf(spec).target(spec, labels, Math.floor(i / width), i % width);
        return Number.isNaN(fraction) ? 0 : logit(fraction);
      });
    });
    const scored = scoreSplit(
      graph,
      { split: "test", ids: dataset.ids, outputs, labels: dataset.labels },
      graph.tasks.map(() => []),
    );
    const file = join(newFolder(), "test.parquet");
    await writePredictions(file, scored);
    const again = await readPredictions(file, graph, "test");
    expect(again.labels).toEqual(dataset.labels);
    for (const { decoded, labels } of scored.tasks) {
      labels.answers.forEach((label, i) => {
        if (!Number.isNaN(label)) expect(decoded[i]).toBeCloseTo(label, 1);
      });
    }
    const [drawn] = figuresOf(graph, scored, "pixels")(0);
    expect(drawn?.shape).toEqual({
      ...{ kind: "box", x: expect.closeTo(50 / 120, 2), y: expect.closeTo(20 / 60, 2) },
      ...{ width: expect.closeTo(20 / 120, 2), height: expect.closeTo(30 / 60, 2) },
    });
    dataset.close();
  });
});

/** Kept away from 0 and 1, where it is infinite. */
function logit(fraction: number): number {
  const inside = Math.min(Math.max(fraction, 1e-6), 1 - 1e-6);
  return Math.log(inside / (1 - inside));
}

test("a number that measures the picture cannot follow a crop", () => {
  const measured = (spec: TaskSpec) => () =>
    withFrames(
      graphOf({ left: spec }),
      { image: image({ column: "img", size: [8, 8], fit: "crop" }) },
      "cool.config.ts",
    );
  expect(measured(boundedRegression({ scale: "image-width", measures: "x" }))).toThrow('"left" measures the picture');
  expect(measured(boundedRegression({ max: 8, measures: "none" }))).not.toThrow();
});
