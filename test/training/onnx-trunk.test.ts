/** @file Runs behind an ONNX model: it feeds the network, lies in the store by content, and is found again from there. */
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { occluded, occlusionMap, patchesOf } from "../../src/asking/why/occlusion.js";
import { readLayersModel } from "../../src/engine/model/transfer.js";
import { loadProject } from "../../src/project/load-project.js";
import { readRunConfig } from "../../src/records/run-documents.js";
import { runFiles } from "../../src/records/run-folder.js";
import { exportRun, importRuns } from "../../src/records/transfer.js";
import { openRunStore } from "../../src/storage/run-store.js";
import type { RunResult } from "../../src/training/run-result.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { needs } from "../support/needs.js";
import { backbone, onnxProject } from "../support/onnx-project.js";
import { ensureOnnxRuntime } from "../support/onnx-runtime.js";
import type { TinyProject } from "../support/projects.js";

const missing = await ensureOnnxRuntime();

const TRUNK = `trunk: ({ image }, layers) => {
    const model = (output) => pretrained({ model: "backbone.onnx", output, input: { mean: 0.5, std: 0.5 } })(image, layers);
    const features = sequential([layers.dense({ units: 8, activation: "relu" }), layers.dropout({ rate: 0.2 })]);
    return { features: features(model("pooled"), layers), place: sequential([layers.flatten()])(model("map"), layers) };
  },
  train:`;

let project: TinyProject;
const store = () => join(project.dir, ".cool");

beforeAll(async () => {
  project = await onnxProject(TRUNK, missing === null);
});
afterAll(() => project.remove());

async function train(settings: string[], options: TrainRunOptions = {}): Promise<RunResult> {
  const loaded = await loadProject(project.dir, ["train.epochs=2", ...settings]);
  return trainRun(loaded, { backend: "wasm", ...options });
}

const logOf = ({ run }: RunResult): string => readFileSync(join(run.dir, "stdout.log"), "utf8");

async function weightsOf({ run }: RunResult): Promise<number[]> {
  const model = await readLayersModel(join(runFiles(run.dir).checkpoint("last"), "model.json"));
  const values = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  model.dispose();
  return values;
}

describe("a run behind an ONNX model", () => {
  needs(missing);
  let first: RunResult;
  beforeAll(async () => {
    if (missing === null) first = await train([], { name: "first" });
  });

  test("keeps the model once in the store, and says what feeds the network", async () => {
    await train([], { name: "second" });
    const models = readdirSync(join(store(), "models"));
    const { externals } = readRunConfig(first.run.dir);
    expect(models).toEqual([`${externals?.parts[0]?.digest}.onnx`]);
    expect(readFileSync(join(store(), "models", models[0] ?? ""))).toEqual(readFileSync(backbone));
    expect(externals?.unread).toEqual(["image"]);
    expect(externals?.parts).toMatchObject([
      { name: "image.onnx", input: "image", output: "pooled", shape: [8], preprocessing: { mean: 0.5, std: 0.5 } },
      { name: "image.onnx.2", input: "image", output: "map", shape: [2, 2, 8] },
    ]);
    expect(logOf(first)).toMatch(/pretrained: backbone\.onnx up to pooled \(sha256 [0-9a-f]{12}\), frozen/);
  });

  test("has the part behind it as a checkpoint that plain tfjs opens", async () => {
    const model = await readLayersModel(join(runFiles(first.run.dir).checkpoint("best"), "model.json"));
    expect(model.inputs.map(({ sourceLayer, shape }) => [sourceLayer.name, shape])).toEqual([
      ["image.onnx", [null, 8]],
      ["image.onnx.2", [null, 32]],
    ]);
    model.dispose();
  });

  test("answers as it was evaluated, by its folder and its store alone", async () => {
    renameSync(join(project.dir, "backbone.onnx"), join(project.dir, "away.onnx"));
    try {
      const run = await loadRun(store(), "first", { backend: "wasm", project: project.dir });
      try {
        const table = await run.evaluate({ table: project.tableFile });
        const loss = table.find(({ task_path, metric_name }) => task_path === "blocked" && metric_name === "loss");
        const kept = await run.evaluate();
        const [sum, rows] = ["train", "valid", "test"].reduce(
          ([sum, rows], split) => {
            const row = kept.find(
              (each) => each.split === split && each.task_path === "blocked" && each.metric_name === "loss",
            );
            return [sum + (row?.metric_res ?? Number.NaN) * (row?.num_samples ?? 0), rows + (row?.num_samples ?? 0)];
          },
          [0, 0],
        );
        expect(loss?.metric_res).toBeCloseTo((sum ?? 0) / (rows ?? 1), 5);
        const [answer] = await run.predict([project.image(0)]);
        expect(Object.keys(answer?.answers ?? {})).toContain("blocked");
        const [explained] = await run.explain([project.image(1)], { uncertainty: { samples: 3, seed: 1 } });
        expect(explained?.tree.length).toBeGreaterThan(0);
        await expect(run.receptiveField(project.image(0), "blocked")).rejects.toThrow("has no gradient");
      } finally {
        run.close();
      }
    } finally {
      renameSync(join(project.dir, "away.onnx"), join(project.dir, "backbone.onnx"));
    }
  });

  test("is asked why by covering parts of the picture, as pictures covered by hand say", async () => {
    const run = await loadRun(store(), "first", { backend: "wasm", project: project.dir });
    try {
      const told: number[] = [];
      const why = await run.why(project.image(2), { onProgress: (_, done) => told.push(done) });
      expect(new Set(why.maps.map(({ method }) => method))).toEqual(new Set(["occlusion"]));
      expect(told.at(-1)).toBe(2 * 122);
      const { height, width, channels } = why;
      const patches = patchesOf([height, width]);
      const pictures = [why.pixels, ...patches.map((patch) => occluded(why.pixels, width, channels, patch))];
      const files = pictures.map((_, i) => join(project.dir, `covered-${i}.png`));
      await Promise.all(
        pictures.map((pixels, i) => sharp(pixels, { raw: { width, height, channels } }).toFile(files[i] ?? "")),
      );
      const answers = await run.explain(files);
      const logits = answers.map(({ tree }) => tree[0]?.logits[0] ?? Number.NaN);
      const isNo = (logits[0] ?? 0) < 0;
      const losses = patches.map((_, i) => (isNo ? -1 : 1) * ((logits[0] ?? 0) - (logits[1 + i] ?? 0)));
      const moving = losses.some((loss) => loss > 0) ? losses : losses.map(Math.abs);
      const expected = occlusionMap(moving, patches, [height, width]);
      const found = why.maps.find(({ task }) => task === "blocked")?.influence ?? [];
      expect(Math.max(...Array.from(found, (value, i) => Math.abs(value - (expected[i] ?? 0))))).toBeLessThan(1e-3);
      expect(Math.max(...found)).toBe(1);
    } finally {
      run.close();
    }
  });

  test("goes on after an interruption to the same weights, bit by bit", async () => {
    const controller = new AbortController();
    const stopped = train([], {
      name: "stopped",
      signal: controller.signal,
      loggers: [{ epoch: ({ epoch }) => epoch === 1 && controller.abort() }],
    });
    await expect(stopped).rejects.toThrow("--resume");
    expect(await weightsOf(await train([], { resume: "stopped" }))).toEqual(await weightsOf(first));
  });

  test("trains on changed copies of its pictures, and says where it cannot", async () => {
    const augment = 'data.augment={"flipHorizontal":0.5}';
    await expect(train([augment], { name: "augmented" })).rejects.toThrow("Set train.featureCache.views");
    const views = await train([augment, "train.featureCache.views=2"], { name: "views" });
    expect(logOf(views)).toContain("(view 2)");
  });

  test("takes its model along into another store, packed or as a folder, and one that was changed is refused", async () => {
    const answersIn = async (folder: string): Promise<unknown> => {
      const run = await loadRun(folder, "first", { backend: "wasm", project: project.dir });
      try {
        return await run.predict([project.image(0), project.image(1)]);
      } finally {
        run.close();
      }
    };
    const expected = await answersIn(store());
    const from = openRunStore(store(), { readonly: true });
    for (const to of ["first.tar.gz", "first-folder"]) {
      const target = join(project.dir, `imported-${to}`);
      const { path } = exportRun(from, "first", join(project.dir, to));
      const into = openRunStore(target);
      expect(importRuns(into, path).added).toHaveLength(1);
      into.close();
      expect(await answersIn(target)).toEqual(expected);
    }
    from.close();
    const models = join(project.dir, "first-folder", "models");
    const [name = ""] = readdirSync(models);
    writeFileSync(join(models, name), "another");
    const into = openRunStore(join(project.dir, "refused"));
    expect(() => importRuns(into, join(project.dir, "first-folder"))).toThrow("is not the file that the run names");
    expect(into.listRuns()).toEqual([]);
    into.close();
    expect(existsSync(join(project.dir, "refused", "models", name))).toBe(false);
  });

  test("is not asked where the store lacks its model, or has another", async () => {
    const [name = ""] = readdirSync(join(store(), "models"));
    const file = join(store(), "models", name);
    const ask = async (): Promise<unknown> => {
      const run = await loadRun(store(), "first", { backend: "wasm", project: project.dir });
      return run.predict([project.image(0)]).finally(() => run.close());
    };
    writeFileSync(file, "another");
    await expect(ask()).rejects.toThrow(/which feeds this run, has been changed/);
    rmSync(file);
    await expect(ask()).rejects.toThrow(/is not in its store: .*Copy it there/);
    copyFileSync(backbone, file);
    expect(existsSync(file)).toBe(true);
  });

  test("is refused before it exists where the model would have to train, or is applied to no picture", async () => {
    project.editConfig(["output, input:", "output, freeze: false, input:"]);
    await expect(train([])).rejects.toThrow("runs as it is and cannot be trained");
    project.editConfig(
      ["output, freeze: false, input:", "output, input:"],
      ["(image, layers);", "(sequential([layers.reLU()])(image, layers), layers);"],
    );
    await expect(train([])).rejects.toThrow("is applied to what is no image input");
    project.editConfig(["(sequential([layers.reLU()])(image, layers), layers);", "(image, layers);"]);
  });
});
