/** @file A signal while answers are put into words and written, when all of them have been computed. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scoreSplitSliced } from "../../src/analysis/score.js";
import { type LoadedRun, loadRun } from "../../src/asking/load-run.js";
import { predictRun } from "../../src/asking/predict-run.js";
import { InterruptedError } from "../../src/errors.js";
import { loadProject } from "../../src/project/load-project.js";
import { trainRun } from "../../src/training/train-run.js";
import { writeNumberProject } from "../support/number-project.js";

const dir = mkdtempSync(join(tmpdir(), "interrupted-predict-"));
let run: LoadedRun;
beforeAll(async () => {
  writeNumberProject(dir);
  await trainRun(await loadProject(dir), { backend: "cpu" });
  run = await loadRun(join(dir, ".cool"), "latest", { backend: "cpu" });
}, 120_000);
afterAll(() => {
  run.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Fires when the last row has passed the network. */
function atTheLastRow() {
  const controller = new AbortController();
  const onProgress = (what: string, done: number, total: number) => {
    if (what === "predicting" && done === total) controller.abort();
  };
  return { signal: controller.signal, onProgress };
}

const table = "select 0.5 as x, 0.1 * i as y from range(300) t(i)";

test("ends the work, and leaves no file", async () => {
  const out = join(dir, "answers.csv");
  await expect(predictRun(run, [table], { ...atTheLastRow(), out })).rejects.toThrow(InterruptedError);
  await expect(predictRun(run, [table], atTheLastRow())).rejects.toThrow(InterruptedError);
  expect(readdirSync(dir).filter((name) => name.startsWith("answers"))).toEqual([]);
});

test("a file that is read is not written over: the inputs, and the run's tables", async () => {
  const [labels, inputs] = [join(dir, "labels.csv"), join(dir, "inputs.csv")];
  writeFileSync(inputs, "x,y\n0.5,0.5\n");
  const before = [labels, inputs].map((file) => readFileSync(file, "utf8"));
  for (const out of [labels, inputs]) {
    await expect(predictRun(run, [inputs], { out })).rejects.toThrow(`${out} is read, and would be written over`);
  }
  expect([labels, inputs].map((file) => readFileSync(file, "utf8"))).toEqual(before);
});

test("is looked at between the tasks of a split, and what is written without one is whole", async () => {
  const { scored } = await run.score([table]);
  const outputs = { split: "test" as const, ids: scored.ids, offsets: null };
  const [task] = scored.tasks;
  if (task === undefined || task.kept.kind !== "logits") throw new Error("one task with all its logits");
  const work = scoreSplitSliced(run.graph, { ...outputs, outputs: [task.kept.logits], labels: [task.labels] }, [
    task.thresholds,
  ]);
  let stops = 0;
  while (work.next().done !== true) stops += 1;
  expect(stops).toBeGreaterThanOrEqual(2);
  const out = join(dir, "whole.csv");
  expect(await predictRun(run, [table], { out })).toMatchObject({ rows: 300, skipped: 0, out });
  const { predictions = [] } = await predictRun(run, [table]);
  expect(predictions).toHaveLength(300);
});
