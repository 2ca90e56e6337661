/** @file A model that PyTorch has written becomes a run: its numbers, and what is done with runs. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nanAnswers } from "../../../src/asking/adopted/nan-answers.js";
import { evaluateExport } from "../../../src/asking/exports/evaluate-labelled.js";
import { findExport } from "../../../src/asking/exports/open-export.js";
import { evaluateRun } from "../../../src/asking/evaluate-run.js";
import { loadRun } from "../../../src/asking/load-run.js";
import { openStoredRun, readScoredSplit } from "../../../src/asking/stored-run.js";
import { tuneRun } from "../../../src/asking/tune-run.js";
import { loadProject } from "../../../src/project/load-project.js";
import { exportRun, importRuns, importSource } from "../../../src/records/transfer.js";
import { shipRun } from "../../../src/shipping/export-run.js";
import { openRunStore, type RunStore } from "../../../src/storage/run-store.js";
import { behaviourOf } from "../../../src/tasks/index.js";
import { adoptRun, type AdoptOptions } from "../../../src/training/adopting/adopt-run.js";
import { trainRun } from "../../../src/training/train-run.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../../support/onnx-runtime.js";
import { type TinyProject, tinyProject } from "../../support/projects.js";

const noOnnx = await ensureOnnxRuntime();
const fixture = (name: string): string => fileURLToPath(new URL(`../../../fixtures/torch/${name}`, import.meta.url));
const torch: Readonly<Record<string, readonly (readonly number[])[]>> = JSON.parse(
  readFileSync(fixture("adopted.json"), "utf8"),
).logits;
const ROWS = 6;
const MAPPED: AdoptOptions = {
  raw: true,
  inputs: { image: "pixels" },
  outputs: Object.fromEntries(Object.keys(torch).map((path, i) => [path, `out${i}`])),
};

describe.skipIf(noOnnx !== null)("a model of PyTorch", () => {
  let project: TinyProject;
  let pictures: readonly string[] = [];
  beforeAll(async () => {
    project = await tinyProject();
    linkOnnxRuntime(project.dir);
    pictures = await Promise.all(Array.from({ length: ROWS }, (_, row) => draw(row)));
    await adoptRun(await loadProject(project.dir), fixture("adopted.onnx"), { name: "given" });
  });
  afterAll(() => project.remove());

  /** As fixtures/torch/make_adopted.py draws it. */
  async function draw(row: number): Promise<string> {
    const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => {
      const [y, x, c] = [Math.floor(i / 48), Math.floor(i / 3) % 16, i % 3];
      return (row * 37 + y * 11 + x * 7 + c * 53) % 256;
    });
    const file = join(project.dir, `drawn-${row}.png`);
    await sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } })
      .png()
      .toFile(file);
    return file;
  }

  async function withStore<T>(use: (store: RunStore) => T | Promise<T>, dir = join(project.dir, ".cool")): Promise<T> {
    const store = openRunStore(dir);
    try {
      return await use(store);
    } finally {
      store.close();
    }
  }

  async function expectTorch(name: string, dir = join(project.dir, ".cool")): Promise<void> {
    const run = await loadRun(dir, name, { project: project.dir });
    const { scored } = await run.score(pictures);
    run.close();
    for (const { task, kept } of scored.tasks) {
      const expected = (torch[task.path] ?? []).flat();
      expect(expected.length).toBeGreaterThan(0);
      const own = kept.kind === "logits" ? kept.logits : [];
      expected.forEach((logit, i) => {
        expect(own[i]).toBeCloseTo(logit, 4);
      });
    }
  }

  it("answers with PyTorch's logits", () => expectTorch("given"));

  it("answers alike one picture at a time, as 0 to 255, under names of its own", async () => {
    await adoptRun(await loadProject(project.dir), fixture("adopted-raw.onnx"), { ...MAPPED, name: "raw" });
    await expectTorch("raw");
    const asked = withStore((store) => shipRun(store, "raw", { format: "onnx", to: join(project.dir, "fixed") }));
    await expect(asked).rejects.toThrow(/takes 1 rows at a time.*dynamic_axes/);
  });

  it("is kept by content, says what it is, and is tuned and evaluated", async () => {
    const { evaluation, tuned } = await withStore(async (store) => {
      expect(store.readConfig(store.findRun("given").id)).toMatchObject({
        "adopted.model": "adopted.onnx",
        // nothing was trained
        "train.epochs": 0,
        "adopted.opset": 17,
        "adopted.producer": expect.stringMatching(/^pytorch \d/),
      });
      return {
        tuned: await tuneRun(store, "given", "accuracy"),
        evaluation: (await evaluateRun(store, "given")).evaluation,
      };
    });
    expect(Object.keys(tuned.thresholds)).toEqual(["blocked", "present", "square.marks"]);
    expect(new Set(evaluation.map(({ split }) => split))).toEqual(new Set(["train", "valid", "test"]));
  });

  it("goes along to another store, and is refused where the file is not its own", async () => {
    const [moved, other] = [join(project.dir, "moved"), join(project.dir, "other")];
    await withStore((store) => exportRun(store, "given", moved));
    await withStore((store) => importRuns(store, importSource(moved)), other);
    await expectTorch("given", other);
    const [file = ""] = readdirSync(join(other, "models"));
    writeFileSync(join(other, "models", file), "other");
    await expect(loadRun(other, "given", { project: project.dir })).rejects.toThrow(/adopted\.onnx.*has been changed/);
  });

  it("is exported with its answers, whose metrics are those of the run", async () => {
    const to = join(project.dir, "shipped");
    const expected = await withStore(async (store) => {
      await shipRun(store, "given", { format: "onnx", to });
      return (await evaluateRun(store, "given", { split: "test" })).evaluation;
    });
    const found = await findExport(to);
    if (found === null) throw new Error("no export");
    const rows = readFileSync(project.tableFile, "utf8").split("\n");
    const test = await withStore(
      async (store) => (await readScoredSplit(await openStoredRun(store, "given"), "test")).ids,
    );
    const table = join(project.dir, "test.csv");
    writeFileSync(table, rows.filter((row, i) => i === 0 || test.some((id) => row.startsWith(`${id},`))).join("\n"));
    const { evaluation } = await evaluateExport(found, table, { project: project.dir });
    expect(evaluation.length).toBe(expected.length);
    evaluation.forEach(({ metric_res }, i) => {
      expect(metric_res ?? -1).toBeCloseTo(expected[i]?.metric_res ?? -1, 4);
    });
  });

  it("refuses what needs layers in one line", async () => {
    const run = await loadRun(join(project.dir, ".cool"), "given", { project: project.dir });
    await expect(run.explain(pictures, { uncertainty: {} })).rejects.toThrow(/was adopted.*under dropout/);
    await expect(run.receptiveField(pictures[0] ?? "", "blocked")).rejects.toThrow(/was adopted/);
    run.close();
    const loaded = await loadProject(project.dir);
    await expect(trainRun(loaded, { resume: "given" })).rejects.toThrow(/training cannot go on from it/);
    await expect(trainRun(loaded, { again: "given" })).rejects.toThrow(/no training to repeat/);
    await expect(trainRun(loaded, { from: "given" })).rejects.toThrow(/no weights can be taken from it/);
    const layers = withStore((store) => shipRun(store, "given", { format: "layers", to: join(project.dir, "l") }));
    await expect(layers).rejects.toThrow(/no LayersModel can hold\. Export it with --format onnx/);
  });

  it("leaves no run where it does not fit the flow", async () => {
    const before = await withStore((store) => store.listRuns().length);
    const loaded = await loadProject(project.dir);
    const adopt = (file: string, options: AdoptOptions = {}) => adoptRun(loaded, fixture(file), options);
    await expect(adopt("adopted-raw.onnx")).rejects.toThrow(/no output "blocked\/logits".*--output blocked=out0/);
    await expect(adopt("adopted.onnx", { outputs: { blocked: "square.color/logits" } })).rejects.toThrow(
      /"square\.color\/logits" .* is float32 \[1, 3\] for 1 row, and the task "blocked" has 1 logit/,
    );
    await expect(adopt("adopted.onnx", { outputs: { bloked: "x" } })).rejects.toThrow(
      /No task named "bloked".*blocked/,
    );
    await expect(adopt("adopted.onnx", { outputs: { blocked: "blocked" } })).rejects.toThrow(
      /No output named "blocked"/,
    );
    await expect(adopt("adopted.json")).rejects.toThrow(/is no ONNX model/);
    await expect(adopt("none.onnx")).rejects.toThrow(/none\.onnx is not there/);
    await expect(adopt("backbone.onnx")).rejects.toThrow(/has no output|has pictures of 16 × 16/);
    expect(await withStore((store) => store.listRuns().length)).toBe(before);
    expect(existsSync(join(project.dir, ".cool", "models"))).toBe(true);
  });

  it("is refused before pictures are read where an export of ours leaves questions without answers", async () => {
    await trainRun(await loadProject(project.dir, ["train.epochs=1"]), { name: "branched" });
    const file = join(project.dir, "branched.onnx");
    await withStore((store) => shipRun(store, "branched", { format: "onnx", gates: "if", to: file }));
    const asked = adoptRun(await loadProject(project.dir), file);
    await expect(asked).rejects.toThrow(/branched\.onnx was exported with --gates if.*--gates tensors/);
  });

  it("may be an export of our own", async () => {
    const { run } = await trainRun(await loadProject(project.dir, ["train.epochs=1"]), { name: "own" });
    const file = join(project.dir, "own.onnx");
    const expected = await withStore(async (store) => {
      await shipRun(store, run.id, { format: "onnx", to: file });
      return (await evaluateRun(store, run.id, { split: "test" })).evaluation;
    });
    copyFileSync(file, join(project.dir, "copy.onnx"));
    rmSync(file);
    const { evaluation } = await adoptRun(await loadProject(project.dir), join(project.dir, "copy.onnx"), {
      name: "again",
    });
    const test = evaluation.filter(({ split }) => split === "test");
    test.forEach(({ metric_res }, i) => {
      expect(metric_res ?? -1).toBeCloseTo(expected[i]?.metric_res ?? -1, 4);
    });
  });
});

describe("without onnxruntime-node", () => {
  it("nothing is read or written, and the error says what to install", async () => {
    const project = await tinyProject();
    const adopted = adoptRun(await loadProject(project.dir), fixture("adopted.onnx"));
    await expect(adopted).rejects.toThrow(
      /onnxruntime-node, which is not installed for .*npm install onnxruntime-node/,
    );
    expect(existsSync(join(project.dir, ".cool"))).toBe(false);
    project.remove();
  });
});

describe("answers that are no numbers", () => {
  it("are counted by task", async () => {
    const project = await tinyProject();
    const { graph } = await loadProject(project.dir);
    project.remove();
    const [blocked, present, color, ...others] = graph.tasks;
    expect([blocked?.path, present?.path, color?.path]).toEqual(["blocked", "present", "square.color"]);
    const [one, three] = [Float32Array.of(1, Number.NaN, 0), Float32Array.of(1, 2, 3, 4, 5, Number.NaN, 0, 0, 0)];
    const rest = others.map(({ spec }) => new Float32Array(3 * behaviourOf(spec).logitWidth(spec)));
    expect(nanAnswers(graph, [one, Float32Array.of(1, 2, 3), three, ...rest], " on test")).toEqual([
      "blocked: 1 of 3 answers on test are NaN, which no metric counts as right",
      "square.color: 1 of 3 answers on test are NaN, which no metric counts as right",
    ]);
  });
});
