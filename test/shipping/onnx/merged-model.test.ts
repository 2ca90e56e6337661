/** @file A run over an ONNX trunk is one model, which answers as the run does. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadRun } from "../../../src/asking/load-run.js";
import { openStoredRun, type StoredRun } from "../../../src/asking/stored-run.js";
import { exportOnnx } from "../../../src/shipping/onnx/export-onnx.js";
import { onnxRunner, Predictor, readExport } from "../../../src/predictor/index.js";
import { loadProject } from "../../../src/project/load-project.js";
import { shipRun } from "../../../src/shipping/export-run.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { trainRun } from "../../../src/training/train-run.js";
import { needs } from "../../support/needs.js";
import { backbone, onnxProject } from "../../support/onnx-project.js";
import { ensureOnnxRuntime } from "../../support/onnx-runtime.js";
import { openOnnxSession, ort } from "../../support/onnx-session.js";
import type { TinyProject } from "../../support/projects.js";

const missing = await ensureOnnxRuntime();

async function openStored(dir: string, run: string, project: string): Promise<StoredRun> {
  const store = openRunStore(dir, { readonly: true });
  try {
    return await openStoredRun(store, run, { project });
  } finally {
    store.close();
  }
}

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
    project = await onnxProject(TRUNK, missing === null);
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
    expect(model.length).toBeLessThan(readFileSync(backbone).length + weights + 40_000);

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
    const ask = async (bytes: Uint8Array) => {
      const session = await openOnnxSession(bytes);
      const answers = await new Predictor(document, { runner: onnxRunner(ort(), session) }).predictAll(pictures);
      await session.release();
      return answers;
    };
    const answers = await ask(model);
    expected.forEach((prediction, row) => {
      expect(Object.keys(answers[row] ?? {})).toEqual(Object.keys(prediction.answers));
      for (const [path, { activated }] of Object.entries(prediction.answers)) {
        activated.forEach((score, i) => {
          expect(answers[row]?.[path]?.activated[i]).toBeCloseTo(score, 4);
        });
      }
    });

    // the trunk's weights are most of the file
    const stored = await openStored(store, trained.id, project.dir);
    const sizes = { float16: 0.8, int8: 0.95 };
    for (const precision of ["float16", "int8"] as const) {
      const bytes = exportOnnx(stored, "0", { precision, smallest: 64 }).encode();
      expect(bytes.length).toBeLessThan(sizes[precision] * model.length);
      const own = await ask(bytes);
      const tolerance = precision === "float16" ? 2e-3 : 0.1;
      const scores = (some: typeof answers) => some.map((row) => row.blocked?.activated[0] ?? Number.NaN);
      scores(own).forEach((score, row) => {
        expect(Math.abs(score - (scores(answers)[row] ?? Number.NaN))).toBeLessThan(tolerance);
      });
      expect(scores(own)).not.toEqual(scores(answers));
    }
  });
});
