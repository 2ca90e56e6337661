/** @file An exported run answers as it did, from its files alone. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LoadedRun, loadRun, type Prediction } from "../../src/asking/load-run.js";
import {
  type Answers,
  onnxRunner,
  type Picture,
  Predictor,
  readExport,
  tfjsRunner,
} from "../../src/predictor/index.js";
import { loadProject } from "../../src/project/load-project.js";
import { type ExportOptions, type ExportResult, shipRun } from "../../src/shipping/export-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../support/onnx-runtime.js";
import { openOnnxSession, ort } from "../support/onnx-session.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { openLayers } from "../support/saved-layers.js";

const noOnnx = await ensureOnnxRuntime();

let project: TinyProject;
let run: LoadedRun;
let expected: readonly Prediction[];
let pictures: readonly Picture[];

beforeAll(async () => {
  project = await tinyProject();
  if (noOnnx === null) linkOnnxRuntime(project.dir);
  const { run: trained } = await trainRun(await loadProject(project.dir, ["train.epochs=3"]));
  run = await loadRun(join(project.dir, ".cool"), trained.id);
  const files = project.rows.map((_, row) => project.image(row));
  expected = await run.predict(files);
  pictures = await Promise.all(files.map(pictureOf));
});
afterAll(() => {
  run.close();
  project.remove();
});

async function pictureOf(file: string): Promise<Picture> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

async function ship(options: ExportOptions): Promise<ExportResult> {
  const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  try {
    return await shipRun(store, run.run.id, options);
  } finally {
    store.close();
  }
}

const target = (name: string): string => join(project.dir, "shipped", name);

function expectAnswers(own: readonly Answers[], digits: number): void {
  expected.forEach(({ answers }, row) => {
    expect(Object.keys(own[row] ?? {})).toEqual(Object.keys(answers));
    for (const [path, { decoded, activated }] of Object.entries(answers)) {
      const answer = own[row]?.[path];
      activated.forEach((score, i) => {
        expect(answer?.activated[i]).toBeCloseTo(score, digits);
      });
      if (typeof decoded === "number") expect(answer?.decoded).toBeCloseTo(decoded, 2);
      else expect(answer?.decoded).toEqual(decoded);
    }
  });
}

describe("the format layers", () => {
  it("answers as the run does, in bare TensorFlow.js", async () => {
    const dir = target("layers");
    const result = await ship({ format: "layers", to: dir, licence: "CC-BY-4.0" });
    expect(result.files.map(({ path }) => path)).toEqual([
      "model.json",
      "weights.bin",
      "predictor.json",
      "model-card.json",
      "MODEL_CARD.md",
      "SHA256SUMS",
    ]);
    const { document } = await readExport((name) => readFile(join(dir, name)));
    const predictor = new Predictor(document, { runner: tfjsRunner(tf, await openLayers(dir)) });
    expectAnswers(await predictor.predictAll(pictures), 5);
  });

  it("has a card of what it answers, how well, and under which licence", () => {
    const card = readFileSync(join(target("layers"), "MODEL_CARD.md"), "utf8");
    expect(card).toContain(`Run \`${run.run.id}\` of the project tiny`);
    expect(card).toContain("- `square.color` (classification: red, green, blue), asked where present");
    expect(card).toContain("- `image`: a picture, in colours, 16 × 16 pixels");
    expect(card).toMatch(/\n\| blocked \| accuracy \| [\d.]+ \| [\d.]+ to [\d.]+ \| [\d.]+ \| \d+ \|\n/);
    expect(card).toMatch(/## End to end\n[^#]*\n\| _total \| tree_accuracy \| [\d.]+ \| [\d.]+ to [\d.]+ \| \d+ \|\n/);
    expect(card).toMatch(/## Licence\n\nCC-BY-4\.0\n$/);
    const { data, metrics, thresholds } = JSON.parse(readFileSync(join(target("layers"), "model-card.json"), "utf8"));
    expect(data.digest).toMatch(/^[0-9a-f]{64}$/);
    const { train, valid, test } = data.rows;
    expect(train + valid + test).toBe(project.rows.length);
    expect(card).toContain(`- rows: ${train} of train, ${valid} of valid, ${test} of test\n`);
    expect(metrics.length).toBeGreaterThan(10);
    expect(thresholds.blocked).toBeGreaterThan(0);
  });

  it("is refused where a file has been changed, by its name", async () => {
    const dir = target("tampered");
    await ship({ format: "layers", to: dir });
    const weights = readFileSync(join(dir, "weights.bin"));
    weights[10] = (weights[10] ?? 0) ^ 1;
    writeFileSync(join(dir, "weights.bin"), weights);
    await expect(readExport((name) => readFile(join(dir, name)))).rejects.toThrow(
      /^The file weights\.bin of this export has been changed or damaged/,
    );
  });
});

describe("the format onnx", () => {
  it.skipIf(noOnnx !== null)("answers as the run does, in ONNX Runtime, with bytes and decisions inside", async () => {
    const dir = target("onnx");
    const result = await ship({ format: "onnx", to: dir });
    expect(result.inputs).toEqual([{ name: "image", type: "uint8", shape: ["batch", 16, 16, 3] }]);
    expect(result.outputs).toContainEqual({ name: "square.color/activated", type: "float32", shape: ["batch", 3] });
    const { document, files } = await readExport((name) => readFile(join(dir, name)));
    const session = await openOnnxSession(files.get("model.onnx") ?? new Uint8Array(0));
    const runtime = ort();
    const predictor = new Predictor(document, { runner: onnxRunner(runtime, session) });
    expectAnswers(await predictor.predictAll(pictures), 4);

    const pixels = Uint8Array.from(pictures.flatMap(({ data }) => Array.from(data)));
    const outputs = await session.run({ image: new runtime.Tensor("uint8", pixels, [pictures.length, 16, 16, 3]) });
    expected.forEach(({ answers }, row) => {
      for (const { path, spec } of run.graph.tasks) {
        const answer = answers[path];
        expect([path, Boolean(outputs[`${path}/active`]?.data[row])]).toEqual([path, answer !== undefined]);
        const decoded = outputs[`${path}/decoded`]?.data[row];
        if (answer !== undefined && spec.kind === "binary") expect(decoded).toBe(Number(answer.decoded));
        if (answer !== undefined && spec.kind === "classification") {
          expect(spec.classes[decoded ?? -1]).toBe(answer.decoded);
        }
      }
    });
    await session.release();
    const weights = readFileSync(join(run.dir, "checkpoints", "best", "weights.bin")).length;
    expect((files.get("model.onnx")?.length ?? 0) - weights).toBeLessThan(200_000);
  });

  it("is one file where the target is one, with the card in it and its sum beside it", async () => {
    const file = target("one.onnx");
    const result = await ship({ format: "onnx", to: file });
    expect(result.files.map(({ path }) => path)).toEqual(["one.onnx", "one.onnx.sha256"]);
    const text = readFileSync(file).toString("latin1");
    expect(text).toContain("dnn-cool-predictor");
    expect(text).toContain("MODEL_CARD.md");
  });
});

describe("precision", () => {
  it.skipIf(noOnnx !== null).each(["float16", "int8"] as const)("%s is measured beside the run", async (precision) => {
    const dir = target(precision);
    const { measurement } = await ship({ format: "onnx", precision, to: dir, project: project.dir });
    const { measured, bytes } = measurement ?? {};
    expect(measurement?.not_measured).toBeUndefined();
    expect(bytes?.exported).toBeLessThan(bytes?.float32 ?? 0);
    expect(measured).toMatchObject({ split: "test", data_changed: false });
    const stored = await run.evaluate("test");
    for (const { task_path, metric_name, gates, run: own, difference } of measured?.metrics ?? []) {
      const row = stored.find(
        (one) => one.task_path === task_path && one.metric_name === metric_name && one.gates === gates,
      );
      expect([task_path, metric_name, own]).toEqual([task_path, metric_name, row?.metric_res]);
      if (metric_name === "loss") expect(Math.abs(difference ?? 0)).toBeLessThan(0.05);
    }
    const losses = measured?.metrics.filter(
      ({ metric_name, difference }) => metric_name === "loss" && difference !== 0,
    );
    expect(losses?.length).toBeGreaterThan(0);
    const card = readFileSync(join(dir, "MODEL_CARD.md"), "utf8");
    expect(card).toContain(`## Precision\n\nWeights are kept in ${precision}`);
    expect(card).toMatch(/\| blocked \| accuracy \| [\d.]+ \| [\d.]+ \| [-+\d.e]+ \|/);
    const { exported } = JSON.parse(readFileSync(join(dir, "model-card.json"), "utf8"));
    expect(exported.measurement.measured.metrics.length).toBe(measured?.metrics.length);
  });

  it.skipIf(noOnnx !== null)("float32 answers as the run, also where tasks are measured", async () => {
    const { measurement } = await ship({ format: "onnx", to: target("plain"), measure: true, project: project.dir });
    const differences = measurement?.measured?.metrics.map(({ difference }) => Math.abs(difference ?? 0)) ?? [];
    expect(Math.max(...differences)).toBeLessThan(1e-5);
  });

  it.skipIf(noOnnx !== null)("answers what is asked with branches, too, one picture at a time", async () => {
    const dir = target("branches");
    await ship({ format: "onnx", gates: "if", to: dir });
    expect(JSON.parse(readFileSync(join(dir, "model-card.json"), "utf8")).exported).toMatchObject({ gates: "if" });
    expect(readFileSync(join(dir, "MODEL_CARD.md"), "utf8")).toContain("## Gates\n\nLayers that only gated");
    const { document, files } = await readExport((name) => readFile(join(dir, name)));
    const session = await openOnnxSession(files.get("model.onnx") ?? new Uint8Array(0));
    const predictor = new Predictor(document, { runner: onnxRunner(ort(), session), batchSize: 1 });
    expectAnswers(await predictor.predictAll(pictures), 4);
    await session.release();
  });

  it("is exported without a measure where there is no runtime, with the reason", async () => {
    const alone = mkdtempSync(join(tmpdir(), "cool-alone-"));
    copyFileSync(project.configFile, join(alone, basename(project.configFile)));
    const { measurement } = await ship({ format: "onnx", precision: "int8", to: target("unmeasured"), project: alone });
    expect(measurement?.measured).toBeNull();
    expect(measurement?.not_measured).toMatch(/onnxruntime-node, which is not installed/);
    const card = readFileSync(join(target("unmeasured"), "MODEL_CARD.md"), "utf8");
    expect(card).toMatch(/Not measured: .*onnxruntime-node/);
    rmSync(alone, { recursive: true });
  });

  it("is that of ONNX models alone", async () => {
    const layers = { format: "layers", to: target("never") } as const;
    await expect(ship({ ...layers, precision: "int8" })).rejects.toThrow(/^--precision int8 is for --format onnx; /);
    await expect(ship({ ...layers, to: target("never.onnx") })).rejects.toThrow(
      /never\.onnx ends with \.onnx, and the format layers is a folder\. Name a folder/,
    );
  });
});

describe("what cannot be exported", () => {
  it("is refused before anything is written", async () => {
    await expect(ship({ format: "onnx", to: project.dir })).rejects.toThrow(/ is there already\. Name another target/);
    const inside = join(project.dir, ".cool", "runs", "shipped");
    await expect(ship({ format: "onnx", to: inside })).rejects.toThrow(/ lies in the run store, whose files belong to/);
    expect(existsSync(inside)).toBe(false);
    const file = target("a-file");
    writeFileSync(file, "");
    await expect(ship({ format: "layers", to: join(file, "shipped") })).rejects.toThrow(
      / cannot be written: a file stands where a folder is needed \((ENOTDIR|EEXIST)\)\. Name another target with --to\.$/,
    );
    const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
    await expect(shipRun(store, "nobody", { format: "onnx" })).rejects.toThrow(/^No run named "nobody"/);
    store.close();
    expect(existsSync(target("nobody"))).toBe(false);
  });

  it("is a run without the weights of its best epoch, or with half of them", async () => {
    const weights = join(run.dir, "checkpoints", "best", "weights.bin");
    const whole = readFileSync(weights);
    try {
      for (const format of ["onnx", "layers"] as const) {
        writeFileSync(weights, whole.subarray(0, whole.length / 2));
        await expect(ship({ format, to: target("half") })).rejects.toThrow(
          /weights do not belong together: it lists \d+/,
        );
        rmSync(weights);
        await expect(ship({ format, to: target("half") })).rejects.toThrow(/weights\.bin cannot be read: ENOENT/);
      }
    } finally {
      writeFileSync(weights, whole);
    }
    expect(existsSync(target("half"))).toBe(false);
  });
});
