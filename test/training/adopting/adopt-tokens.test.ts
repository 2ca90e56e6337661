/** @file A model of PyTorch that reads words becomes a run; what a run of words exports answers as it does. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluateExport, evaluateRunOn } from "../../../src/asking/exports/evaluate-labelled.js";
import { findExport } from "../../../src/asking/exports/open-export.js";
import { loadRun } from "../../../src/asking/load-run.js";
import { tokens } from "../../../src/data/inputs/inputs.js";
import { entrancesOf } from "../../../src/engine/inference/onnx/feeds.js";
import { loadProject } from "../../../src/project/load-project.js";
import { shipRun } from "../../../src/shipping/export-run.js";
import { openRunStore } from "../../../src/storage/run-store.js";
import { adoptRun } from "../../../src/training/adopting/adopt-run.js";
import { trainRun } from "../../../src/training/train-run.js";
import { writeFiles } from "../../support/folders.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../../support/onnx-runtime.js";

const noOnnx = await ensureOnnxRuntime();
const fixture = (name: string): string => fileURLToPath(new URL(`../../../fixtures/torch/${name}`, import.meta.url));
const torch: { readonly rows: readonly { ids: readonly number[]; logits: Readonly<Record<string, number[]>> }[] } =
  JSON.parse(readFileSync(fixture("adopted-tokens.json"), "utf8"));

const VOCABULARY = ["<unknown>", "ann", "dog", "runs", "who"];
const CONFIG = `import { binary, classification, defineProject, defineTasks, idCount, maskPadding, poolTokens, tokens } from "dnn-cool";
const words = tokens({ column: "words", vocabulary: ${JSON.stringify(VOCABULARY)}, maxLength: 8 });
const tasks = defineTasks({
  features: ["words", "sentence"],
  tasks: { kind: classification({ classes: ["a", "b", "c"], per: "token" }), named: binary({ per: "token" }), question: binary() },
}).flow("main", (flow, x, out) => {
  out.add(flow.kind(x.words));
  out.add(flow.question(x.sentence));
  out.add(flow.named(x.words).given(out.question));
});
export default defineProject({
  name: "words",
  tasks,
  flow: "main",
  data: { table: "rows.jsonl", inputs: { words }, split: { column: "split" } },
  trunk: ({ words: ids }, layers) => {
    const embedded = layers.embedding({ inputDim: idCount(words), outputDim: 4 }).apply(ids);
    const seen = layers.dense({ units: 6, activation: "tanh" }).apply(maskPadding(layers, embedded, ids));
    return { words: seen, sentence: poolTokens(layers, seen, ids, "average") };
  },
  train: { epochs: 1, batchSize: 8 },
});
`;

const SPLITS = ["train", "train", "valid", "test"];

/** The sentences of the fixture over and over, labelled by rules. */
const ROWS = Array.from({ length: 40 }, (_, row) => {
  const ids = torch.rows[row % torch.rows.length]?.ids ?? [];
  const question = Number(ids.includes(5));
  return {
    words: ids.map((id) => VOCABULARY[id - 1]).join(" "),
    kind: ids.map((id) => ["a", "b", "c"][id % 3]),
    question,
    named: ids.map((id) => (question === 1 ? Number(id === 2) : null)),
    split: SPLITS[Math.floor(row / 5) % 4],
  };
});

describe("a model of as many tokens as it says", () => {
  const needs = {
    ...{ model: "fixed.onnx", names: {}, preprocessing: {}, beside: [] },
    inputs: { words: tokens({ column: "words", vocabulary: VOCABULARY, maxLength: 8 }) },
  };
  const ids = (length: number | string) => [{ name: "ids", isTensor: true, type: "int64", shape: ["batch", length] }];

  it("is refused with what to change, and one of any number is fed", () => {
    expect(() => entrancesOf(ids(16), needs)).toThrow(
      /fixed\.onnx takes 16 tokens of every row.*int64 \[batch, 16\].*free second axis/,
    );
    const fed = entrancesOf(ids("length"), needs)
      .get("ids")
      ?.feed(Int32Array.of(1, 2, 3, 0), 2);
    expect(fed).toEqual({ type: "int64", data: BigInt64Array.of(1n, 2n, 3n, 0n), dims: [2, 2] });
  });
});

describe.skipIf(noOnnx !== null)("a model that reads words", () => {
  const dir = mkdtempSync(join(tmpdir(), "cool-words-"));
  const store = join(dir, ".cool");
  const table = join(dir, "rows.jsonl");
  beforeAll(() => {
    writeFiles(dir, { "cool.config.ts": CONFIG, "rows.jsonl": ROWS.map((row) => JSON.stringify(row)).join("\n") });
    linkOnnxRuntime(dir);
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  async function ship(run: string, to: string): Promise<void> {
    const open = openRunStore(store, { readonly: true });
    try {
      await shipRun(open, run, { format: "onnx", to });
    } finally {
      open.close();
    }
  }

  async function expectSame(path: string, run: string): Promise<void> {
    const found = await findExport(path);
    if (found === null) throw new Error(`${path} is no export`);
    const own = await evaluateExport(found, table, { project: dir });
    const expected = await evaluateRunOn(store, run, table, { project: dir });
    expect(own.evaluation.length).toBe(expected.evaluation.length);
    own.evaluation.forEach(({ metric_res }, i) => {
      expect(metric_res ?? -1).toBeCloseTo(expected.evaluation[i]?.metric_res ?? -1, 5);
    });
  }

  it("of PyTorch answers with its logits, also beside longer rows", async () => {
    await adoptRun(await loadProject(dir), fixture("adopted-tokens.onnx"), { name: "torch" });
    const run = await loadRun(store, "torch", { project: dir });
    const file = join(dir, "five.jsonl");
    writeFileSync(
      file,
      ROWS.slice(0, torch.rows.length)
        .map((row) => JSON.stringify(row))
        .join("\n"),
    );
    const { scored } = await run.score([file]);
    run.close();
    for (const { task, kept } of scored.tasks) {
      const expected = torch.rows.flatMap(({ logits }) => logits[task.path] ?? []);
      const own = kept.kind === "logits" ? kept.logits : [];
      expect(own).toHaveLength(expected.length);
      expected.forEach((logit, i) => {
        expect(own[i]).toBeCloseTo(logit, 4);
      });
    }
    await ship("torch", join(dir, "torch-shipped"));
    await expectSame(join(dir, "torch-shipped"), "torch");
  });

  it("of our own is exported, evaluated, and adopted again", async () => {
    await trainRun(await loadProject(dir), { name: "own" });
    const file = join(dir, "own.onnx");
    await ship("own", file);
    await expectSame(file, "own");
    const copy = join(dir, "copy.onnx");
    copyFileSync(file, copy);
    await adoptRun(await loadProject(dir), copy, { name: "again" });
    await expectSame(file, "again");
  });
});
