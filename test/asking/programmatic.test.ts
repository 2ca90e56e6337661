/** @file Training and asking a run from a program, as the commands do. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InterruptedError } from "../../src/errors.js";
import type { EpochSummary } from "../../src/logging/run-logger.js";
import { type LoadedRun, loadRun } from "../../src/asking/load-run.js";
import { loadProject } from "../../src/project/load-project.js";
import type { RunResult } from "../../src/training/run-result.js";
import { trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

let project: TinyProject;
let result: RunResult;
let run: LoadedRun;
const epochs: EpochSummary[] = [];
const store = () => join(project.dir, ".cool");

beforeAll(async () => {
  project = await tinyProject();
  const loaded = await loadProject(project.dir, ["train.epochs=3"]);
  result = await trainRun(loaded, { loggers: [{ epoch: (summary) => epochs.push(summary) }] });
  run = await loadRun(store(), result.run.name);
});
afterAll(() => {
  run.close();
  project.remove();
});

describe("trainRun", () => {
  it("tells its listeners of every epoch", () => {
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 5],
      [2, 10],
      [3, 15],
    ]);
    expect(epochs.every(({ trainLoss, validLoss }) => trainLoss > 0 && validLoss > 0)).toBe(true);
  });

  it("stores the same losses that it tells", () => {
    const opened = openRunStore(store(), { readonly: true });
    const points = opened.readMetrics(result.run.id);
    opened.close();
    const losses = points.filter(
      ({ split, taskPath, metricName }) => split === "valid" && taskPath === "_total" && metricName === "loss",
    );
    expect(losses.map(({ step, value }) => [step, value])).toEqual(
      epochs.map(({ step, validLoss }) => [step, validLoss]),
    );
  });

  it("keeps the weights of the epoch with the lowest validation loss as best", async () => {
    const best = Math.min(...epochs.map(({ validLoss }) => validLoss));
    const total = result.evaluation.find(
      (row) => row.split === "valid" && row.task_path === "_total" && row.gates === "truth",
    );
    expect(total?.metric_res).toBeCloseTo(best, 5);
  });

  it("ends with InterruptedError where its signal fires, and leaves an interrupted run", async () => {
    const controller = new AbortController();
    const interrupted = trainRun(await loadProject(project.dir, ["train.epochs=50"]), {
      name: "stopped",
      signal: controller.signal,
      loggers: [{ epoch: ({ epoch }) => epoch === 2 && controller.abort() }],
    });
    await expect(interrupted).rejects.toBeInstanceOf(InterruptedError);
    const opened = openRunStore(store(), { readonly: true });
    expect(opened.findRun("stopped")).toMatchObject({ displayState: "interrupted", epochsDone: 2 });
    opened.close();
  });

  it("refuses to go on where the flow has changed since", async () => {
    project.editConfig(["out.add(flow.marks(x.features));", ""]);
    const changed = await loadProject(project.dir);
    await expect(trainRun(changed, { resume: "stopped" })).rejects.toThrow(
      /^Run \S+ \(stopped\) cannot go on: the project's tasks or flow have changed since it started\./,
    );
    project.editConfig([
      "out.add(flow.color(x.features));",
      "out.add(flow.color(x.features));\n    out.add(flow.marks(x.features));",
    ]);
  });

  it("refuses to go on where the labels have changed since", async () => {
    let before: readonly string[] = [];
    project.editTable((lines) => {
      before = lines;
      return lines.map((line, i) => (i === 3 ? line.replace("red", "green") : line));
    });
    await expect(trainRun(await loadProject(project.dir), { resume: "stopped" })).rejects.toThrow(
      "cannot go on: the table or its images have changed since it started.",
    );
    project.editTable(() => before);
  });
});

describe("loadRun", () => {
  it("evaluates a labelled table as the run evaluated its own rows", async () => {
    const rows = await run.evaluate({ table: "labels.csv" });
    const counted = rows.find(
      (row) => row.task_path === "blocked" && row.metric_name === "loss" && row.gates === "truth",
    );
    expect(counted?.num_samples).toBe(60);
    const own = result.evaluation.filter(
      (row) => row.task_path === "blocked" && row.metric_name === "loss" && row.gates === "truth",
    );
    const mean = own.reduce((sum, row) => sum + (row.metric_res ?? Number.NaN) * row.num_samples, 0) / 60;
    expect(counted?.metric_res).toBeCloseTo(mean, 5);
    expect(await run.evaluate("test")).toEqual(result.evaluation.filter((row) => row.split === "test"));
  });

  it("predicts and explains the same answers", async () => {
    const inputs = [2, 3, 5].map((row) => project.image(row));
    const [predictions, explanations] = [await run.predict(inputs), await run.explain(inputs)];
    expect(predictions.map(({ input }) => input)).toEqual(inputs);
    for (const [i, { answers }] of predictions.entries()) {
      const [root] = explanations[i]?.tree ?? [];
      expect(answers.blocked?.decoded).toBe(root?.decoded[0]);
      expect(answers.blocked?.activated).toEqual(root?.activated);
    }
  });

  it("gives a plain LayersModel with one output of logits per task", () => {
    const { outputs, inputs } = run.model;
    expect(inputs.map(({ shape }) => shape)).toEqual([[null, 16, 16, 3]]);
    expect(outputs.map(({ shape }) => shape)).toEqual([
      [null, 1],
      [null, 1],
      [null, 3],
      [null, 2],
      [null, 1],
    ]);
  });
});
