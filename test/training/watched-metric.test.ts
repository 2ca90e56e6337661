/** @file What the epochs of a run are compared by, where train.monitor is undefined. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { numeric } from "../../src/data/inputs/inputs.js";
import { defineTasks } from "../../src/flow/define.js";
import type { EpochSummary } from "../../src/logging/run-logger.js";
import { defineProject, type ProjectDefinition } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { binary } from "../../src/tasks/index.js";
import type { RunResult } from "../../src/training/run-result.js";
import { trainRun } from "../../src/training/train-run.js";

const SLOW = { timeout: 60_000 };

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "watched-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** @param valid labels of the valid rows; empty: there are none */
async function train(
  valid: readonly (0 | 1)[],
  settings: ProjectDefinition["train"],
): Promise<RunResult & { readonly epochs: EpochSummary[]; readonly said: string[] }> {
  const rows = [...Array(24).keys()].map((i) => `${i % 2 === 0 ? 1 : -1},${i % 2 === 0 ? 1 : 0},train`);
  const more = valid.map((label, i) => `${label === 1 ? 1 + i : -1 - i},${label},valid`);
  writeFileSync(join(dir, "labels.csv"), `${["x,y,split", ...rows, ...more, "1,1,test", "-1,0,test"].join("\n")}\n`);
  const project = defineProject({
    name: "watched",
    tasks: defineTasks({ features: ["f"], tasks: { y: binary() } }).flow("main", (flow, x, out) => {
      out.add(flow.y(x.f));
    }),
    flow: "main",
    data: { table: "labels.csv", inputs: { x: numeric({ columns: ["x"] }) }, split: { column: "split" } },
    trunk: ({ x }) => ({ f: x }),
    train: { epochs: 6, batchSize: 8, seed: 3, ...settings },
  });
  const epochs: EpochSummary[] = [];
  const said: string[] = [];
  const listener = {
    epoch: (summary: EpochSummary) => void epochs.push(summary),
    message: (line: string) => void said.push(line),
    warning: (line: string) => void said.push(`warning: ${line}`),
  };
  const loaded = resolveProject(project, { projectDir: dir });
  return { ...(await trainRun(loaded, { backend: "cpu", loggers: [listener] })), epochs, said };
}

test(
  "a monitor that the labels of valid leave undefined gives way to the validation loss, which is said first",
  SLOW,
  async () => {
    // so fast that the loss on valid rises after the first epochs
    const { epochs, said, run } = await train([1, 1, 1], {
      monitor: "y/roc_auc",
      earlyStopping: { patience: 2 },
      optimizer: { kind: "sgd", learningRate: 1e-9 },
    });
    const warned = said.findIndex((line) =>
      line.startsWith(
        'warning: train.monitor "y/roc_auc" is undefined, since the labels of its 3 valid rows do not define it',
      ),
    );
    expect(warned).toBeGreaterThan(-1);
    expect(said[warned]).toContain("Epochs are compared by the validation loss (_total/loss) instead.");
    const losses = epochs.map(({ validLoss }) => validLoss);
    expect(epochs.map(({ improved }) => improved)).toEqual(
      losses.map((loss, i) => losses.slice(0, i).every((before) => loss < before)),
    );
    expect(run.best_epoch).toBe(losses.indexOf(Math.min(...losses)) + 1);
  },
);

test(
  "without valid rows no epoch is better than another, the last one is evaluated, and early stopping says it does nothing",
  SLOW,
  async () => {
    const { epochs, said, run } = await train([], { monitor: "y/f1_score", earlyStopping: { patience: 1 } });
    expect(said).toContain(
      'warning: train.monitor "y/f1_score" is undefined, since there are no valid rows: the weights of the last epoch are evaluated, and train.earlyStopping does nothing.',
    );
    expect(epochs.map(({ improved }) => improved)).toEqual(Array(6).fill(false));
    expect(run.best_epoch).toBe(6);
  },
);

test("a monitor with a value is watched without a word, and the run names the epoch that it chose", SLOW, async () => {
  const { epochs, said, run } = await train([1, 0, 1, 0], { monitor: "y/roc_auc" });
  expect(said.filter((line) => line.includes("train.monitor"))).toEqual([]);
  const best = epochs.findLast(({ improved }) => improved)?.epoch;
  expect(run.best_epoch).toBe(best);
  const config = readFileSync(join(run.dir, "config.json"), "utf8");
  expect(config).toContain('"monitor": "y/roc_auc"');
});
