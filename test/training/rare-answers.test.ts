/** @file Whole runs with rare answers: balanced weights and weights of rows, trained, stored, resumed and asked. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadRun } from "../../src/asking/load-run.js";
import { numeric } from "../../src/data/inputs/inputs.js";
import { createRandom } from "../../src/data/rng.js";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import { defineTasks } from "../../src/flow/define.js";
import { defineProject, type Project } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { readGraph } from "../../src/records/run-documents.js";
import type { BinarySpec } from "../../src/flow/graph.js";
import { type TrainRunOptions, trainRun } from "../../src/training/train-run.js";
import { binary } from "../../src/tasks/index.js";

const random = createRandom("rare answers");
/** One of 16 is rare, somewhat more often where x is large. Training rows of weight 0 say the opposite. */
const rows = Array.from({ length: 640 }, (_, i) => {
  const x = 2 * random.next() - 1;
  const rare = random.next() < 0.125 * ((x + 1) / 2) ? 1 : 0;
  const split = i % 4 === 3 ? "valid" : "train";
  const isWrong = split === "train" && i % 5 === 1;
  return { x, rare: isWrong ? 1 - rare : rare, weight: isWrong ? 0 : 1, split };
});
const table = rows.map(({ x, rare, weight, split }) => [x, rare, weight, split].join(",")).join("\n");

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "rare-answers-"));
  writeFileSync(join(dir, "table.csv"), `x,rare,w,split\n${table}\n`);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function project(options: Parameters<typeof binary>[0], weight: string | null): Project {
  const tasks = defineTasks({ features: ["f"], tasks: { rare: binary(options) } }).flow("main", (flow, x, out) => {
    out.add(flow.rare(x.f));
  });
  return defineProject({
    name: "rare",
    tasks,
    flow: "main",
    data: { table: "table.csv", weight, inputs: { at: numeric({ columns: ["x"] }) }, split: { column: "split" } },
    trunk: ({ at }, layers) => ({ f: layers.dense({ units: 2 }).apply(at as SymbolicTensor) as SymbolicTensor }),
    train: { epochs: 12, batchSize: 64, optimizer: { kind: "adamw", learningRate: 0.05 } },
  });
}

const train = (
  store: string,
  options: Parameters<typeof binary>[0],
  weight: string | null,
  more: TrainRunOptions = {},
) =>
  trainRun(resolveProject(project(options, weight), { projectDir: dir }), {
    store: join(dir, store),
    backend: "cpu",
    ...more,
  });

/** Mean score of a run over points from −1 to 1. */
async function meanScore(store: string): Promise<number> {
  const file = join(dir, "points.csv");
  writeFileSync(file, `x\n${Array.from({ length: 21 }, (_, i) => i / 10 - 1).join("\n")}\n`);
  const run = await loadRun(join(dir, store), "latest", { backend: "cpu" });
  try {
    const { scored } = await run.score([file]);
    const kept = scored.tasks[0]?.kept;
    if (kept?.kind !== "logits") throw new Error("no logits");
    return kept.activated.reduce((sum, score) => sum + score, 0) / kept.activated.length;
  } finally {
    run.close();
  }
}

const trained = rows.filter(({ split }) => split === "train");
const shareOf = (some: typeof rows) => some.filter(({ rare }) => rare === 1).length / some.length;

test("scores come to the share of yes among the rows that count", { timeout: 60_000 }, async () => {
  await train("plain", {}, null);
  await train("weighted", {}, "w");
  const counted = shareOf(trained.filter(({ weight }) => weight === 1));
  expect(counted).toBeLessThan(shareOf(trained) / 2);
  const [plain, weighted] = [await meanScore("plain"), await meanScore("weighted")];
  expect(Math.abs(weighted - counted)).toBeLessThan(0.03);
  expect(plain).toBeGreaterThan(weighted + 0.05);
});

test("balanced, yes and no are as likely; the weight is kept with the run, which goes on with it", {
  timeout: 60_000,
}, async () => {
  const options = { positiveWeight: "balanced" } as const;
  const { run } = await train("balanced", options, null);
  expect(Math.abs((await meanScore("balanced")) - 0.5)).toBeLessThan(0.05);
  const [task] = readGraph(join(dir, "balanced", "runs", run.id)).tasks as readonly { readonly spec: BinarySpec }[];
  const share = shareOf(trained);
  expect(task?.spec.fittedWeights?.[0]).toBeCloseTo((1 - share) / share, 10);
  const weights = () => readFileSync(join(dir, "balanced", "runs", run.id, "checkpoints/last/weights.bin"));
  const before = weights();
  await train("balanced", options, null, { resume: "latest", epochs: 14 });
  expect(weights().equals(before)).toBe(false);
});
