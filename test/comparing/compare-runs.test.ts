/** @file Runs of a real store compared: facts, groups, curves, samples, and the tables they are shown in. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { scoreSplit } from "../../src/analysis/score.js";
import { comparisonRows, comparisonView, factTables, metricTable } from "../../src/cli/tables/comparison-tables.js";
import { differencesTable, flipsTable, samplesSummary, samplesTable } from "../../src/cli/tables/sample-tables.js";
import { defineTasks } from "../../src/flow/define.js";
import { traceFlow } from "../../src/flow/trace.js";
import {
  type ComparedWithFirst,
  compareRunSamples,
  compareRunsWithFirst,
} from "../../src/comparing/compare-run-samples.js";
import type { CoolError } from "../../src/errors.js";
import { compareRuns } from "../../src/comparing/compare-runs.js";
import { writePredictions } from "../../src/records/predictions/write.js";
import type { RunStore } from "../../src/storage/run-store.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";
import { binary } from "../../src/tasks/index.js";
import { openStore, temporaryDir } from "../storage/support.js";

const DATA = "d".repeat(64);

interface RunFacts {
  readonly seed?: number;
  readonly batchSize?: number;
  readonly accuracy?: number;
  readonly sourceDigest?: string;
  readonly node?: string;
}

const evaluation = (accuracy: number): EvaluationRow[] =>
  (["truth", "predicted"] as const).map((gates) => ({
    split: "test",
    task_path: "house.door_open",
    metric_name: "accuracy",
    metric_res: gates === "truth" ? accuracy : accuracy - 0.1,
    num_samples: 10,
    gates,
  }));

/** A finished run; returns its id. */
function addRun(store: RunStore, name: string, facts: RunFacts = {}): string {
  const { seed = 1, batchSize = 8, accuracy = 0.5, sourceDigest = "s", node = "20.1.0" } = facts;
  const { id } = store.createRun({
    project: "house",
    name,
    config: { train: { seed, batchSize }, tags: ["a"] },
    environment: { node, host: "h", packages: { sharp: "1.0.0" } },
    backend: "cpu",
    seed,
    dataDigest: DATA,
    sourceDigest,
    git: { commit: "c".repeat(40), branch: "main", dirty: false },
  });
  store.replaceEvaluation(id, evaluation(accuracy));
  store.finishRun(id, "finished");
  return id;
}

describe("groups of folds", () => {
  function addFolds(store: RunStore, name: string, accuracies: readonly number[]): void {
    const { id } = store.createGroup({ kind: "folds", project: "house", name, planned: accuracies.length });
    for (const [i, accuracy] of accuracies.entries()) {
      store.addToGroup(id, addRun(store, `${name}-${i + 1}`, { accuracy, batchSize: 8 + i }), i + 1);
    }
  }

  it("are compared by mean and deviation over their runs, a run beside them by itself", async () => {
    const store = openStore(temporaryDir());
    addFolds(store, "narrow", [0.4, 0.6]);
    addFolds(store, "wide", [0.7, 0.8, 0.9]);
    addRun(store, "single", { accuracy: 0.65 });
    const comparison = await compareRuns(store, ["narrow", "single", "wide"]);
    expect(comparison.groups).toEqual([
      { name: "narrow", runs: [0, 1], seeds: [1, 1] },
      { name: "single", runs: [2], seeds: [1] },
      { name: "wide", runs: [3, 4, 5], seeds: [1, 1, 1] },
    ]);
    expect(metricTable(comparison, { split: "test", gates: "truth", all: false })).toEqual({
      head: ["task (test)", "metric", "narrow (n=2)", "single", "wide (n=3)"],
      rows: [
        ["house", "", "", "", ""],
        ["  door_open", "accuracy", "0.5000 ±0.1414  ", "0.6500  ", "0.8000 ±0.1000 •"],
      ],
      numeric: [2, 3, 4],
    });
  });

  it("have their runs compared where one stands alone, and no run twice", async () => {
    const store = openStore(temporaryDir());
    addFolds(store, "narrow", [0.4, 0.6]);
    const { runs, metrics } = await compareRuns(store, ["narrow"]);
    expect(runs.map(({ name }) => name)).toEqual(["narrow-1", "narrow-2"]);
    expect(metrics[0]?.values).toEqual([0.4, 0.6]);
    await expect(compareRuns(store, ["narrow", "narrow-2"])).rejects.toThrow(
      /^"narrow" and "narrow-2" have a run in common/,
    );
  });
});

describe("two runs", () => {
  it("differ in settings, environment and code; what is the same is left out", async () => {
    const store = openStore(temporaryDir());
    addRun(store, "base");
    addRun(store, "wide", { seed: 2, batchSize: 16, node: "22.0.0", sourceDigest: "t", accuracy: 0.75 });
    const comparison = await compareRuns(store, ["base", "wide"]);
    expect(comparison).toMatchObject({
      runs: [{ name: "base" }, { name: "wide" }],
      params: [
        { key: "train.batchSize", values: [8, 16] },
        { key: "train.seed", values: [1, 2] },
      ],
      environment: [{ key: "node", values: ["20.1.0", "22.0.0"] }],
      code: [{ key: "source_digest", values: ["s", "t"] }],
      data: [],
      groups: [],
    });
    expect(comparison.metrics[0]).toEqual({
      split: "test",
      task_path: "house.door_open",
      metric_name: "accuracy",
      gates: "truth",
      values: [0.5, 0.75],
      best: 1,
    });
    expect(await compareRuns(store, ["base", "wide"], { all: true })).toMatchObject({
      data: [{ key: "data_digest", values: [DATA, DATA] }],
    });
  });

  it("are shown as tables, the best marked", async () => {
    const store = openStore(temporaryDir());
    addRun(store, "base");
    addRun(store, "wide", { sourceDigest: "f".repeat(64), accuracy: 0.75 });
    const comparison = await compareRuns(store, ["base", "wide"]);
    expect(factTables(comparison)).toEqual([
      {
        head: ["code and data", "base", "wide"],
        rows: [["source_digest", "s", "ffffffffffff"]],
        numeric: [],
      },
    ]);
    expect(metricTable(comparison, { split: "test", gates: "both", all: false })).toEqual({
      head: ["task (test)", "metric", "gates", "base", "wide"],
      rows: [
        ["house", "", "", "", ""],
        ["  door_open", "accuracy", "truth", "0.5000  ", "0.7500 •"],
        ["", "accuracy", "predicted", "0.4000  ", "0.6500 •"],
      ],
      numeric: [3, 4],
    });
    const view = comparisonView(comparison, "test");
    expect(view.rows.map(({ cells, differs }) => [cells[1], differs])).toEqual([
      ["accuracy", true],
      ["accuracy (predicted gates)", true],
      ["source_digest", true],
    ]);
  });

  it("are all marked where they are equally good", async () => {
    const store = openStore(temporaryDir());
    for (const [name, accuracy] of Object.entries({ base: 0.75, wide: 0.5, deep: 0.75 }))
      addRun(store, name, { accuracy });
    const { rows } = metricTable(await compareRuns(store, ["base", "wide", "deep"], { group: false }), {
      split: "test",
      gates: "truth",
      all: false,
    });
    expect(rows[1]?.slice(2)).toEqual(["0.7500 •", "0.5000  ", "0.7500 •"]);
  });

  it("of the same name are told apart by their ids", async () => {
    const store = openStore(temporaryDir());
    const ids = [addRun(store, "base"), addRun(store, "other", { batchSize: 9 })];
    store.updateRun(ids[1] ?? "", { name: "base" });
    const [table] = factTables(await compareRuns(store, ids));
    expect(table?.head.slice(1)).toEqual(ids.map((id) => `base ${id.split("-")[2]}`));
  });

  it("must be two", async () => {
    const store = openStore(temporaryDir());
    addRun(store, "base");
    await expect(compareRuns(store, ["base"])).rejects.toThrow(/Name a second one/);
    const { message, exitCode } = await compareRuns(store, ["base", "latest"]).then(
      () => expect.fail("a run is compared with itself"),
      (error: CoolError) => error,
    );
    expect(message).toMatch(/^"base" and "latest" are the same run/);
    expect(exitCode).toBe(2);
  });
});

describe("runs that differ in their seed alone", () => {
  it("are one column: mean, standard deviation, n", async () => {
    const store = openStore(temporaryDir());
    for (const [i, accuracy] of [0.5, 0.7, 0.9].entries()) {
      addRun(store, `wide-s${i}`, { seed: i, accuracy, node: "20.1.0" });
    }
    addRun(store, "deep", { batchSize: 16, accuracy: 0.8 });
    const comparison = await compareRuns(store, []);
    expect(comparison.groups).toMatchObject([
      { name: "wide", runs: [0, 1, 2], seeds: [0, 1, 2] },
      { name: "deep", runs: [3] },
    ]);
    expect(factTables(comparison)[0]?.rows).toEqual([
      ["train.batchSize", "8", "16"],
      ["train.seed", "0, 1, 2", "1"],
    ]);
    const { head, rows } = metricTable(comparison, { split: "test", gates: "truth", all: false });
    expect(head).toEqual(["task (test)", "metric", "wide (n=3)", "deep"]);
    expect(rows[1]).toEqual(["  door_open", "accuracy", "0.7000 ±0.2000  ", "0.8000 •"]);
    const csv = comparisonRows(comparison);
    expect(csv[0]?.slice(6)).toEqual(["wide (n=3)", "wide (n=3) sd", "wide (n=3) n", "deep"]);
    const metric = csv.find(([kind]) => kind === "metric");
    expect(metric?.slice(6)).toEqual([expect.closeTo(0.7, 12), expect.closeTo(0.2, 12), 3, 0.8]);
    expect((await compareRuns(store, [], { group: false })).groups).toEqual([]);
  });
});

describe("curves", () => {
  it("are summed up where they are asked for", async () => {
    const store = openStore(temporaryDir());
    const [base, wide] = [addRun(store, "base"), addRun(store, "wide", { seed: 2 })];
    const points = (values: readonly number[]) =>
      values.map((value, step) => ({
        split: "valid" as const,
        taskPath: "_total",
        metricName: "loss",
        step,
        epoch: step,
        value,
        wallTime: 0,
      }));
    store.appendMetrics(base, points([0.9, 0.3, 0.5]));
    store.appendMetrics(wide, points([0.8, 0.4]));
    const { curves } = await compareRuns(store, [base, wide], { curves: true });
    expect(curves).toHaveLength(1);
    expect(curves?.[0]).toMatchObject({ split: "valid", task_path: "_total", metric_name: "loss", best: 0 });
    expect(curves?.[0]?.values).toMatchObject([
      { last: 0.5, best: 0.3, best_step: 1, min: 0.3, max: 0.9 },
      { last: 0.4, best: 0.4, best_step: 1, min: 0.4, max: 0.8 },
    ]);
    expect(await compareRuns(store, [base, wide])).not.toHaveProperty("curves");
  });
});

/** As a run of the first version wrote it. */
const CONFIG = {
  formatVersion: 1,
  project: "house",
  projectDir: "/house",
  configFile: null,
  inputs: { image: { kind: "image", column: "img", size: [8, 8], channels: 3 } },
  settings: { data: { table: "labels.csv" } },
  backend: "cpu",
  dataDigest: "d",
};

describe("samples", () => {
  const definitions = defineTasks({ features: ["features"], tasks: { door_open: binary() } }).flow(
    "full",
    (flow, x, out) => {
      out.add(flow.door_open(x.features));
    },
  );
  const graph = traceFlow(definitions, "full");

  /** Leaves in a run's folder what a finished run leaves: all labels are 1. */
  async function addPredictions(store: RunStore, id: string, logits: Readonly<Record<string, number>>): Promise<void> {
    const dir = store.runDir(id);
    mkdirSync(join(dir, "predictions"));
    for (const [file, content] of [
      ["graph.json", graph],
      ["thresholds.json", { door_open: 0.5 }],
      ["config.json", CONFIG],
    ] as const) {
      writeFileSync(join(dir, file), JSON.stringify(content));
    }
    const ids = Object.keys(logits);
    const scored = scoreSplit(
      graph,
      {
        split: "test",
        ids,
        outputs: [Float32Array.from(Object.values(logits))],
        labels: [{ answers: new Float32Array(ids.length).fill(1), unitScale: null }],
      },
      [[0.5]],
    );
    await writePredictions(join(dir, "predictions", "test.parquet"), scored);
  }

  const options = { split: "test", gates: "truth", top: 2 } as const;

  it("are compared from the predictions of both runs", async () => {
    const store = openStore(temporaryDir());
    const [base, wide] = [addRun(store, "base"), addRun(store, "wide", { seed: 2 })];
    await addPredictions(store, base, { "a.png": 1, "b.png": 1, "c.png": -1, "only-base.png": 1 });
    await addPredictions(store, wide, { "c.png": 1, "b.png": -4, "a.png": -2 });
    const samples = await compareRunSamples(store, [base, wide], options);
    if (samples === null) throw new Error("no samples");
    expect(samples).toMatchObject({ split: "test", gates: "truth", shared: 3, unshared: [1, 0] });
    expect(samples.tasks).toMatchObject([
      { task_path: "door_open", n: 3, values: [2 / 3, 1 / 3], worse: { count: 2 }, better: { count: 1 } },
    ]);
    expect(samplesSummary(samples, ["base", "wide"])).toBe(
      "Sample by sample on test (true gates): 3 samples are shared, 1 and 0 are not. Differences are wide − base.",
    );
    expect(samplesTable(samples).rows).toEqual([["door_open", "accuracy", "3", "-0.333", "1.000  ", "2 / 1"]]);
    expect(flipsTable(samples, ["base", "wide"]).rows).toEqual([
      ["door_open", "right → wrong", "b.png", "true", "true", "false"],
      ["", "", "a.png", "true", "true", "false"],
      ["", "wrong → right", "c.png", "true", "false", "true"],
    ]);
  });

  it("are the same each time", async () => {
    const store = openStore(temporaryDir());
    const [base, wide] = [addRun(store, "base"), addRun(store, "wide", { seed: 2 })];
    for (const id of [base, wide]) await addPredictions(store, id, { a: 1, b: id === base ? 1 : -1 });
    const compare = () => compareRunSamples(store, [base, wide], options);
    expect(await compare()).toEqual(await compare());
  });

  it("cannot be compared where a run has no predictions", async () => {
    const store = openStore(temporaryDir());
    const [base, wide] = [addRun(store, "base"), addRun(store, "wide", { seed: 2 })];
    await addPredictions(store, base, { a: 1 });
    expect(await compareRunSamples(store, [base, wide], options)).toBeNull();
  });

  it("of three runs are compared with the first, and a difference that only one test of two would call real has no star", async () => {
    const store = openStore(temporaryDir());
    const [base, wide, deep, bare] = ["base", "wide", "deep", "bare"].map((name, seed) =>
      addRun(store, name, { seed }),
    );
    const ids = ["a", "b", "c", "d", "e", "f", "g"];
    const right = Object.fromEntries(ids.map((id) => [id, 1]));
    await addPredictions(store, base ?? "", right);
    // six flips of six: p = 2 / 2⁶ = 0.031, and 0.0625 among two tests
    await addPredictions(store, wide ?? "", Object.fromEntries(ids.map((id) => [id, id === "g" ? 1 : -1])));
    await addPredictions(store, deep ?? "", right);
    const two = await compareRunSamples(store, [base ?? "", wide ?? ""], options);
    expect(samplesTable(two ?? raise()).rows[0]).toContain("0.031 *");
    const many = await compareRunsWithFirst(store, [base ?? "", wide ?? "", deep ?? "", bare ?? ""], options);
    expect(many).toMatchObject([
      {
        run: wide,
        tasks: [{ difference: -6 / 7, p_value: expect.closeTo(2 ** -5, 12), p_holm: expect.closeTo(2 ** -4, 12) }],
      },
      { run: deep, tasks: [{ difference: 0, p_value: 1, p_holm: 1 }] },
    ]);
    expect(differencesTable(many ?? [], ["wide", "deep"]).rows).toEqual([
      ["door_open", "accuracy", "7", "-0.857  ", "+0.000  "],
    ]);
    const sure = { ...many?.[0], tasks: many?.[0]?.tasks.map((task) => ({ ...task, p_holm: 0.04 })) };
    expect(differencesTable([sure as ComparedWithFirst], ["wide"]).rows[0]).toContain("-0.857 *");
  });
});

function raise(): never {
  throw new Error("nothing was compared");
}
