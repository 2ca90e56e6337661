/** @file Runs on raw texts: the tokenizer lies in the store by content, and so does an ONNX encoder that feeds the run. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { readLayersModel } from "../../src/engine/model/transfer.js";
import { checkProject } from "../../src/project/check-project.js";
import { loadProject } from "../../src/project/load-project.js";
import { readRunConfig } from "../../src/records/run-documents.js";
import { runFiles } from "../../src/records/run-folder.js";
import { exportRun, importRuns } from "../../src/records/transfer.js";
import { openRunStore } from "../../src/storage/run-store.js";
import type { RunResult } from "../../src/training/run-result.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { needs } from "../support/needs.js";
import { snippetsOf } from "../support/pages.js";
import { ensureOnnxRuntime } from "../support/onnx-runtime.js";
import { ENCODER_TRUNK, OWN_TRUNK, type TextProject, textProject } from "../support/text-project.js";

const missing = await ensureOnnxRuntime();

async function train({ dir }: TextProject, settings: string[], options: TrainRunOptions = {}): Promise<RunResult> {
  return trainRun(await loadProject(dir, settings), { backend: "wasm", ...options });
}

async function weightsOf({ run }: RunResult): Promise<number[]> {
  const model = await readLayersModel(join(runFiles(run.dir).checkpoint("last"), "model.json"));
  const values = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  model.dispose();
  return values;
}

/** Runs `work` while nothing of the project's encoder is there. */
async function withoutFiles<T>({ dir }: TextProject, work: () => Promise<T>): Promise<T> {
  renameSync(join(dir, "encoder"), join(dir, "away"));
  try {
    return await work();
  } finally {
    renameSync(join(dir, "away"), join(dir, "encoder"));
  }
}

describe("a run behind an ONNX text encoder", () => {
  needs(missing);
  let project: TextProject;
  let first: RunResult;
  const store = () => join(project.dir, ".cool");
  const ask = async <T>(work: (run: Awaited<ReturnType<typeof loadRun>>) => Promise<T>, from = store()): Promise<T> => {
    const run = await loadRun(from, "first", { backend: "wasm", project: project.dir });
    return work(run).finally(() => run.close());
  };
  beforeAll(async () => {
    project = textProject(ENCODER_TRUNK, missing === null);
    if (missing === null) first = await train(project, [], { name: "first" });
  });
  afterAll(() => project.remove());

  test("keeps encoder and tokenizer in the store by their content, and says what feeds the network", () => {
    const { externals, inputs } = readRunConfig(first.run.dir);
    expect(externals?.parts).toMatchObject([{ name: "text.onnx", input: "text", shape: [12], preprocessing: {} }]);
    expect(externals?.unread).toEqual(["text"]);
    const { text } = inputs;
    if (text?.kind !== "tokens" || text.tokenizer === undefined) throw new Error("no tokenizer");
    expect(text).toMatchObject({ maxLength: 24, vocabulary: [], tokenizer: { ids: 375, truncationSide: "right" } });
    expect(readdirSync(join(store(), "models")).sort()).toEqual(
      [`${externals?.parts[0]?.digest}.onnx`, `${text.tokenizer.digest}.tokenizer.json`].sort(),
    );
    const log = readFileSync(join(first.run.dir, "stdout.log"), "utf8");
    expect(log).toMatch(/pretrained: encoder\/model\.onnx up to last_hidden_state \(sha256 [0-9a-f]{12}\), frozen/);
    expect(log).toContain("12 features of each of");
  });

  test("answers texts by themselves or in a table, by its folder and its store alone", async () => {
    const texts = project.letters.slice(0, 5).map(({ text }) => text);
    await withoutFiles(project, async () => {
      const alone = await ask((run) => run.predict(texts));
      const inTable = await ask((run) => run.predict([project.tableFile]));
      expect(alone.map(({ input }) => input)).toEqual(texts);
      expect(alone.map(({ answers }) => answers)).toEqual(inTable.slice(0, 5).map(({ answers }) => answers));
      const [explained] = await ask((run) => run.explain(["With kind regards, I want my money back"]));
      expect(explained?.tree.map(({ path }) => path)).toEqual(["complaint"]);
      // it is its own name
      expect(explained?.text).toBeUndefined();
      const [row] = await ask((run) => run.explain([project.tableFile]));
      expect(row).toMatchObject({ input: "1", text: project.letters[0]?.text });
      await expect(ask((run) => run.tokenField(project.tableFile, "complaint"))).rejects.toThrow("has no gradient");
    });
  });

  test("evaluates a table to what it was evaluated to", async () => {
    const found = await ask((run) => run.evaluate({ table: project.tableFile }));
    const lossOf = (split: string, rows = found) =>
      rows.find((row) => row.split === split && row.task_path === "complaint" && row.metric_name === "loss");
    const kept = await ask((run) => run.evaluate());
    const parts = ["train", "valid", "test"].map((split) => lossOf(split, [...kept]));
    const sum = parts.reduce((total, row) => total + (row?.metric_res ?? Number.NaN) * (row?.num_samples ?? 0), 0);
    expect(lossOf("test")?.metric_res).toBeCloseTo(sum / project.letters.length, 5);
  });

  test("goes on after an interruption to the same weights, bit by bit", async () => {
    const controller = new AbortController();
    const stopped = train(project, [], {
      name: "stopped",
      signal: controller.signal,
      loggers: [{ epoch: ({ epoch }) => epoch === 1 && controller.abort() }],
    });
    await expect(stopped).rejects.toThrow("--resume");
    expect(await weightsOf(await train(project, [], { resume: "stopped" }))).toEqual(await weightsOf(first));
  });

  test("takes tokenizer and encoder along into another store, and is not asked where one is lost or changed", async () => {
    const texts = project.letters.slice(0, 3).map(({ text }) => text);
    const expected = await ask((run) => run.predict(texts));
    const from = openRunStore(store(), { readonly: true });
    const { path } = exportRun(from, "first", join(project.dir, "first.tar.gz"));
    from.close();
    const target = join(project.dir, "elsewhere");
    const into = openRunStore(target);
    expect(importRuns(into, path).added).toHaveLength(1);
    into.close();
    await withoutFiles(project, async () => {
      expect(await ask((run) => run.predict(texts), target)).toEqual(expected);
    });
    const name = readdirSync(join(target, "models")).find((file) => file.endsWith(".tokenizer.json")) ?? "";
    writeFileSync(join(target, "models", name), "{}");
    await expect(ask((run) => run.predict(texts), target)).rejects.toThrow(/which cuts the texts .* has been changed/);
    rmSync(join(target, "models", name));
    await expect(ask((run) => run.predict(texts), target)).rejects.toThrow(/is not in its place: .*Copy it there/);
    expect(existsSync(join(project.dir, "encoder", "tokenizer.json"))).toBe(true);
  });
});

describe("a network of own layers on a tokenizer's ids", () => {
  let project: TextProject;
  beforeAll(() => {
    project = textProject(OWN_TRUNK, false);
  });
  afterAll(() => project.remove());

  test("has an embedding of the tokenizer's size, and answers without the project's files", async () => {
    const { run } = await train(project, []);
    const model = await readLayersModel(join(runFiles(run.dir).checkpoint("best"), "model.json"));
    expect(model.layers.map((layer) => layer.getConfig().inputDim).filter((size) => size !== undefined)).toEqual([376]);
    model.dispose();
    await withoutFiles(project, async () => {
      const asked = await loadRun(join(project.dir, ".cool"), "latest", { backend: "wasm", project: project.dir });
      const [answer] = await asked.predict(["The parcel arrived damaged"]);
      expect(Object.keys(answer?.answers ?? {})).toContain("complaint");
      const field = await asked.tokenField("The parcel", "complaint");
      expect(field.tokens).toEqual(["[CLS]", "the", "parcel", "[SEP]"]);
      asked.close();
    });
  });

  test("check counts the texts that are cut off, and refuses cells without a text", async () => {
    const edit = (from: string, to: string): void => {
      const file = join(project.dir, "cool.config.ts");
      writeFileSync(file, readFileSync(file, "utf8").replace(from, to));
    };
    edit('tokenizer.json" }', 'tokenizer.json", maxLength: 8 }');
    const { warnings } = await checkProject(await loadProject(project.dir));
    expect(warnings).toEqual([
      expect.stringMatching(
        /^input "text": \d+ of 60 texts are longer than 8 tokens, the longest \d+, and are cut off at the end \(maxLength\)$/,
      ),
    ]);
    const table = readFileSync(project.tableFile, "utf8");
    writeFileSync(project.tableFile, `${table}"",1,0\n`);
    await expect(loadProject(project.dir).then((loaded) => checkProject(loaded))).rejects.toThrow(
      /1 text in letters\.csv cannot be read: .*column "text".* is missing; fill it, or give the input missing: "empty"/,
    );
    edit("maxLength: 8 }", 'maxLength: 8, missing: "empty" }');
    await checkProject(await loadProject(project.dir));
  });
});

describe("the configuration of docs/training.md", () => {
  needs(missing);

  test("trains as it stands, with the files where it names them", async () => {
    const project = textProject(ENCODER_TRUNK, missing === null);
    const config = snippetsOf("docs/training.md").find(({ title }) => title === "letters/cool.config.ts");
    writeFileSync(join(project.dir, "cool.config.ts"), config?.text ?? "");
    mkdirSync(join(project.dir, "minilm", "onnx"), { recursive: true });
    renameSync(join(project.dir, "encoder", "tokenizer.json"), join(project.dir, "minilm", "tokenizer.json"));
    renameSync(join(project.dir, "encoder", "model.onnx"), join(project.dir, "minilm", "onnx", "model.onnx"));
    const { evaluation } = await train(project, ["train.epochs=1"]);
    expect(evaluation.map(({ task_path }) => task_path)).toContain("refund");
    project.remove();
  });
});
