/** @file A run over an ONNX trunk is one model, which answers as the run does. */
import { copyFileSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadRun } from "../../../src/asking/load-run.js";
import { onnxRunner, Predictor, readExport } from "../../../src/predictor/index.js";
import { loadProject } from "../../../src/project/load-project.js";
import { shipRun } from "../../../src/shipping/export-run.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { trainRun } from "../../../src/training/train-run.js";
import { needs } from "../../support/needs.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../../support/onnx-runtime.js";
import { openOnnxSession, ort } from "../../support/onnx-session.js";
import { type TinyProject, tinyProject } from "../../support/projects.js";

const missing = await ensureOnnxRuntime();
const fixture = fileURLToPath(new URL("../../../fixtures/torch/backbone.onnx", import.meta.url));

/** Two outputs of one model, of which one is a map. */
const TRUNK = `trunk: ({ image }, layers) => {
    const model = (output) => pretrained({ model: "backbone.onnx", output, input: { mean: 0.5, std: 0.5 } })(image, layers);
    return { features: model("pooled"), place: sequential([layers.flatten()])(model("map"), layers) };
  },
  train:`;

describe("a run over an ONNX trunk", () => {
  needs(missing);
  let project: TinyProject;
  beforeAll(async () => {
    project = await tinyProject();
    if (missing === null) linkOnnxRuntime(project.dir);
    copyFileSync(fixture, join(project.dir, "backbone.onnx"));
    const config = readFileSync(project.configFile, "utf8");
    const trunk = config.slice(config.indexOf("trunk: "), config.lastIndexOf("train:") + "train:".length);
    project.editConfig(
      [trunk, TRUNK],
      ["multilabel }", "multilabel, pretrained, sequential }"],
      ["size: [16, 16]", "size: [32, 32]"],
    );
  });
  afterAll(() => project.remove());

  it("is exported as one file, with the trunk in it once", async () => {
    const { run: trained } = await trainRun(await loadProject(project.dir, ["train.epochs=2"]));
    const store = join(project.dir, ".cool");
    const opened = openRunStore(store, { readonly: true });
    const dir = join(project.dir, "shipped");
    await expect(shipRun(opened, trained.id, { format: "layers", project: project.dir })).rejects.toThrow(
      /^The pictures of this run go through the ONNX model backbone\.onnx, .*--format onnx: both become one file\.$/,
    );
    await shipRun(opened, trained.id, { format: "onnx", to: dir, project: project.dir });
    opened.close();
    const { document, files } = await readExport((name) => readFile(join(dir, name)));
    const model = files.get("model.onnx") ?? new Uint8Array(0);
    const weights = readFileSync(join(trained.dir, "checkpoints", "best", "weights.bin")).length;
    expect(model.length).toBeLessThan(readFileSync(fixture).length + weights + 40_000);

    const images = [0, 1, 2, 3, 4, 5, 6, 7].map((row) => project.image(row));
    const run = await loadRun(store, trained.id, { project: project.dir });
    const expected = await run.predict(images);
    run.close();
    const pictures = await Promise.all(
      images.map(async (file) => {
        const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
        return { data, width: info.width, height: info.height };
      }),
    );
    const session = await openOnnxSession(model);
    const answers = await new Predictor(document, { runner: onnxRunner(ort(), session) }).predictAll(pictures);
    await session.release();
    expected.forEach((prediction, row) => {
      expect(Object.keys(answers[row] ?? {})).toEqual(Object.keys(prediction.answers));
      for (const [path, { activated }] of Object.entries(prediction.answers)) {
        activated.forEach((score, i) => {
          expect(answers[row]?.[path]?.activated[i]).toBeCloseTo(score, 4);
        });
      }
    });
  });
});
