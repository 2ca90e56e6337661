/** @file A run that is pruned: where it ends, what it leaves behind, and how it goes on. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PrunedError } from "../../src/errors.js";
import type { RunEnd } from "../../src/logging/run-logger.js";
import { loadProject } from "../../src/project/load-project.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { trainRun } from "../../src/training/train-run.js";
import { writeNumberProject } from "../support/number-project.js";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "pruned-"));
  writeNumberProject(dir);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("a judged run ends after the epoch that was found wanting, with its checkpoints, and may go on", async () => {
  const project = await loadProject(dir);
  const asked: number[] = [];
  const ends: RunEnd[] = [];
  const store = openRunStore(join(dir, ".cool"));
  const judged = trainRun(project, {
    ...{ epochs: 4, backend: "cpu", name: "weak" },
    loggers: [{ ended: (end) => void ends.push(end) }],
    judge: ({ id, epoch }) => {
      // what it is judged by is in the store by then
      expect(store.readMetrics(id, { split: "valid", taskPath: "_total", metricName: "loss" })).toHaveLength(epoch);
      asked.push(epoch);
      return epoch === 2 ? "too weak after 2 epochs" : null;
    },
  });
  await expect(judged).rejects.toThrow(PrunedError);
  expect(asked).toEqual([1, 2]);
  expect(ends).toEqual(["pruned"]);
  const run = store.findRun("weak");
  expect(run).toMatchObject({ state: "pruned", displayState: "pruned", epochsDone: 2, error: null });
  expect(run.endedAt).not.toBeNull();
  expect(existsSync(join(store.runDir(run.id), "checkpoints", "last", "model.json"))).toBe(true);
  expect(readFileSync(join(store.runDir(run.id), "stdout.log"), "utf8")).toMatch(/too weak after 2 epochs\n$/);
  const resumed = await trainRun(project, { resume: run.id, backend: "cpu" });
  expect(resumed.run.id).toBe(run.id);
  expect(store.getRun(run.id)).toMatchObject({ state: "finished", epochsDone: 4 });
  const whole = await trainRun(project, { epochs: 4, backend: "cpu", name: "whole" });
  const weights = (one: { readonly dir: string }) =>
    readFileSync(join(one.dir, "checkpoints", "last", "weights.bin")).toString("base64");
  expect(weights(resumed.run)).toBe(weights(whole.run));
  store.close();
});

test("the last epoch is not judged: the run has finished", async () => {
  const project = await loadProject(dir);
  const result = await trainRun(project, { epochs: 1, backend: "cpu", judge: () => "never" });
  expect(result.run.state).toBe("finished");
});
