/** @file The sentences' example learns from neighbours: better than counting words, better than the commonest class. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawSentence, PARTS, type Sentence, seededNumbers, VOCABULARY } from "../../examples/tokens/generate.js";
import { loadLabels } from "../../src/data/load.js";
import { evaluateRun } from "../../src/asking/evaluate-run.js";
import { loadRun } from "../../src/asking/load-run.js";
import type { LoadedProject } from "../../src/project/resolve-project.js";
import { loadProject } from "../../src/project/load-project.js";
import type { RunResult } from "../../src/training/run-result.js";
import { trainRun } from "../../src/training/train-run.js";
import { tuneRun } from "../../src/asking/tune-run.js";
import { openRunStore } from "../../src/storage/run-store.js";

describe("sentences", () => {
  it("are aligned with their labels, and keep to the vocabulary", () => {
    const next = seededNumbers(3);
    for (let i = 0; i < 500; i++) {
      const sentence = drawSentence(next);
      const words = sentence.text.split(" ");
      for (const word of words) expect(VOCABULARY).toContain(word);
      for (const labels of [sentence.part, sentence.person, sentence.asks]) expect(labels).toHaveLength(words.length);
      expect(words.length).toBeLessThanOrEqual(16);
    }
    expect(new Set(VOCABULARY).size).toBe(VOCABULARY.length);
  });
});

describe("a run of the example", () => {
  let dir = "";
  let project: LoadedProject;
  let run: RunResult;
  let sentences: readonly Sentence[];
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "tokens-"));
    const folder = join(dir, "project");
    cpSync(fileURLToPath(new URL("../../examples/tokens", import.meta.url)), folder, { recursive: true });
    rmSync(join(folder, ".cool"), { recursive: true, force: true });
    project = await loadProject(folder);
    run = await trainRun(project, { store: join(dir, "store"), backend: "wasm" });
    const lines = readFileSync(join(folder, "sentences.jsonl"), "utf8").trim().split("\n");
    sentences = lines.map((line) => JSON.parse(line) as Sentence);
  }, 120_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const metricOf = (rows: RunResult["evaluation"], task: string, metric: string, gates = "truth", split = "valid") =>
    rows.find(
      (row) => row.split === split && row.task_path === task && row.metric_name === metric && row.gates === gates,
    )?.metric_res as number;

  it("guesses hidden words better than a unigram model does", async () => {
    const { graph, inputs, projectDir, settings } = project;
    const { splits } = await loadLabels({
      graph,
      inputs,
      projectDir,
      table: settings.data.table,
      split: settings.data.split,
    });
    const wordsOf = (rows: Int32Array) => [...rows].flatMap((row) => (sentences[row] as Sentence).text.split(" "));
    // counts of the training words, and what they say of the words of valid: every word occurs in both
    const counts = new Map<string, number>();
    const [train, valid] = [wordsOf(splits.train), wordsOf(splits.valid)];
    for (const word of train) counts.set(word, (counts.get(word) ?? 0) + 1);
    const negativeLogLikelihood = valid.map((word) => -Math.log((counts.get(word) as number) / train.length));
    const unigram = Math.exp(negativeLogLikelihood.reduce((a, b) => a + b, 0) / valid.length);
    const perplexity = metricOf(run.evaluation, "hidden_word", "perplexity");
    expect(perplexity).toBeLessThan(0.5 * unigram);
    expect(perplexity).toBeCloseTo(Math.exp(metricOf(run.evaluation, "hidden_word", "loss")), 6);
  });

  it("answers about words and sentences better than the commonest answer", () => {
    const parts = sentences.flatMap(({ part }) => part.filter((one) => one !== null));
    const commonest = Math.max(...PARTS.map((part) => parts.filter((one) => one === part).length)) / parts.length;
    expect(metricOf(run.evaluation, "part", "accuracy_1")).toBeGreaterThan(Math.max(0.9, commonest));
    expect(metricOf(run.evaluation, "person", "accuracy")).toBeGreaterThan(0.9);
    expect(metricOf(run.evaluation, "person", "accuracy", "predicted")).toBeGreaterThan(0.9);
    expect(metricOf(run.evaluation, "request", "accuracy")).toBeGreaterThan(0.9);
    expect(metricOf(run.evaluation, "asks", "accuracy")).toBeGreaterThan(0.9);
  });

  it("evaluates the same from its folder, and tuning keeps what is said of hidden words", async () => {
    const store = openRunStore(join(dir, "store"));
    try {
      const { evaluation } = await evaluateRun(store, "latest");
      for (const row of run.evaluation) {
        const stored = evaluation.find(
          ({ split, task_path, metric_name, gates }) =>
            split === row.split &&
            task_path === row.task_path &&
            metric_name === row.metric_name &&
            gates === row.gates,
        );
        expect([row, stored?.num_samples]).toEqual([row, row.num_samples]);
        if (row.metric_res !== null) expect(stored?.metric_res).toBeCloseTo(row.metric_res, 4);
      }
      await tuneRun(store, "latest", "accuracy");
      const kept = store.readEvaluation(run.run.id);
      expect(metricOf(kept, "hidden_word", "perplexity")).toBe(metricOf(run.evaluation, "hidden_word", "perplexity"));
    } finally {
      store.close();
    }
  });

  it("answers new sentences word by word, asking each question where it has a meaning", async () => {
    const loaded = await loadRun(join(dir, "store"), "latest", { backend: "wasm" });
    try {
      const table =
        "SELECT * FROM (VALUES ('please the baker eats a fresh apple ?'), ('the ship stops a wheel .')) t(text)";
      const [request, statement] = await loaded.predict([table]);
      expect(request?.answers.part?.decoded).toEqual([
        ...["polite", "determiner", "noun", "verb", "determiner", "adjective", "noun", "mark"],
      ]);
      expect(request?.answers.person?.decoded).toEqual([null, null, true, null, null, null, false, null]);
      expect(request?.answers.asks?.decoded).toEqual([true, false, false, false, false, false, false, true]);
      expect(statement?.answers.asks).toBeUndefined();
      expect(Object.keys(statement?.answers ?? {})).toEqual(["part", "person", "request"]);
      const [explained] = await loaded.explain([table]);
      expect(loaded.print(explained as NonNullable<typeof explained>).split("\n")).toEqual([
        "├── 1: please the baker eats a fresh apple ?",
        expect.stringContaining(
          "part | decoded: [1 please: polite, 2 the: determiner, 3 baker: noun, 4 eats: verb, 5 a: determiner, 6 fresh: adjective, 7 apple: noun, 8 ?: mark] of 8 tokens",
        ),
        expect.stringContaining("person | decoded: [3 baker: True, 7 apple: False] of 8 tokens"),
        expect.stringContaining("request | decoded: [True]"),
        expect.stringContaining("asks | decoded: [1 please: True, 2 the: False,"),
      ]);
    } finally {
      loaded.close();
    }
  });
});
