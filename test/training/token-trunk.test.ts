/** @file Tasks per token behind a frozen ONNX text encoder: a label per word, on the first of its pieces. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluateExport } from "../../src/asking/exports/evaluate-labelled.js";
import { findExport } from "../../src/asking/exports/open-export.js";
import { loadRun } from "../../src/asking/load-run.js";
import { readLayersModel } from "../../src/engine/model/transfer.js";
import { loadProject } from "../../src/project/load-project.js";
import { runFiles } from "../../src/records/run-folder.js";
import { shipRun } from "../../src/shipping/export-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import type { RunResult } from "../../src/training/run-result.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { needs } from "../support/needs.js";
import { ensureOnnxRuntime, linkOnnxRuntime } from "../support/onnx-runtime.js";
import { snippetsOf } from "../support/pages.js";
import { servedApp } from "../support/served.js";
import { tokenizerFixtures } from "../support/text-project.js";

const missing = await ensureOnnxRuntime();

const CONFIG = `import { binary, classification, defineProject, defineTasks, pretrained, sequential, tokenizer } from "dnn-cool";

const tasks = defineTasks({
  features: ["letter", "word"],
  tasks: {
    complaint: binary(),
    kind: classification({ per: "token", classes: ["other", "thing", "state"] }),
    broken: binary({ per: "token" }),
  },
}).flow("letters", (flow, x, out) => {
  out.add(flow.complaint(x.letter));
  out.add(flow.kind(x.word).given(out.complaint));
  out.add(flow.broken(x.word).given(out.kind.is("state")));
});

const encoder = { model: "encoder/model.onnx" };

export default defineProject({
  name: "words",
  tasks,
  flow: "letters",
  data: {
    table: "words.csv",
    inputs: { text: tokenizer({ column: "words", file: "encoder/tokenizer.json", words: true, maxLength: 12 }) },
    split: { train: 0.7, valid: 0.15, test: 0.15, seed: 7 },
  },
  trunk: ({ text }, layers) => ({
    letter: pretrained(encoder)(text, layers),
    word: sequential([layers.dense({ units: 8, activation: "relu" })])(
      pretrained({ ...encoder, pooling: "none" })(text, layers),
      layers,
    ),
  }),
  train: { epochs: 2, batchSize: 16, optimizer: { kind: "adamw", learningRate: 1e-2 } },
});
`;

const THINGS = ["parcel", "door", "invoice", "camera"];
const STATES = ["damaged", "locked", "wrong", "open"];

/** Words, the kind of each, and which states are broken ones. */
interface Sentence {
  readonly words: readonly string[];
  readonly kinds: readonly (string | null)[];
  readonly broken: readonly (number | null)[];
}

function sentences(count: number): Sentence[] {
  return Array.from({ length: count }, (_, i) => {
    const [thing = "", state = ""] = [THINGS[i % 4], STATES[(i >> 1) % 4]];
    if (i % 3 === 0) return { words: ["Thank", "you"], kinds: [], broken: [] };
    const words = ["The", thing, "is", state, ...(i % 2 === 0 ? ["again"] : [])];
    const kinds = words.map((word) => (word === thing ? "thing" : word === state ? "state" : "other"));
    const broken = words.map((word) => (word === state ? Number(word === "damaged") : null));
    return { words, kinds: i === 1 ? [null, ...kinds.slice(1)] : kinds, broken };
  });
}

/** As lists and as text, which are read alike. */
function cells({ words, kinds, broken }: Sentence): string {
  const list = (values: readonly unknown[]): string => `"${JSON.stringify(values).replaceAll('"', '""')}"`;
  const asked = kinds.length > 0;
  return `${words.join(" ")},${Number(asked)},${asked ? list(kinds) : ""},${asked ? list(broken) : ""}`;
}

describe("tasks per token behind an ONNX encoder", () => {
  needs(missing);
  const own = sentences(60);
  let dir = "";
  let first: RunResult;
  const train = async (settings: string[], options: TrainRunOptions = {}): Promise<RunResult> =>
    trainRun(await loadProject(dir, settings), { backend: "wasm", ...options });
  const ask = async <T>(work: (run: Awaited<ReturnType<typeof loadRun>>) => Promise<T>): Promise<T> => {
    const run = await loadRun(join(dir, ".cool"), "first", { backend: "wasm", project: dir });
    return work(run).finally(() => run.close());
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "cool-words-"));
    mkdirSync(join(dir, "encoder"));
    if (missing !== null) return;
    linkOnnxRuntime(dir);
    copyFileSync(join(tokenizerFixtures, "encoder.onnx"), join(dir, "encoder", "model.onnx"));
    copyFileSync(join(tokenizerFixtures, "wordpiece.json"), join(dir, "encoder", "tokenizer.json"));
    writeFileSync(join(dir, "cool.config.ts"), CONFIG);
    writeFileSync(join(dir, "words.csv"), `words,complaint,kind,broken\n${own.map(cells).join("\n")}\n`);
    first = await train([], { name: "first" });
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test("each labelled word is counted once, whatever it is cut into", () => {
    const counted = (task: string, metric: string): number =>
      first.evaluation
        .filter((row) => row.task_path === task && row.metric_name === metric && row.gates === "truth")
        .reduce((sum, row) => sum + row.num_samples, 0);
    const labelled = own.flatMap(({ kinds }) => kinds.filter((kind) => kind !== null));
    const log = readFileSync(join(first.run.dir, "stdout.log"), "utf8");
    expect(log).toContain("12 features of each token of");
    expect(labelled.length).toBeGreaterThan(150);
    expect(counted("kind", "accuracy_1")).toBe(labelled.length);
  });

  test("evaluates the whole table over its labelled words alone", async () => {
    const rows = await ask((run) => run.evaluate({ table: join(dir, "words.csv") }));
    const samples = (task: string): number | undefined =>
      rows.find((row) => row.task_path === task && row.metric_name === "loss" && row.gates === "truth")?.num_samples;
    expect(samples("kind")).toBe(own.flatMap(({ kinds }) => kinds.filter((kind) => kind !== null)).length);
    expect(samples("broken")).toBe(own.flatMap(({ broken }) => broken.filter((one) => one !== null)).length);
    expect(samples("complaint")).toBe(own.length);
  });

  test("answers every piece, and shows them beside the answers", async () => {
    const [answer] = await ask((run) => run.predict(["The camera is damaged"]));
    // the pieces of the fixture's WordPiece: [CLS] the camera is damaged [SEP]
    expect(answer?.answers.kind?.decoded).toHaveLength(6);
    const [explained] = await ask((run) => run.explain(["The camera is damaged"]));
    expect(explained?.text).toBe("[CLS] the camera is damaged [SEP]");
    expect(explained?.tree.map(({ path }) => path)).toEqual(["complaint"]);
  });

  test("an ONNX export of it has encoder and heads in one file, and evaluates alike", async () => {
    const store = openRunStore(join(dir, ".cool"), { readonly: true });
    const to = join(dir, "shipped");
    await shipRun(store, "first", { format: "onnx", to, project: dir }).finally(() => store.close());
    const found = await findExport(to);
    if (found === null) throw new Error("no export");
    const table = join(dir, "words.csv");
    const { evaluation } = await evaluateExport(found, table, { project: dir });
    const losses = await ask((run) => run.evaluate({ table }));
    for (const path of ["complaint", "kind", "broken"]) {
      const lossIn = (rows: typeof losses) =>
        rows.find(
          ({ task_path, metric_name, gates }) => task_path === path && metric_name === "loss" && gates === "truth",
        );
      expect(lossIn(evaluation)?.metric_res).toBeCloseTo(lossIn(losses)?.metric_res ?? Number.NaN, 5);
    }
  });

  test("is served with texts, words or ids", async () => {
    const app = await servedApp("first", join(dir, ".cool"), { project: dir });
    const answersTo = async (text: unknown): Promise<unknown> => {
      const { json } = await app.post("/predict", JSON.stringify({ inputs: [{ text }] }), {
        "content-type": "application/json",
      });
      return (json as { predictions: { answers: unknown }[] }).predictions[0]?.answers;
    };
    const [whole, words] = [
      await answersTo("The camera is damaged"),
      await answersTo(["The", "camera", "is", "damaged"]),
    ];
    await app.close();
    expect(words).toBeDefined();
    expect(words).toEqual(whole);
  });

  test("a later run computes nothing again, and one that was interrupted ends with the same weights", async () => {
    const controller = new AbortController();
    const stopped = train([], {
      name: "stopped",
      signal: controller.signal,
      loggers: [{ epoch: ({ epoch }) => epoch === 1 && controller.abort() }],
    });
    await expect(stopped).rejects.toThrow("--resume");
    const resumed = await train([], { resume: "stopped" });
    expect(readFileSync(join(resumed.run.dir, "stdout.log"), "utf8")).not.toContain("features of each token");
    expect(await weightsOf(resumed)).toEqual(await weightsOf(first));
  });

  test("labels that are not as many as the words are refused with both counts", async () => {
    const file = join(dir, "words.csv");
    const table = readFileSync(file, "utf8");
    writeFileSync(file, `${table}The door is open,1,"[""other""]",\n`);
    await expect(train([])).rejects.toThrow("has 1 label, but the row has 4 words; give one per word");
    writeFileSync(file, table);
  });
});

describe("the configuration of docs/training.md for words", () => {
  needs(missing);

  test("trains as it stands, on a table of lists", async () => {
    const dir = mkdtempSync(join(tmpdir(), "cool-words-"));
    linkOnnxRuntime(dir);
    mkdirSync(join(dir, "minilm", "onnx"), { recursive: true });
    copyFileSync(join(tokenizerFixtures, "encoder.onnx"), join(dir, "minilm", "onnx", "model.onnx"));
    copyFileSync(join(tokenizerFixtures, "wordpiece.json"), join(dir, "minilm", "tokenizer.json"));
    const config = snippetsOf("docs/training.md").find(({ title }) => title === "words/cool.config.ts");
    writeFileSync(join(dir, "cool.config.ts"), config?.text ?? "");
    const rows = Array.from({ length: 40 }, (_, i) => ({
      words: i % 2 === 0 ? ["Ada", "met", "Max"] : ["Paris", "is", "far"],
      kind: i % 2 === 0 ? ["person", "other", "person"] : ["place", "other", "other"],
      living: i % 2 === 0 ? [false, null, true] : null,
    }));
    writeFileSync(join(dir, "sentences.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const { evaluation } = await trainRun(await loadProject(dir, ["train.epochs=1"]), { backend: "wasm" });
    const counted = (task: string) =>
      evaluation
        .filter((row) => row.task_path === task && row.metric_name === "loss" && row.gates === "truth")
        .reduce((sum, row) => sum + row.num_samples, 0);
    expect([counted("kind"), counted("living")]).toEqual([40 * 3, 20 * 2]);
    rmSync(dir, { recursive: true, force: true });
  });
});

async function weightsOf({ run }: RunResult): Promise<number[]> {
  const model = await readLayersModel(join(runFiles(run.dir).checkpoint("last"), "model.json"));
  const values = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  model.dispose();
  return values;
}
