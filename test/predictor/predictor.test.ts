/** @file An exported run answers as `cool predict` does. */
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { build } from "esbuild";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoadedRun, loadRun } from "../../src/asking/load-run.js";
import { openStoredRun } from "../../src/asking/stored-run.js";
import {
  onnxRunner,
  type Picture,
  Predictor,
  type PredictorDocument,
  type Runner,
  tfjsRunner,
} from "../../src/predictor/index.js";
import { loadProject } from "../../src/project/load-project.js";
import { predictorDocument } from "../../src/shipping/predictor-document.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { openLayers } from "../support/saved-layers.js";

let project: TinyProject;
let run: LoadedRun;
let document: PredictorDocument;
let predictor: Predictor;

beforeAll(async () => {
  project = await tinyProject();
  const { run: trained } = await trainRun(await loadProject(project.dir, ["train.epochs=2"]));
  const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  document = predictorDocument(await openStoredRun(store, trained.id));
  store.close();
  run = await loadRun(join(project.dir, ".cool"), trained.id);
  const model = await openLayers(join(run.dir, "checkpoints", "best"));
  // a document that went through a file
  predictor = new Predictor(JSON.parse(JSON.stringify(document)), { runner: tfjsRunner(tf, model) });
});
afterAll(() => {
  run.close();
  project.remove();
});

async function pictureOf(file: string): Promise<Picture> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

describe("predictAll", () => {
  it("answers every picture as the run does: scores within 1e-5, decisions the same", async () => {
    const files = project.rows.map((_, row) => project.image(row));
    const expected = await run.predict(files);
    const answers = await predictor.predictAll(await Promise.all(files.map(pictureOf)));
    expect(answers).toHaveLength(expected.length);
    const asked = new Set<string>();
    expected.forEach((prediction, row) => {
      const own = answers[row] ?? {};
      expect(Object.keys(own)).toEqual(Object.keys(prediction.answers));
      for (const [path, answer] of Object.entries(prediction.answers)) {
        asked.add(path);
        answer.activated.forEach((score, i) => {
          expect(own[path]?.activated[i]).toBeCloseTo(score, 5);
        });
        if (typeof answer.decoded === "number") expect(own[path]?.decoded).toBeCloseTo(answer.decoded, 3);
        else expect(own[path]?.decoded).toEqual(answer.decoded);
      }
    });
    expect(asked.size).toBeGreaterThan(1);
  });

  it("answers the same in batches of any size", async () => {
    const pictures = await Promise.all([0, 1, 2, 3, 4].map((row) => pictureOf(project.image(row))));
    const inThrees = new Predictor(document, { runner: await runnerOf(run.dir), batchSize: 3 });
    const [all, some] = [await predictor.predictAll(pictures), await inThrees.predictAll(pictures)];
    expect(some.map((answers) => Object.keys(answers))).toEqual(all.map((answers) => Object.keys(answers)));
  });
});

it("feeds a model with decisions inside what they need of a framed picture: its size, and what the network sees", async () => {
  const fed: Record<string, readonly number[]> = {};
  const listening: Runner = {
    takes: "signature",
    run: (inputs) => {
      for (const [name, { data }] of Object.entries(inputs)) if (name !== "image") fed[name] = [...data];
      return Promise.reject(new Error("enough"));
    },
  };
  const inputs = {
    image: { kind: "image", column: "img", size: [8, 8], channels: 3, framing: { fit: "letterbox" } },
  };
  const framed = new Predictor({ ...document, inputs }, { runner: listening });
  const picture = { data: new Uint8Array(40 * 20 * 3), width: 40, height: 20 };
  await expect(framed.predict(picture)).rejects.toThrow("enough");
  // twice as wide as high: above and below stands a bar of half its height
  expect(fed).toEqual({ "image/size": [20, 40], "image/frame": [0, -0.5, 1, 2] });
});

it("says calibrated probabilities, and decides as before", () => {
  const maps = [{ scores: [0.2, 0.6], probabilities: [0.1, 0.9] }];
  const calibration = { tasks: { blocked: { method: "isotonic", maps } } };
  const calibrated = new Predictor({ ...document, calibration });
  const logits = Object.fromEntries(
    predictor.answered.map((path) => [
      path,
      new Float32Array(path.endsWith("color") ? 3 : path.endsWith("marks") ? 2 : 1),
    ]),
  );
  const [raw, own] = [predictor.answer(logits)[0], calibrated.answer(logits)[0]];
  expect(raw?.blocked?.activated).toEqual([0.5]);
  // half way, and another quarter, from 0.1 to 0.9
  expect(own?.blocked?.activated[0]).toBeCloseTo(0.7, 6);
  expect(own?.blocked?.decoded).toBe(raw?.blocked?.decoded);
});

async function runnerOf(dir: string): Promise<Runner> {
  return tfjsRunner(tf, await openLayers(join(dir, "checkpoints", "best")));
}

describe("what cannot be answered is said in one sentence", () => {
  const picture = { data: new Uint8Array(16 * 16 * 3), width: 16, height: 16 };

  it("names a missing runner, and how to give one", async () => {
    await expect(new Predictor(document).predict(picture)).rejects.toThrow(/has no runner, .* tfjsRunner\(tf, model\)/);
  });

  it("names an input that there is none of", async () => {
    await expect(predictor.predict({ image: picture, size: 3 })).rejects.toThrow(
      'There is no input "size"; there are image.',
    );
    await expect(predictor.predict(Number.NaN)).rejects.toThrow(/and was given NaN\. Correct it\.$/);
    await expect(predictor.predict("picture.png")).rejects.toThrow(
      'The input "image" takes a decoded picture: { data, width, height }, and was given "picture.png". Correct it.',
    );
  });

  it("refuses logits that are missing or too few", () => {
    expect(() => new Predictor(document, { batchSize: 0 })).toThrow(
      '"batchSize" is 0; expected a whole number above 0',
    );
    expect(() => tfjsRunner(tf, undefined as never)).toThrow(/^tfjsRunner\(tf, model\) takes .*one of them is missing/);
    expect(() => onnxRunner({} as never, null as never)).toThrow(/^onnxRunner\(ort, session\) takes .*one of them/);
    expect(() => predictor.answer({})).toThrow(
      /^Among the logits, "blocked" is missing; expected 1: 1 for each of 1\.$/,
    );
  });

  it("refuses what a later release has written, and what is no document", () => {
    expect(() => new Predictor({ ...document, version: 3 })).toThrow(/is of version 3, .* Install a newer dnn-cool/);
    expect(() => new Predictor({ ...document, calibration: { kind: "temperature" } })).toThrow(
      /neither null nor that of/,
    );
    expect(() => new Predictor({ graph: 1 })).toThrow(/This is no predictor\.json of dnn-cool/);
    expect(() => new Predictor({ ...document, thresholds: { blocked: [0.1, 0.2] } })).toThrow(
      /^The task "blocked" has 2 thresholds in predictor\.json, but decides 1 questions\./,
    );
  });

  it("refuses a model of another export", async () => {
    const other = { takes: "network", run: async () => ({}) } as const satisfies Runner;
    await expect(new Predictor(document, { runner: other }).predict(picture)).rejects.toThrow(
      /^Among the logits, "blocked" is missing/,
    );
  });

  it("says nothing where the network says NaN", () => {
    const logits = Object.fromEntries(
      document.graph.tasks.map(({ path, spec }) => {
        const width = spec.kind === "classification" ? 3 : spec.kind === "multilabel" ? 2 : 1;
        return [path, new Float32Array(width).fill(Number.NaN)];
      }),
    );
    // nothing is asked under a question whose answer is not known
    expect(predictor.answer(logits)).toEqual([{ blocked: { decoded: null, activated: [Number.NaN] } }]);
  });
});

it("is one small module without a package or Node.js", async () => {
  const { metafile, outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../../src/predictor/index.ts", import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    platform: "neutral",
  });
  expect(Object.keys(metafile.inputs).filter((file) => file.includes("node_modules"))).toEqual([]);
  expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
  expect(gzipSync(outputFiles[0]?.contents ?? "").length).toBeLessThan(40_000);
});
