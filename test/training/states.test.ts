/** @file However training ends, the store says so; and what a run captured is there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { showRun } from "../../src/records/list-runs.js";
import { loadProject } from "../../src/project/project.js";
import { trainRun } from "../../src/training/train-run.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { type TinyProject, tinyProject } from "../support/projects.js";
import { git } from "../support/folders.js";

const SLOW = { timeout: 120_000 };

let project: TinyProject;
beforeEach(async () => {
  project = await tinyProject();
});
afterEach(() => project.remove());

function onlyRun() {
  const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  try {
    return showRun(store, "latest");
  } finally {
    store.close();
  }
}

test("a finished run has its output, source, data, changed settings, environment and load", SLOW, async () => {
  project.editConfig([
    "table:",
    'prepare: ({ log }) => { process.stderr.write("from prepare\\n"); log("by log"); }, table:',
  ]);
  writeFileSync(join(project.dir, ".gitignore"), ".cool\n");
  git(project.dir, "init", "--quiet");
  git(project.dir, "add", "cool.config.ts");
  git(project.dir, "commit", "--quiet", "--message", "first");
  const loaded = await loadProject(project.dir, ["train.optimizer.learningRate=0.01"]);
  await trainRun(loaded, { epochs: 1, commandLine: "cool run" });
  const run = onlyRun();
  expect(run).toMatchObject({ state: "finished", epochs_done: 1, command_line: "cool run", git_branch: "main" });
  expect(run.config_changes).toEqual({ "train.epochs": "flag", "train.optimizer.learningRate": "set" });
  expect(run.environment).toMatchObject({ node: process.versions.node, "packages.dnn-cool": "0.1.0" });
  expect(run.data_digest).toMatch(/^[0-9a-f]{64}$/);
  expect(run.source_digest).toMatch(/^[0-9a-f]{64}$/);
  const log = readFileSync(join(run.dir, "stdout.log"), "utf8");
  expect(log).toContain("from prepare\nby log\n");
  expect(log).toMatch(/epoch 1\/1 {2}train loss/);
  // labels.csv is not committed; the pictures are data
  const patch = readFileSync(join(run.dir, "source.patch"), "utf8");
  expect(patch).toContain("+++ b/labels.csv");
  expect(patch).not.toContain(".png b/");
  const store = openRunStore(join(project.dir, ".cool"), { readonly: true });
  const load = store.lastMetrics(run.id, { taskPath: "_system" }).map(({ metricName }) => metricName);
  store.close();
  expect(load).toEqual(expect.arrayContaining(["process_cpu_percent", "process_memory_mb", "disk_free_gb"]));
});

test("a run whose training fails has failed, with the reason", SLOW, async () => {
  const loaded = await loadProject(project.dir, ["train.optimizer.learningRate=1e30"]);
  await expect(trainRun(loaded, { epochs: 50 })).rejects.toThrow();
  const run = onlyRun();
  expect(run.state).toBe("failed");
  expect(run.error).toContain("NaN");
  expect(run.ended_at).not.toBeNull();
});

test("a run that is stopped is interrupted", SLOW, async () => {
  const controller = new AbortController();
  const loggers = [{ step: () => controller.abort() }];
  const training = trainRun(await loadProject(project.dir), { epochs: 50, signal: controller.signal, loggers });
  await expect(training).rejects.toThrow("cool run --resume");
  expect(onlyRun().state).toBe("interrupted");
});

test.each([
  ["an error that nobody catches", "setImmediate(() => { throw new Error('boom') })"],
  ["process.exit", "process.exit(3)"],
  ["SIGKILL", "process.kill(process.pid, 'SIGKILL')"],
])("a run whose process ends by %s has crashed", SLOW, async (_, end) => {
  const script = `
    import { createJiti } from "jiti";
    const jiti = createJiti(import.meta.url);
    const { trainRun } = await jiti.import("./src/training/train-run.ts");
    const { loadProject } = await jiti.import("./src/project/project.ts");
    await trainRun(await loadProject(${JSON.stringify(project.dir)}), { epochs: 50, loggers: [{ step() { ${end} } }] });`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "ignore" });
  const [code] = await once(child, "close");
  expect(code).not.toBe(0);
  const run = onlyRun();
  expect([run.state, run.ended_at]).toEqual(["crashed", null]);
});
