/** @file Runs on a pretrained trunk: frozen with cached features, fine-tuned, resumed, asked. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { openBackend } from "../../src/engine/backends/choose.js";
import { readLayersModel } from "../../src/engine/model/transfer.js";
import { loadProject } from "../../src/project/load-project.js";
import { readRunConfig } from "../../src/records/run-documents.js";
import { runFiles } from "../../src/records/run-folder.js";
import type { RunResult } from "../../src/training/run-result.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { smallBackbone, writeModel } from "../support/saved-model.js";

const TRUNK = `trunk: ({ image }, layers) => {
    const map = pretrained({ model: "backbone", output: "block_1_relu", input: { range: [-1, 1] }, freeze: FREEZE })(image, layers);
    const features = sequential([layers.globalAveragePooling2d({}), layers.dense({ units: 8, activation: "relu" }), layers.dropout({ rate: 0.2 })]);
    return { features: features(map, layers), place: sequential([layers.flatten(), layers.dense({ units: 16, activation: "relu" })])(map, layers) };
  },
  train:`;

let project: TinyProject;
const store = () => join(project.dir, ".cool");

beforeAll(async () => {
  await openBackend("wasm");
  project = await tinyProject();
  await writeModel(join(project.dir, "backbone"), smallBackbone());
  const config = readFileSync(project.configFile, "utf8");
  const trunk = config.slice(config.indexOf("trunk: "), config.lastIndexOf("train:") + "train:".length);
  project.editConfig(
    [trunk, TRUNK],
    ["multilabel }", "multilabel, pretrained, sequential }"],
    ["const tasks", "const FREEZE = process.env.COOL_TEST_FREEZE !== 'none';\n\nconst tasks"],
  );
});
afterAll(() => project.remove());

async function train(settings: string[], options: TrainRunOptions = {}, freeze = true): Promise<RunResult> {
  process.env.COOL_TEST_FREEZE = freeze ? "all" : "none";
  const loaded = await loadProject(project.dir, ["train.epochs=2", ...settings]);
  return trainRun(loaded, { backend: "wasm", ...options });
}

const logOf = ({ run }: RunResult): string => readFileSync(join(run.dir, "stdout.log"), "utf8");
const losses = (result: RunResult): number[] =>
  [...logOf(result).matchAll(/valid loss ([\d.]+)/g)].map(([, loss]) => Number(loss));

/** Weights of a checkpoint by layer; automatic names count up through the process. */
async function weightsOf({ run }: RunResult, checkpoint: "best" | "last" = "last"): Promise<Map<string, number[]>> {
  const model = await readLayersModel(join(runFiles(run.dir).checkpoint(checkpoint), "model.json"));
  const weighted = model.layers.filter(({ weights }) => weights.length > 0);
  const values = weighted.map(
    (layer, i) =>
      [`${i} ${layer.name.replace(/\d+$/, "")}`, layer.getWeights().flatMap((w) => [...w.dataSync()])] as const,
  );
  model.dispose();
  return new Map(values);
}

const cachedFiles = (): number => {
  const folder = join(store(), "cache", "features");
  return readdirSync(folder).reduce((sum, name) => sum + readdirSync(join(folder, name)).length, 0);
};

describe("a run on a frozen backbone", () => {
  let first: RunResult;
  beforeAll(async () => {
    first = await train([], { name: "frozen" });
  });

  test("says what is frozen, how many parameters train, and that features are computed once", () => {
    expect(logOf(first)).toMatch(/pretrained: backbone up to block_1_relu \(sha256 [0-9a-f]{12}\), frozen/);
    expect(logOf(first)).toMatch(
      /frozen: layers preprocessing, block_0_conv, block_0_bn, block_1_conv, block_1_bn; heads none; \d+ of \d+ parameters train/,
    );
    // 4 × 4 × 6 numbers and their 6 averages, of the pictures that train and validate, then of those that test too
    expect(logOf(first)).toMatch(/frozen trunk: 102 features of each of 48 pictures, \d+ computed/);
    expect(logOf(first)).toMatch(/frozen trunk: 102 features of each of 60 pictures, \d+ computed/);
    const contents = new Set(project.rows.map(({ img }) => readFileSync(join(project.dir, img), "base64")));
    expect(cachedFiles()).toBe(contents.size);
    const [part] = readRunConfig(first.run.dir).pretrained ?? [];
    expect(part).toMatchObject({ model: "backbone", output: "block_1_relu", preprocessing: { range: [-1, 1] } });
  });

  test("keeps the backbone bit by bit, its averages too, in a checkpoint that plain tfjs opens", async () => {
    const backbone = smallBackbone();
    const weights = await weightsOf(first);
    for (const name of ["block_0_conv", "block_0_bn", "block_1_conv", "block_1_bn"]) {
      const [, kept] = [...weights].find(([key]) => key.endsWith(name)) ?? [];
      expect(kept).toEqual(
        backbone
          .getLayer(name)
          .getWeights()
          .flatMap((w) => [...w.dataSync()]),
      );
    }
  });

  test("is the same run where the trunk runs in every step", async () => {
    const plain = await train(["train.featureCache=null"], { name: "without a cache" });
    expect(logOf(plain)).not.toContain("frozen trunk");
    const [cached, uncached] = [await weightsOf(first), await weightsOf(plain)];
    expect([...uncached.keys()]).toEqual([...cached.keys()]);
    for (const [name, values] of uncached) {
      const others = cached.get(name) ?? [];
      values.forEach((value, i) => {
        expect(Math.abs(value - (others[i] ?? Number.NaN))).toBeLessThan(1e-6);
      });
    }
  });

  test("reads the cache of an earlier run, and ends bit by bit as that did", async () => {
    const again = await train([], { name: "again" });
    expect(logOf(again)).not.toContain("computed");
    expect(await weightsOf(again)).toEqual(await weightsOf(first));
  });

  test("goes on after an interruption to the same weights, bit by bit, also with an empty cache", async () => {
    const controller = new AbortController();
    const stopped = train(["train.checkpointEverySteps=1"], {
      name: "stopped",
      signal: controller.signal,
      loggers: [{ step: ({ step }) => step === 7 && controller.abort() }],
    });
    await expect(stopped).rejects.toThrow("--resume");
    rmSync(join(store(), "cache", "features"), { recursive: true });
    const resumed = await train([], { resume: "stopped" });
    expect(await weightsOf(resumed)).toEqual(await weightsOf(first));
  });

  test("answers by its folder alone, as it was evaluated", async () => {
    const run = await loadRun(store(), "frozen", { backend: "wasm" });
    try {
      const rows = await run.evaluate({ table: project.tableFile });
      const kept = await run.evaluate();
      expect(rows.length).toBeGreaterThan(10);
      expect(kept.length).toBeGreaterThan(rows.length);
      const test = JSON.stringify(first.evaluation.filter(({ split }) => split === "test"));
      expect(JSON.stringify(kept.filter(({ split }) => split === "test"))).toBe(test);
      const [answer] = await run.predict([project.image(0)]);
      expect(Object.keys(answer?.answers ?? {})).toContain("blocked");
      const field = await run.receptiveField(project.image(0), "blocked");
      expect(Math.max(...field.influence)).toBe(1);
    } finally {
      run.close();
    }
  });

  test("as the beginning of fine-tuning: that begins at its loss, and trains the backbone", async () => {
    const best = Math.min(...losses(first));
    const still = await train(
      ["train.epochs=1", "train.optimizer.learningRate=1e-12", "train.optimizer.weightDecay=0"],
      { from: "frozen", name: "begins" },
      false,
    );
    expect(logOf(still)).toMatch(/3 of its 5 layers with weights frozen/);
    expect(losses(still)[0]).toBeCloseTo(best, 3);
    const tuned = await train([], { from: "frozen", name: "tuned" }, false);
    const [before, after] = [await weightsOf(first), await weightsOf(tuned)];
    const moved = [...after].filter(([name, values]) => JSON.stringify(values) !== JSON.stringify(before.get(name)));
    expect(moved.map(([name]) => name.replace(/^\d+ /, ""))).toEqual(
      expect.arrayContaining(["block_0_conv", "block_1_conv", "blocked"]),
    );
    expect(moved.map(([name]) => name).filter((name) => name.endsWith("_bn"))).toEqual([]);
  });

  test("on two replicas ends where one ends, up to rounding", async () => {
    const two = await train(["train.replicas=2"], { name: "two replicas" });
    losses(two).forEach((loss, epoch) => {
      expect(Math.abs(loss - (losses(first)[epoch] ?? Number.NaN))).toBeLessThan(1e-3);
    });
  }, 120_000);

  test("of 16 bits answers alike, in half the room", async () => {
    const half = await train(['train.featureCache.precision="float16"'], { name: "half" });
    losses(half).forEach((loss, epoch) => {
      expect(Math.abs(loss - (losses(first)[epoch] ?? 0))).toBeLessThan(0.02);
    });
  });

  test("runs the trunk where the cache is too small, and says so", async () => {
    const small = await train(["train.featureCache.gigabytes=1e-6"], { name: "small" });
    expect(logOf(small)).toContain(
      "The features of the frozen trunk are not cached: they are 102 numbers for each of 48 rows",
    );
    expect(losses(small)).toEqual(losses(first));
  });
});

describe("with augmentation", () => {
  const AUGMENT = 'data.augment={"flipHorizontal":0.5,"shift":0.1}';

  test("so many changed copies of each picture take turns", async () => {
    const result = await train([AUGMENT, "train.featureCache.views=2", "train.epochs=3"], { name: "views" });
    expect(logOf(result)).toContain("(view 1), ");
    expect(logOf(result)).toContain("(view 2), ");
    expect(logOf(result)).not.toContain("view 3");
    const again = await train([AUGMENT, "train.featureCache.views=2", "train.epochs=3"], { name: "views again" });
    expect(await weightsOf(again)).toEqual(await weightsOf(result));
  });

  test("one copy, seen once, is what augmentation without a cache trains on", async () => {
    const settings = [AUGMENT, "train.epochs=1"];
    const cached = await train([...settings, "train.featureCache.views=1"], { name: "one view" });
    const plain = await train(settings, { name: "no views" });
    const [a, b] = [await weightsOf(cached), await weightsOf(plain)];
    for (const [name, values] of a) {
      values.forEach((value, i) => {
        expect(Math.abs(value - (b.get(name)?.[i] ?? Number.NaN))).toBeLessThan(1e-6);
      });
    }
  });
});

test("a backbone that answers NaN fails the run before its first step, and names a picture", async () => {
  const model = smallBackbone();
  const [scale, ...rest] = model.getLayer("block_1_bn").getWeights();
  const [offset, mean, variance] = rest;
  if (scale === undefined || offset === undefined || mean === undefined || variance === undefined)
    throw new Error("bn");
  // the root of a negative number
  model.getLayer("block_1_bn").setWeights([scale, offset, mean, tf.fill(variance.shape, -5)]);
  await writeModel(join(project.dir, "backbone"), model);
  await expect(train([], { name: "nan" })).rejects.toThrow(/The frozen trunk answers NaN to images\/\d+\.png\. Check/);
  await writeModel(join(project.dir, "backbone"), smallBackbone());
});
