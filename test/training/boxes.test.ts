/** @file A whole run with a box and a point in pixels of pictures of different sizes: trained with moved pictures, stored, asked. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { image } from "../../src/data/inputs/inputs.js";
import { createRandom } from "../../src/data/rng.js";
import { readParquet } from "../../src/data/tables/table-writer.js";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import { defineTasks } from "../../src/flow/define.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { box, point } from "../../src/tasks/index.js";
import { trainRun } from "../../src/training/train-run.js";

const SPLITS = ["train", "train", "train", "valid", "test"] as const;
let dir = "";

/** A bright rectangle on black, labelled by its corners and by its centre, on pictures of 32 × 16 or 16 × 32 pixels. */
async function writePicture(i: number, random: ReturnType<typeof createRandom>): Promise<string> {
  const [width, height] = i % 2 === 0 ? [32, 16] : [16, 32];
  const [w, h] = [4 + random.int(width / 2 - 3), 4 + random.int(height / 2 - 3)];
  const [x, y] = [random.int(width - w + 1), random.int(height - h + 1)];
  const pixels = new Uint8Array(width * height);
  for (let row = y; row < y + h; row++) pixels.fill(255, row * width + x, row * width + x + w);
  await sharp(pixels, { raw: { width, height, channels: 1 } })
    .png()
    .toFile(join(dir, `${i}.png`));
  return [`${i}.png`, x, y, x + w, y + h, x + w / 2, y + h / 2, SPLITS[i % 5]].join(",");
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "boxes-"));
  const random = createRandom("boxes");
  const lines: string[] = [];
  for (let i = 0; i < 150; i++) lines.push(await writePicture(i, random));
  writeFileSync(join(dir, "table.csv"), `img,left,top,right,bottom,cx,cy,split\n${lines.join("\n")}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("boxes and points are learnt while their pictures move, and answered in pixels of each picture", async () => {
  const columns = ["left", "top", "right", "bottom"];
  const tasks = defineTasks({
    features: ["f"],
    tasks: {
      thing: box({ columns, format: "xyxy", scale: "image", lossWeight: 20 }),
      tight: box({ columns, format: "xyxy", scale: "image", loss: "giou" }),
      centre: point({ columns: ["cx", "cy"], scale: "image", lossWeight: 20 }),
    },
  }).flow("main", (flow, x, out) => {
    out.add(flow.thing(x.f));
    out.add(flow.tight(x.f));
    out.add(flow.centre(x.f));
  });
  const project = defineProject({
    name: "boxes",
    tasks,
    flow: "main",
    data: {
      table: "table.csv",
      inputs: { img: image({ column: "img", size: [12, 12], channels: 1 }) },
      split: { column: "split" },
      augment: { flipHorizontal: 0.5, flipVertical: 0.5, shift: 0.1 },
    },
    trunk: ({ img }, layers) => {
      const flat = layers.flatten().apply(img as SymbolicTensor) as SymbolicTensor;
      return { f: layers.dense({ units: 48, activation: "relu" }).apply(flat) as SymbolicTensor };
    },
    train: { epochs: 40, batchSize: 16, optimizer: { kind: "adamw", learningRate: 0.005 } },
  });
  const store = join(dir, "store");
  const { run, evaluation } = await trainRun(resolveProject(project, { projectDir: dir }), { store, backend: "wasm" });
  const metric = (task: string, name: string) =>
    evaluation.find((row) => row.split === "test" && row.task_path === task && row.metric_name === name)?.metric_res;
  // the best constant box overlaps these by about a quarter
  expect(metric("thing", "mean_iou")).toBeGreaterThan(0.5);
  expect(metric("tight", "mean_iou")).toBeGreaterThan(0.5);
  expect(metric("centre", "mean_distance")).toBeLessThan(2);
  const loaded = await loadRun(store);
  // from what the run's folder keeps, with the scales of both sides
  expect(await loaded.evaluate("test")).toEqual(evaluation.filter(({ split }) => split === "test"));
  const scales = (await readParquet(
    join(store, "runs", run.id, "predictions/test.parquet"),
    ["sample", "unit_scale", "unit_scale_y"],
    '"row"',
  )) as [string[], number[], number[]];
  expect(scales.map((column) => column[0])).toEqual(["4.png", 32, 16]);
  const [wide, high] = await loaded.predict([join(dir, "4.png"), join(dir, "9.png")]);
  const numbers = (answer: typeof wide): number[] => answer?.answers.thing?.decoded as number[];
  expect(numbers(wide)[2]).toBeLessThanOrEqual(32);
  expect(numbers(wide)[3]).toBeLessThanOrEqual(16);
  expect(numbers(high)[2]).toBeLessThanOrEqual(16);
  loaded.close();
}, 120_000);
