/** @file Tasks per token in a project: what is refused, what predictions keep, how they are shown and compared. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareSamples } from "../../src/analysis/comparison/compare-samples.js";
import { explainRow } from "../../src/analysis/explanation/explain.js";
import { bestAndWorst } from "../../src/analysis/interpret.js";
import { tokenAt } from "../../src/analysis/row-or-token.js";
import { scoreSplit } from "../../src/analysis/score.js";
import type { InputSpec } from "../../src/data/dataset.js";
import { idCount, numeric, tokenizer, tokens } from "../../src/data/inputs/inputs.js";
import { readParquet } from "../../src/data/tables/table-writer.js";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import { ConfigError, UnknownNameError } from "../../src/errors.js";
import { defineTasks } from "../../src/flow/define.js";
import { offsetsOf } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import { loadRun } from "../../src/asking/load-run.js";
import { readPredictions } from "../../src/records/predictions/read.js";
import { writePredictions } from "../../src/records/predictions/write.js";
import { defineProject, type ProjectDefinition } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { binary, classification, maskedLanguageModeling } from "../../src/tasks/index.js";
import { tokenizerFixtures } from "../support/text-project.js";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "token-tasks-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("a project whose tasks per token do not fit its inputs", () => {
  const text = tokens({ column: "text", vocabulary: ["a"], maxLength: 3, mask: true });
  const resolve = (inputs: Readonly<Record<string, InputSpec>>, input = "text", uses = 1) => {
    const tasks = defineTasks({
      features: ["f"],
      tasks: { noun: binary({ per: "token" }), hidden: maskedLanguageModeling({ input }) },
    }).flow("main", (flow, x, out) => {
      out.add(flow.noun(x.f));
      for (let i = 0; i < uses; i++) out.add(flow.hidden(x.f).as(`hidden_${i}`));
    });
    const definition = { name: "p", tasks, flow: "main", data: { table: "t.csv", inputs }, trunk: () => ({}) };
    return () => resolveProject({ definition: definition as unknown as ProjectDefinition });
  };

  it("is refused with the task and the way out", () => {
    expect(resolve({ text })().graph.tasks).toHaveLength(2);
    expect(resolve({ age: numeric({ columns: ["age"] }) }, "text", 0)).toThrow(
      'the task "noun" is asked of every token, but there is no token input. Give data.inputs exactly one tokens({ … }).',
    );
    expect(resolve({ text, more: { ...text, column: "more" } })).toThrow("but there are several: text, more.");
    expect(resolve({ text }, "txt")).toThrow(UnknownNameError);
    expect(resolve({ text, age: numeric({ columns: ["age"] }) }, "age")).toThrow(
      'the task "hidden_0" masks tokens of "age", which is of the kind numeric.',
    );
    expect(resolve({ text: { ...text, mask: false } })).toThrow(
      "which has no id for a masked token. Declare it with tokens({ …, mask: true }), and give its embedding inputDim: idCount(…), which counts that id.",
    );
    expect(resolve({ text }, "text", 2)).toThrow('the flow masks tokens twice, for "hidden_0" and "hidden_1".');
    expect(resolve({ text })).not.toThrow(ConfigError);
  });

  it("is refused where a tokenizer cuts the words, with why and both ways out", () => {
    copyFileSync(join(tokenizerFixtures, "wordpiece.json"), join(dir, "tokenizer.json"));
    const pieces = tokenizer({ column: "text", file: join(dir, "tokenizer.json"), maxLength: 24 });
    const { tokenizer: spec } = pieces;
    if (spec === undefined) throw new Error("no tokenizer");
    const refused = resolve({ text: pieces }, "text", 0);
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(
      'the task "noun" is asked of every token, but "text" is read by a tokenizer as whole texts, of which it makes pieces that have no labels. Give it words: true: the column then holds words, each with one label, which belongs to its first piece. Or ask once per text: leave out per.',
    );
    expect(resolve({ text: { ...pieces, tokenizer: { ...spec, words: true } } }, "text", 0)).not.toThrow();
  });
});

const graph = traceFlow(
  defineTasks({
    features: ["words", "row"],
    tasks: {
      polite: binary(),
      part: classification({ classes: ["noun", "verb"], per: "token" }),
      name: binary({ per: "token" }),
    },
  }).flow("main", (flow, x, out) => {
    out.add(flow.polite(x.row));
    out.add(flow.part(x.words));
    out.add(flow.name(x.words).given(out.polite.and(out.part.is("noun"))));
  }),
  "main",
);

/** Rows of 2, 0 and 3 tokens; the last is not polite by its label, but by the network's answer. */
function outputs() {
  const labelsOf = (...answers: number[]) => ({ answers: Float32Array.from(answers), unitScale: null });
  return {
    split: "valid" as const,
    ids: ["first", "second", "third"],
    offsets: offsetsOf([2, 0, 3]),
    outputs: [
      Float32Array.of(3, 3, 3),
      // noun, noun | verb, noun, noun
      Float32Array.of(2, 0, 3, 0, 0, 2, 2, 0, 1, 0),
      Float32Array.of(-1, 2, 2, 2, -2),
    ],
    labels: [labelsOf(1, 1, 0), labelsOf(0, 1, 1, 0, Number.NaN), labelsOf(0, 1, 1, 1, 1)],
  };
}
const THRESHOLDS = [[0.5], [], [0.5]];

describe("answers per token", () => {
  const scored = scoreSplit(graph, outputs(), THRESHOLDS);

  it("are active by labels and by answers, position by position", () => {
    const masks = (key: "activeTruth" | "activePredicted") => scored.tasks.map((task) => [...task[key]]);
    expect(masks("activeTruth")).toEqual([
      [1, 1, 1],
      [1, 1, 1, 1, 1],
      [1, 0, 0, 0, 0],
    ]);
    expect(masks("activePredicted")).toEqual([
      [1, 1, 1],
      [1, 1, 1, 1, 1],
      [1, 1, 0, 1, 1],
    ]);
  });

  it("come back from the table as they were, rows without tokens too", async () => {
    const file = join(dir, "valid.parquet");
    await writePredictions(file, scored);
    const back = await readPredictions(file, graph, "valid");
    expect(back).toEqual(outputs());
    const [samples, positions] = await readParquet(
      file,
      ["sample", "position", "task_path"],
      "task_path, row, position",
    );
    expect(samples?.map((sample, i) => [sample, positions?.[i] ?? null]).slice(0, 6)).toEqual([
      ["first", 0],
      ["first", 1],
      ["second", null],
      ["third", 0],
      ["third", 1],
      ["third", 2],
    ]);
  });

  it("are the best and worst of a task by the name of their token", () => {
    const [, part] = bestAndWorst(graph, scored, 2);
    // −log softmax: log(1 + e^(other − own))
    expect(part?.worst.map(({ id, row, position, loss }) => [id, row, position, loss])).toEqual([
      ["first[1]", 0, 1, expect.closeTo(Math.log(1 + Math.exp(3)), 5)],
      ["first[0]", 0, 0, expect.closeTo(Math.log(1 + Math.exp(-2)), 5)],
    ]);
    expect(part?.best[0]).toMatchObject({ id: "first[0]", label: "noun", prediction: "noun" });
    expect(part?.best).toHaveLength(2);
  });

  it("are explained with their places, where they are asked", () => {
    const [polite, part] = explainRow(graph, scored, 2);
    expect(polite?.path).toBe("polite");
    expect(part).toMatchObject({ path: "part", decoded: ["verb", "noun", "noun"], positions: [0, 1, 2], tokens: 3 });
    expect(part?.children[0]).toMatchObject({ path: "name", decoded: [true, false], positions: [1, 2], tokens: 3 });
    // a row without tokens has no answer
    expect(explainRow(graph, scored, 1).map(({ path }) => path)).toEqual(["polite"]);
  });

  it("are compared token by token between two runs", () => {
    const better = outputs();
    better.outputs[1]?.set([0, 3], 2);
    const { tasks } = compareSamples(scored, scoreSplit(graph, better, THRESHOLDS), {
      gates: "truth",
      top: 5,
      randomOf: () => () => 0,
    });
    const part = tasks.find(({ task_path }) => task_path === "part");
    expect(part).toMatchObject({ n: 4, values: [0.75, 1] });
    expect(part?.better.samples.map(({ sample }) => sample)).toEqual(["first[1]"]);
  });
});

describe("a position", () => {
  it("belongs to the row that has it, past rows without tokens", () => {
    const offsets = offsetsOf([0, 2, 0, 0, 3, 0]);
    expect([0, 1, 2, 3, 4].map((token) => tokenAt(offsets, token))).toEqual([
      { row: 1, position: 0 },
      { row: 1, position: 1 },
      { row: 4, position: 0 },
      { row: 4, position: 1 },
      { row: 4, position: 2 },
    ]);
  });
});

describe("a run that only trains on hidden tokens, with its vocabulary in a file", () => {
  const words = ["the", "a", "dog", "cat", "sits", "runs"];
  const text = tokens({ column: "text", vocabulary: "words.txt", maxLength: 6, mask: true });
  const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) => layer.apply(x) as SymbolicTensor;
  const project = defineProject({
    name: "hidden",
    tasks: defineTasks({
      features: ["f"],
      tasks: { hidden: maskedLanguageModeling({ input: "text" }), noun: binary({ per: "token" }) },
    }).flow("main", (flow, x, out) => {
      out.add(flow.hidden(x.f));
      out.add(flow.noun(x.f));
    }),
    flow: "main",
    data: { table: "words.csv", inputs: { text }, split: { train: 0.7, valid: 0.3, test: 0, seed: 1 } },
    trunk: (inputs, layers, specs) => ({
      f: apply(layers.embedding({ inputDim: idCount(specs.text), outputDim: 4 }), inputs.text),
    }),
    train: { epochs: 3, batchSize: 8 },
  });
  const train = (store: string, options: Parameters<typeof trainRun>[1] = {}) =>
    trainRun(resolveProject(project, { projectDir: dir }), { store: join(dir, store), backend: "wasm", ...options });

  beforeAll(() => {
    writeFileSync(join(dir, "words.txt"), `${words.join("\n")}\n`);
    const lines = Array.from({ length: 60 }, (_, i) => {
      const sentence = Array.from({ length: 1 + (i % 6) }, (_, k) => words[(i * 5 + k * 3) % 6] as string);
      return `${sentence.join(" ")},"[${sentence.map((word) => Number(word === "dog" || word === "cat")).join(",")}]"`;
    });
    writeFileSync(join(dir, "words.csv"), `text,noun\n${lines.join("\n")}\n`);
  });

  it("ends with the same weights when it is stopped in the middle of an epoch and resumed", async () => {
    const straight = await train("straight");
    const stop = new AbortController();
    let steps = 0;
    const stopping = { step: () => void (++steps === 8 && stop.abort()) };
    await expect(train("resumed", { signal: stop.signal, loggers: [stopping] })).rejects.toThrow("Interrupted");
    const resumed = await train("resumed", { resume: "latest" });
    const weights = (runDir: string) => readFileSync(join(runDir, "checkpoints", "last", "weights.bin"));
    expect(weights(resumed.run.dir).equals(weights(straight.run.dir))).toBe(true);
  });

  it("says nothing of hidden tokens on valid, and answers without them", async () => {
    const store = openRunStore(join(dir, "straight"), { readonly: true });
    try {
      const run = store.findRun("latest");
      expect(store.readEvaluation(run.id).filter(({ task_path }) => task_path === "hidden")).toEqual([]);
    } finally {
      store.close();
    }
    const loaded = await loadRun(join(dir, "straight"), "latest", { backend: "wasm" });
    try {
      const [answer] = await loaded.predict(["SELECT 'the dog' AS text"]);
      expect(Object.keys(answer?.answers ?? {})).toEqual(["noun"]);
      expect(answer?.answers.noun?.decoded).toHaveLength(2);
    } finally {
      loaded.close();
    }
  });
});
