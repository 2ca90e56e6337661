/** @file Runs behind a tfjs graph model: it lies in the store by content, and goes with the run. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import { readRunConfig } from "../../src/records/run-documents.js";
import { exportRun, importRuns } from "../../src/records/transfer.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { CHANNELS, KERNEL, writeGraphModel } from "../support/graph-model.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

const TRUNK = `trunk: ({ image }, layers) => {
    const model = (output) => pretrained({ model: "mobilenet", output, input: { range: [-1, 1] } })(image, layers);
    return { features: model("pooled"), place: sequential([layers.flatten()])(model("map"), layers) };
  },
  train:`;

let project: TinyProject;
const cache = process.env.DNN_COOL_CACHE;
beforeAll(async () => {
  project = await tinyProject();
  process.env.DNN_COOL_CACHE = join(project.dir, "cache");
  const config = readFileSync(project.configFile, "utf8");
  const trunk = config.slice(config.indexOf("trunk: "), config.lastIndexOf("train:") + "train:".length);
  project.editConfig([trunk, TRUNK], ["multilabel }", "multilabel, pretrained, sequential }"]);
  writeGraphModel(join(project.dir, "mobilenet"));
});
afterAll(() => {
  if (cache === undefined) delete process.env.DNN_COOL_CACHE;
  else process.env.DNN_COOL_CACHE = cache;
  project.remove();
});

const train = async (name: string) =>
  trainRun(await loadProject(project.dir, ["train.epochs=1"]), { backend: "wasm", name });

test("the model is kept once, and the run answers without its files, also in another store", async () => {
  const { run } = await train("first");
  const { externals } = readRunConfig(run.dir);
  expect(externals?.parts).toMatchObject([
    { name: "image.tfjs", input: "image", format: "tfjs", output: "pooled", shape: [CHANNELS] },
    { name: "image.tfjs.2", output: "map", shape: [7, 7, CHANNELS] },
  ]);
  const store = join(project.dir, ".cool");
  expect(readdirSync(join(store, "models"))).toEqual([`${externals?.parts[0]?.digest}.tfjs`]);
  for (const folder of ["mobilenet", "cache"]) rmSync(join(project.dir, folder), { recursive: true });
  const answersIn = async (folder: string): Promise<unknown> => {
    const opened = await loadRun(folder, "first", { backend: "wasm" });
    return opened.predict([project.image(0), project.image(1)]).finally(() => opened.close());
  };
  const expected = await answersIn(store);
  const from = openRunStore(store, { readonly: true });
  const { path } = exportRun(from, "first", join(project.dir, "first.tar.gz"));
  from.close();
  const target = join(project.dir, "imported");
  const into = openRunStore(target);
  expect(importRuns(into, path).added).toHaveLength(1);
  into.close();
  expect(await answersIn(target)).toEqual(expected);
});

test("a model that answers NaN is refused before anything trains", async () => {
  writeGraphModel(join(project.dir, "mobilenet"), { kernel: KERNEL.map(() => Number.NaN) });
  await expect(train("undefined")).rejects.toThrow(/answers NaN to .*Check what the model was trained to see/);
});
