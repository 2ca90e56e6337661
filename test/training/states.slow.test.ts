/** @file However training ends, the store says so; and what a run captured is there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { showRun } from "../../src/records/list-runs.js";
import { loadProject } from "../../src/project/load-project.js";
import type { RunResult } from "../../src/training/run-result.js";
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
    const { loadProject } = await jiti.import("./src/project/load-project.ts");
    await trainRun(await loadProject(${JSON.stringify(project.dir)}), { epochs: 50, loggers: [{ step() { ${end} } }] });`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: "ignore" });
  const [code] = await once(child, "close");
  expect(code).not.toBe(0);
  const run = onlyRun();
  expect([run.state, run.ended_at]).toEqual(["crashed", null]);
});

test("a finished run that is resumed stays as it is and says so; more epochs go on from its start", SLOW, async () => {
  const loaded = await loadProject(project.dir);
  const first = await trainRun(loaded, { epochs: 1, name: "done" });
  const before = onlyRun();
  const said: string[] = [];
  const loggers = [{ message: (line: string) => void said.push(line) }];
  const kept = await trainRun(loaded, { resume: "done", loggers });
  const sorted = (result: RunResult) => ({
    ...result,
    evaluation: result.evaluation.map((row) => JSON.stringify(Object.entries(row).sort())).sort(),
  });
  expect(sorted(kept)).toEqual(sorted(first));
  expect(said).toEqual([
    `Run ${before.id} (done) is finished after 1 of 1 epochs, and stays as it is. To train it for longer, name more epochs: cool run --resume ${before.id} --epochs 2`,
  ]);
  expect(onlyRun()).toEqual(before);
  const { run } = await trainRun(loaded, { resume: "done", epochs: 2 });
  expect(run).toMatchObject({ id: before.id, epochs: 2, state: "finished" });
  const after = onlyRun();
  expect(after.started_at).toBe(before.started_at);
  expect(after.epochs_done).toBe(2);
  expect(after.duration_s).toBeGreaterThan(before.duration_s ?? Number.NaN);
});

test("a second run of a name gets the next number, and says so", SLOW, async () => {
  const loaded = await loadProject(project.dir);
  await trainRun(loaded, { epochs: 1, name: "base" });
  const said: string[] = [];
  const loggers = [{ message: (line: string) => void said.push(line) }];
  const { run } = await trainRun(loaded, { epochs: 1, name: "base", loggers });
  expect(run.name).toBe("base-2");
  expect(said).toContain("another run is named base: this one is base-2");
});

test.each([
  ["its store", (runDir: string) => join(runDir, "..", ".."), /^The run store .* was deleted or replaced/],
  ["its folder", (runDir: string) => runDir, /^The folder .* was deleted or replaced/],
])(
  "a run of which %s is deleted stops at its next checkpoint, with one error that promises no resume",
  SLOW,
  async (_, victim, message) => {
    let epochs = 0;
    let gone = "";
    const warnings: string[] = [];
    const vandal = {
      warning: (line: string) => void warnings.push(line),
      epoch() {
        epochs += 1;
        if (epochs !== 2) return;
        gone = victim(onlyRun().dir);
        rmSync(gone, { recursive: true });
      },
    };
    const training = trainRun(await loadProject(project.dir), { epochs: 50, loggers: [vandal] });
    await expect(training).rejects.toThrow(message);
    await expect(training).rejects.not.toThrow("--resume");
    expect(epochs).toBe(2);
    expect(warnings).toEqual([]);
    // nothing of it comes back
    expect(existsSync(gone)).toBe(false);
  },
);
