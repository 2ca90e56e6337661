/** @file Labelling simulated on the example: a table whose labels are hidden until somebody asks for them. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { generateDataset, LABEL_COLUMNS } from "../../examples/home-security/generate.js";
import { scoreSplit, type ScoredSplit } from "../../src/analysis/score.js";
import { at } from "../../src/arrays.js";
import { loadRun } from "../../src/asking/load-run.js";
import type { FlowGraph } from "../../src/flow/graph.js";
import { readPredictions } from "../../src/records/predictions.js";
import { runFiles } from "../../src/records/run-folder.js";
import type { EvaluationRow } from "../../src/tasks/evaluation.js";
import { readRows, writeRows } from "../audit/noisy-example.js";
import type { TextRow } from "../audit/noise.js";
import { ROOT } from "../report.js";

/** The example's flow over pictures of half the size, so that a simulation of many trainings ends. */
const CONFIG = (image: number): string => {
  const text = readFileSync(path.join(ROOT, "examples", "home-security", "cool.config.ts"), "utf8");
  return text
    .replace("size: [SIZE, SIZE]", `size: [${image}, ${image}]`)
    .replace(/split: \{[^}]*\}/, 'split: { column: "split" }')
    .replace("conv(conv(conv(image, 16), 32), 64)", "conv(conv(image, 16), 32)");
};

/** A folder with the pictures and all labels. */
export interface World {
  readonly folder: string;
  /** Rows of all labels; the first `pool` of them may be asked about, the others are valid and test. */
  readonly truth: readonly TextRow[];
  readonly pool: number;
}

export async function makeWorld(folder: string, pool: number, heldOut: number): Promise<World> {
  if (!existsSync(path.join(folder, "clean.csv"))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "cool.config.ts"), CONFIG(32));
    const generator = readFileSync(path.join(ROOT, "examples", "home-security", "generate.ts"), "utf8");
    writeFileSync(path.join(folder, "generate.ts"), generator);
    await generateDataset(folder, { count: pool + 2 * heldOut });
    writeRows(
      path.join(folder, "clean.csv"),
      ["img", ...LABEL_COLUMNS],
      await readRows(path.join(folder, "labels.csv")),
    );
    if (!existsSync(path.join(folder, "node_modules")))
      symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  }
  return { folder, truth: await readRows(path.join(folder, "clean.csv")), pool };
}

/** Cells that have been labelled, by row of the pool. */
export type Labelled = readonly ReadonlySet<string>[];

/** What a training comes to. */
export interface Trained {
  /** Mean over the tasks of what a user gets right, end to end, on test. */
  readonly score: number;
  readonly perTask: Readonly<Record<string, number>>;
  readonly graph: FlowGraph;
  /** Valid with its labels, and all rows with those that are known, the pool first. */
  readonly valid: ScoredSplit;
  readonly scored: ScoredSplit;
  readonly features: Float32Array | null;
}

// rows that pass the network in a training, so that few labels get as many steps as many
const ROWS_PER_TRAINING = 14_000;

/** Trains on what is labelled, in a store of its own, and answers to all rows. */
export async function train({ folder, truth, pool }: World, labelled: Labelled, name: string): Promise<Trained> {
  const held = (truth.length - pool) / 2;
  const allRows = truth.map((row, i): TextRow => {
    const split = i < pool ? "train" : i < pool + held ? "valid" : "test";
    const known = i < pool ? at(labelled, i) : null;
    const cells = Object.entries(row).map(([column, cell]) => [
      column,
      known === null || column === "img" || known.has(column) ? cell : "",
    ]);
    return { ...Object.fromEntries(cells), split };
  });
  const rows = allRows.filter((_, i) => i >= pool || at(labelled, i).size > 0);
  const table = `${name}.csv`;
  writeRows(path.join(folder, table), ["img", ...LABEL_COLUMNS, "split"], rows);
  const training = rows.filter(({ split }) => split === "train").length;
  const store = path.join(folder, `.cool-${name}`);
  const epochs = Math.max(6, Math.min(60, Math.round(ROWS_PER_TRAINING / training)));
  const sets = [`data.table=${table}`, `train.epochs=${epochs}`].flatMap((set) => ["--set", set]);
  const args = ["run", folder, "--store", store, "--name", name, "--json", ...sets];
  const printed = execFileSync(process.execPath, [path.join(ROOT, "bin", "run.js"), ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 1 << 28,
  });
  const { evaluation } = JSON.parse(printed) as { evaluation: EvaluationRow[] };
  const rightness = evaluation.filter(
    ({ split, gates, metric_name, task_path }) =>
      split === "test" &&
      gates === "end_to_end" &&
      !task_path.startsWith("_") &&
      ["accuracy", "accuracy_1", "within_tolerance"].includes(metric_name),
  );
  const perTask = Object.fromEntries(rightness.map(({ task_path, metric_res }) => [task_path, metric_res ?? 0]));
  const values = Object.values(perTask);
  const score = values.reduce((sum, value) => sum + value, 0) / values.length;
  // the run's table with all rows of the pool: what is not labelled is empty
  writeRows(path.join(folder, table), ["img", ...LABEL_COLUMNS, "split"], allRows);
  const run = await loadRun(store, name, { project: folder });
  try {
    const { graph } = run;
    const { scored, features } = await run.scoreTables();
    const outputs = await readPredictions(runFiles(run.dir).predictions("valid"), graph, "valid");
    const valid = scoreSplit(
      graph,
      outputs,
      scored.tasks.map((task) => task.thresholds),
    );
    return { score, perTask, graph, valid, scored, features };
  } finally {
    run.close();
  }
}
