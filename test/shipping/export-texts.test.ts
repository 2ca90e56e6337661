/** @file An exported run on raw texts answers as it did, where it is given the ids that its tokenizer makes. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluateExport, evaluateRunOn } from "../../src/asking/exports/evaluate-labelled.js";
import { findExport } from "../../src/asking/exports/open-export.js";
import { loadRun, type Prediction } from "../../src/asking/load-run.js";
import { type Answers, onnxRunner, Predictor, readExport, tfjsRunner } from "../../src/predictor/index.js";
import { loadProject } from "../../src/project/load-project.js";
import { shipRun } from "../../src/shipping/export-run.js";
import type { ExportFormat } from "../../src/shipping/formats.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { needs } from "../support/needs.js";
import { ensureOnnxRuntime } from "../support/onnx-runtime.js";
import { openOnnxSession, ort } from "../support/onnx-session.js";
import { openLayers } from "../support/saved-layers.js";
import { OWN_TRUNK, type TextProject, textProject, tokenizerFixtures } from "../support/text-project.js";

const missing = await ensureOnnxRuntime();

/** One model, of which the network reads three things. */
const THREE_POOLS = `({ text }, layers) => {
    const part = (options) => pretrained({ model: "encoder/model.onnx", ...options })(text, layers);
    const parts = [part({}), part({ pooling: "last" }), part({ output: "pooler_output" })];
    return { letter: layers.concatenate().apply(parts) };
  }`;

const texts = ["The parcel arrived damaged, please send the money back", "Great service", "no. 7"];

/** As a user of the export would cut them. */
function idsOf(text: string): number[] {
  const { Tokenizer } = createRequire(import.meta.url)("@huggingface/tokenizers") as {
    Tokenizer: new (document: unknown, config: object) => { encode(text: string): { ids: number[] } };
  };
  const document: unknown = JSON.parse(readFileSync(join(tokenizerFixtures, "wordpiece.json"), "utf8"));
  return new Tokenizer(document, {}).encode(text).ids;
}

async function trained(project: TextProject): Promise<Prediction[]> {
  const { run } = await trainRun(await loadProject(project.dir), { backend: "wasm" });
  const loaded = await loadRun(join(project.dir, ".cool"), run.id, { backend: "wasm", project: project.dir });
  return loaded.predict(texts).finally(() => loaded.close());
}

async function ship(project: TextProject, format: ExportFormat, precision?: "int8"): Promise<string> {
  const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  const to = join(project.dir, `${format}-${precision ?? "float32"}`);
  const result = await shipRun(store, "latest", { format, to, project: project.dir, precision }).finally(() =>
    store.close(),
  );
  if (precision !== undefined) {
    const { measured } = result.measurement ?? {};
    const loss = measured?.metrics.find(
      ({ task_path, metric_name, gates }) => task_path === "complaint" && metric_name === "loss" && gates === "truth",
    );
    expect(Math.abs(loss?.difference ?? Number.NaN)).toBeLessThan(0.05);
  }
  return to;
}

/** Mean loss of a task on the whole table, by an export and by its run. */
async function lossesOf(project: TextProject, dir: string): Promise<(number | undefined)[]> {
  const options = { project: project.dir };
  const found = await findExport(dir);
  if (found === null) throw new Error("no export");
  const results = [
    await evaluateExport(found, project.tableFile, options),
    await evaluateRunOn(join(project.dir, ".cool"), "latest", project.tableFile, options),
  ];
  return results.map(
    ({ evaluation }) =>
      evaluation.find(({ task_path, metric_name }) => task_path === "complaint" && metric_name === "loss")
        ?.metric_res ?? undefined,
  );
}

async function answerOnnx(dir: string): Promise<Answers[]> {
  const { document, files } = await readExport((name) => readFile(join(dir, name)));
  const session = await openOnnxSession(files.get("model.onnx") ?? new Uint8Array(0));
  const predictor = new Predictor(document, { runner: onnxRunner(ort(), session) });
  return predictor.predictAll(texts.map(idsOf)).finally(() => session.release());
}

function expectAnswers(own: readonly Answers[], expected: readonly Prediction[]): void {
  for (const [row, { answers }] of expected.entries()) {
    expect(Object.keys(own[row] ?? {})).toEqual(Object.keys(answers));
    for (const [path, { decoded, activated }] of Object.entries(answers)) {
      expect(own[row]?.[path]?.decoded).toBe(decoded);
      activated.forEach((score, i) => {
        expect(own[row]?.[path]?.activated[i]).toBeCloseTo(score, 4);
      });
    }
  }
}

describe("a run behind an ONNX encoder", () => {
  needs(missing);
  let project: TextProject;
  let expected: readonly Prediction[];
  beforeAll(async () => {
    project = textProject(THREE_POOLS, missing === null);
    if (missing === null) expected = await trained(project);
  });
  afterAll(() => project.remove());

  it("becomes one ONNX model of ids, also in a padded batch", async () => {
    const dir = await ship(project, "onnx");
    expectAnswers(await answerOnnx(dir), expected);

    const session = await openOnnxSession(readFileSync(join(dir, "model.onnx")));
    const ids = texts.map(idsOf);
    const length = Math.max(...ids.map((row) => row.length));
    const padded = Int32Array.from(ids.flatMap((row) => Array.from({ length }, (_, i) => row[i] ?? -1)));
    const { "complaint/activated": scores } = await session.run({
      text: new (ort().Tensor)("int32", padded, [ids.length, length]),
    });
    expected.forEach(({ answers }, row) => {
      expect(scores?.data[row]).toBeCloseTo(answers.complaint?.activated[0] ?? Number.NaN, 4);
    });
    await session.release();
  });

  it("has its tokenizer beside it, so that a table of texts is evaluated as by the run", async () => {
    const dir = join(project.dir, "onnx-float32");
    expect(readFileSync(join(dir, "text.tokenizer.json"))).toEqual(
      readFileSync(join(tokenizerFixtures, "wordpiece.json")),
    );
    const [exported, own] = await lossesOf(project, dir);
    expect(exported).toBeCloseTo(own ?? Number.NaN, 4);
    await ship(project, "onnx", "int8");
  });

  it("is no LayersModel, and says the way out", async () => {
    await expect(ship(project, "layers")).rejects.toThrow(
      "The texts of this run go through the ONNX model encoder/model.onnx, which no LayersModel can hold. Export it with --format onnx",
    );
  });
});

describe("a run of own layers on a tokenizer's ids", () => {
  let project: TextProject;
  let expected: readonly Prediction[];
  beforeAll(async () => {
    project = textProject(OWN_TRUNK, false);
    expected = await trained(project);
  });
  afterAll(() => project.remove());

  it("answers ids in bare TensorFlow.js, and says what it takes instead of a text", async () => {
    const dir = await ship(project, "layers");
    const { document } = await readExport((name) => readFile(join(dir, name)));
    const predictor = new Predictor(document, { runner: tfjsRunner(tf, await openLayers(dir)) });
    expectAnswers(await predictor.predictAll(texts.map(idsOf)), expected);
    const [exported, own] = await lossesOf(project, dir);
    expect(exported).toBeCloseTo(own ?? Number.NaN, 4);
    await expect(predictor.predict("The parcel")).rejects.toThrow(
      'The input "text" takes the ids that its tokenizer makes of a text, and was given "The parcel". Cut it with encoder/tokenizer.json',
    );
    await expect(predictor.predict([2, 375])).rejects.toThrow("ids of encoder/tokenizer.json, from 0 to 374");
    await expect(predictor.predict(new Array<number>(30).fill(1))).rejects.toThrow(
      "takes at most 24 ids, and was given 30",
    );
  });

  it.skipIf(missing !== null)("answers ids in ONNX Runtime", async () => {
    expectAnswers(await answerOnnx(await ship(project, "onnx")), expected);
  });
});
