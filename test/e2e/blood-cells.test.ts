/** @file A real data set: photographs of blood smears with presence, counts, kinds and boxes of cells. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Prediction } from "../../src/asking/load-run.js";
import { type Picture, Predictor, readExport, tfjsRunner } from "../../src/predictor/index.js";
import { cool, coolJson } from "../support/cli.js";
import { openLayers } from "../support/saved-layers.js";

const data = fileURLToPath(new URL("../../../shared/data/bccd/", import.meta.url));
const table = join(data, "labels.csv");
const missing = existsSync(table) ? null : `the data set is not at ${data}`;

const CONFIG = `import { binary, boundedRegression, defineProject, defineTasks, image, multilabel } from "dnn-cool";

const across = { scale: "image-width", lossWeight: 20 };
const down = { scale: "image-height", lossWeight: 20 };
const tasks = defineTasks({
  features: ["cells", "places"],
  tasks: {
    platelets_present: binary(),
    platelet_x1: boundedRegression({ ...across, measures: "x" }),
    platelet_y1: boundedRegression({ ...down, measures: "y" }),
    platelet_w: boundedRegression({ ...across, measures: "width" }),
    platelet_h: boundedRegression({ ...down, measures: "height" }),
    wbc_present: binary(),
    wbc_x1: boundedRegression({ ...across, measures: "x" }),
    wbc_y1: boundedRegression({ ...down, measures: "y" }),
    wbc_w: boundedRegression({ ...across, measures: "width" }),
    wbc_h: boundedRegression({ ...down, measures: "height" }),
    rbc_count: boundedRegression({ max: 40, lossWeight: 5 }),
    cell_types: multilabel({ labels: ["RBC", "WBC", "Platelets"] }),
  },
})
  .flow("platelet_box", (flow, x, out) => {
    out.add(flow.platelet_x1(x.places));
    out.add(flow.platelet_y1(x.places));
    out.add(flow.platelet_w(x.places));
    out.add(flow.platelet_h(x.places));
  })
  .flow("wbc_box", (flow, x, out) => {
    out.add(flow.wbc_x1(x.places));
    out.add(flow.wbc_y1(x.places));
    out.add(flow.wbc_w(x.places));
    out.add(flow.wbc_h(x.places));
  })
  .flow("smear", (flow, x, out) => {
    out.add(flow.platelets_present(x.cells));
    out.add(flow.platelet_box(x).given(out.platelets_present));
    out.add(flow.wbc_present(x.cells));
    out.add(flow.wbc_box(x).given(out.wbc_present));
    out.add(flow.rbc_count(x.cells));
    out.add(flow.cell_types(x.cells));
  });

export default defineProject({
  name: "blood-cells",
  tasks,
  flow: "smear",
  data: {
    table: ${JSON.stringify(table)},
    inputs: { image: image({ column: "img", size: [60, 80] }) },
    split: { column: "split" },
  },
  trunk: ({ image }, layers) => {
    const conv = (input, filters) =>
      layers.conv2d({ filters, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }).apply(input);
    const flat = layers.flatten().apply(conv(conv(conv(image, 16), 32), 32));
    return {
      cells: layers.dense({ units: 32, activation: "relu" }).apply(flat),
      places: layers.dense({ units: 64, activation: "relu" }).apply(flat),
    };
  },
  train: { epochs: 12, batchSize: 16, optimizer: { kind: "adamw", learningRate: 1e-3 } },
});
`;

interface Row {
  readonly split: string;
  readonly task_path: string;
  readonly metric_name: string;
  readonly metric_res: number | null;
  readonly num_samples: number;
  readonly gates: string;
}

const BOX = ["wbc_x1", "wbc_y1", "wbc_w", "wbc_h"] as const;

describe.skipIf(missing !== null)(
  `a project over photographs of blood smears${missing === null ? "" : ` (${missing})`}`,
  () => {
    let dir: string;
    let evaluation: readonly Row[];
    let runDir: string;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), "cool-blood-cells-"));
      writeFileSync(join(dir, "cool.config.ts"), CONFIG);
      const result = await coolJson<{ run: { dir: string }; evaluation: Row[] }>(["run", dir], { timeoutMs: 280_000 });
      ({ evaluation } = result);
      runDir = result.run.dir;
    });
    afterAll(() => rmSync(dir, { recursive: true, force: true }));

    const metric = (split: string, path: string, name: string): number =>
      evaluation.find(
        (row) => row.split === split && row.task_path === path && row.metric_name === name && row.gates === "truth",
      )?.metric_res ?? Number.NaN;

    it("learns: the loss falls on train and on valid", () => {
      const log = readFileSync(join(runDir, "stdout.log"), "utf8");
      const losses = [...log.matchAll(/^epoch .*train loss ([\d.]+) {2}valid loss ([\d.]+)/gm)].map(
        ([, train, valid]) => [Number(train), Number(valid)],
      );
      expect(losses).toHaveLength(12);
      expect(losses.at(-1)?.[0]).toBeLessThan(0.8 * (losses[0]?.[0] ?? 0));
      expect(Math.min(...losses.map(([, valid]) => valid as number))).toBeLessThan(losses[0]?.[1] as number);
    });

    it("finds the white cell better than the training median does", () => {
      const lines = readRows();
      const errors = BOX.map((name) => {
        const known = (split: string) =>
          lines.filter((row) => row.split === split && row[name] !== "").map((row) => Number(row[name]));
        const side = name.endsWith("x1") || name.endsWith("w") ? 160 : 120;
        const guess = median(known("train"));
        const test = known("test");
        const guessed = test.reduce((sum, value) => sum + Math.abs(value - guess), 0) / test.length / side;
        return { guessed, found: metric("test", `wbc_box.${name}`, "mean_absolute_error_normalized") };
      });
      const total = (key: "guessed" | "found") => errors.reduce((sum, error) => sum + error[key], 0);
      expect(total("found")).toBeLessThan(0.9 * total("guessed"));
    });

    it("evaluates every task on all splits, by the rows that the split column and the gates leave", () => {
      const lines = readRows();
      const words = { train: ["train"], valid: ["val", "valid", "validation"], test: ["test"] };
      for (const [split, names] of Object.entries(words)) {
        const own = lines.filter((row) => names.includes(row.split ?? ""));
        const count = (path: string) =>
          evaluation.find(
            (row) =>
              row.split === split && row.task_path === path && row.metric_name === "loss" && row.gates === "truth",
          )?.num_samples;
        expect(count("platelets_present")).toBe(own.length);
        expect(count("platelet_box.platelet_x1")).toBe(own.filter((row) => row.platelets_present === "1").length);
        expect(count("wbc_box.wbc_w")).toBe(own.filter((row) => row.wbc_present === "1").length);
        expect(count("rbc_count")).toBe(own.length);
      }
    });

    it("answers in pixels of the photograph", () => {
      // 0.1 of the width are 16 pixels
      const pixels = metric("test", "wbc_box.wbc_x1", "mean_absolute_error");
      expect(pixels).toBeCloseTo(160 * metric("test", "wbc_box.wbc_x1", "mean_absolute_error_normalized"), 3);
    });

    it("answers the photographs of test as a predictor does, by its own resizing, from an export of layers", async () => {
      const ids = readRows()
        .filter((row) => row.split === "test")
        .map((row) => join(data, row.img ?? ""))
        .slice(0, 40);
      const { predictions } = await coolJson<{ predictions: Prediction[] }>(["predict", ...ids, "--project", dir]);
      const to = join(dir, "layers");
      expect((await cool(["export", "latest", "--format", "layers", "--to", to, "--project", dir])).code).toBe(0);
      const { document } = await readExport((name) => readFile(join(to, name)));
      const predictor = new Predictor(document, { runner: tfjsRunner(tf, await openLayers(to)) });
      const own = await predictor.predictAll(await Promise.all(ids.map(pictureOf)));
      predictions.forEach(({ answers }, row) => {
        // sharp shrinks a JPEG while it decodes it, which the predictor is not asked to do
        for (const [path, { activated }] of Object.entries(answers)) {
          const scores = own[row]?.[path]?.activated ?? activated;
          for (const [i, score] of activated.entries()) expect(Math.abs((scores[i] ?? 1) - score)).toBeLessThan(0.02);
        }
      });
      expect(predictions).toHaveLength(ids.length);
    });

    it("explains a photograph", async () => {
      const photograph = join(data, "images", "BloodImage_00001.jpg");
      const { code, stdout } = await cool(["explain", photograph, "--project", dir]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^│ {3}├── platelets_present \| decoded: \[(True|False)\]/m);
      expect(stdout).toMatch(/^│ {3}├── rbc_count \| decoded: \[[\d.]+\]/m);
      expect(stdout).toMatch(/^│ {3}└── cell_types \| decoded: \[(\w+(, )?)*\]/m);
    });
  },
);

async function pictureOf(file: string): Promise<Picture> {
  const { data: pixels, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return { data: pixels, width: info.width, height: info.height };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2;
}

/** Rows of the table; only its last column is quoted, and not read here. */
function readRows(): Record<string, string>[] {
  const [header = "", ...lines] = readFileSync(table, "utf8").trim().split("\n");
  const names = header.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i] ?? "", cell])));
}
