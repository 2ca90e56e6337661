/** @file A run whose folder was deleted by hand: what the store keeps of it is shown. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { evaluateRun } from "../../src/asking/evaluate-run.js";
import { loadRun } from "../../src/asking/load-run.js";
import { tuneRun } from "../../src/asking/tune-run.js";
import { compareRuns } from "../../src/comparing/compare-runs.js";
import { loadProject } from "../../src/project/load-project.js";
import { showRun } from "../../src/records/list-runs.js";
import { openRunStore, type RunStore } from "../../src/storage/run-store.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";
import { trainRun } from "../../src/training/train-run.js";
import { type TinyProject, tinyProject } from "../support/projects.js";

let project: TinyProject;
let store: RunStore;
let before: readonly EvaluationRow[];
let dir: string;

beforeAll(async () => {
  project = await tinyProject();
  const loaded = await loadProject(project.dir, ["train.epochs=1"]);
  await trainRun(loaded, { name: "lost" });
  await trainRun(loaded, { name: "kept" });
  store = openRunStore(join(project.dir, ".cool"));
  const evaluated = await evaluateRun(store, "lost");
  before = evaluated.evaluation;
  dir = evaluated.run.dir;
  rmSync(dir, { recursive: true });
}, 120_000);
afterAll(() => {
  store.close();
  project.remove();
});

const sorted = (rows: readonly EvaluationRow[]) =>
  rows.map(({ split, task_path, metric_name, gates }) => `${split} ${task_path} ${metric_name} ${gates}`).toSorted();

it("is evaluated as it was, with a word on where the results come from", async () => {
  const warnings: string[] = [];
  const { evaluation } = await evaluateRun(store, "lost", { onWarning: (text) => warnings.push(text) });
  expect(sorted(evaluation)).toEqual(sorted(before));
  expect(warnings).toEqual([expect.stringMatching(/^The folder of run \S+ \(lost\) has been deleted: these are/)]);
});

it("is narrowed to a split, to gates and to metrics like any other", async () => {
  const { evaluation } = await evaluateRun(store, "lost", { split: "test", gates: "truth", metrics: ["f1_score"] });
  expect(sorted(evaluation)).toEqual(sorted(before).filter((row) => /^test \S+ f1_score(\/\S+)? truth$/.test(row)));
  await expect(evaluateRun(store, "lost", { metrics: ["f1_scor"] })).rejects.toThrow('Did you mean "f1_score"?');
});

it("is shown and compared", async () => {
  expect(showRun(store, "lost").evaluation).toHaveLength(before.length);
  expect((await compareRuns(store, ["lost", "kept"])).metrics.length).toBeGreaterThan(0);
});

it("cannot be tuned or asked, and is not advised to be resumed", async () => {
  const gone =
    /^The folder of run \S+ \(lost\) has been deleted: .*; what the store keeps of it is shown by cool runs show/;
  await expect(tuneRun(store, "lost")).rejects.toThrow(gone);
  await expect(loadRun(store.dir, "lost")).rejects.toThrow(gone);
  mkdirSync(dir);
  try {
    await expect(tuneRun(store, "lost")).rejects.toThrow(/is finished, but .*thresholds\.json has been deleted/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
