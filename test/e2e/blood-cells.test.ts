/** @file A real data set: photographs of blood smears with presence, counts, kinds and boxes of cells. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Prediction } from "../../src/asking/load-run.js";
import { openBackend } from "../../src/engine/backends/choose.js";
import { type Picture, Predictor, readExport, tfjsRunner } from "../../src/predictor/index.js";
import { BLOOD_CELL_CONFIG, BLOOD_CELLS, noBloodCells, readBloodCells } from "../support/blood-cells.js";
import { cool, coolJson } from "../support/cli.js";
import { openLayers } from "../support/saved-layers.js";

interface Row {
  readonly split: string;
  readonly task_path: string;
  readonly metric_name: string;
  readonly metric_res: number | null;
  readonly num_samples: number;
  readonly gates: string;
}

const BOX = ["wbc_x1", "wbc_y1", "wbc_w", "wbc_h"] as const;

describe.skipIf(noBloodCells !== null)(
  `a project over photographs of blood smears${noBloodCells === null ? "" : ` (${noBloodCells})`}`,
  () => {
    let dir: string;
    let evaluation: readonly Row[];
    let runDir: string;
    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), "cool-blood-cells-"));
      writeFileSync(join(dir, "cool.config.ts"), BLOOD_CELL_CONFIG);
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
      const lines = readBloodCells();
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
      const lines = readBloodCells();
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
      const ids = readBloodCells()
        .filter((row) => row.split === "test")
        .map((row) => join(BLOOD_CELLS, row.img ?? ""))
        .slice(0, 40);
      const { predictions } = await coolJson<{ predictions: Prediction[] }>(["predict", ...ids, "--project", dir]);
      const to = join(dir, "layers");
      expect((await cool(["export", "latest", "--format", "layers", "--to", to, "--project", dir])).code).toBe(0);
      await openBackend("wasm");
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
      const photograph = join(BLOOD_CELLS, "images", "BloodImage_00001.jpg");
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
