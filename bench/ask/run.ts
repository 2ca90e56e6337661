/**
 * @file What to label next, simulated on the example: from a few labelled rows on, the score end to end by the number of
 * labelled cells, asked for by `cool ask` and at random. It trains with the built package: run `npm run build` first.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { taskNeeds } from "../../src/analysis/labelling/gains.js";
import { rankCells } from "../../src/analysis/labelling/rank.js";
import { at } from "../../src/arrays.js";
import { createRandom, type Random } from "../../src/data/rng.js";
import { LABEL_COLUMNS } from "../../examples/home-security/generate.js";
import { print, printProgress, warnIfBusy, writeResults } from "../report.js";
import { makeWorld, train, type Trained, type World } from "./simulation.js";

const { values: flags } = parseArgs({
  options: {
    pool: { type: "string", default: "1500" },
    held: { type: "string", default: "300" },
    /** Rows that are labelled from the start. */
    start: { type: "string", default: "60" },
    step: { type: "string", default: "400" },
    rounds: { type: "string", default: "5" },
    strategy: { type: "string", default: "ask,rows" },
    seed: { type: "string", default: "1" },
    folder: { type: "string" },
  },
});

type Cells = Set<string>[];

/** Whether a cell has a label to give: the form asks for nothing else. */
const isThere = (world: World, row: number, column: string): boolean => at(world.truth, row)[column] !== "";

function count(labelled: readonly ReadonlySet<string>[]): number {
  return labelled.reduce((sum, cells) => sum + cells.size, 0);
}

/** Row after row at random, every question that the flow asks of it. */
function randomRows(world: World, labelled: Cells, budget: number, random: Random): void {
  const order = random.shuffle(Int32Array.from({ length: world.pool }, (_, row) => row));
  const target = count(labelled) + budget;
  for (const row of order) {
    for (const column of LABEL_COLUMNS) {
      if (count(labelled) >= target) return;
      if (isThere(world, row, column)) at(labelled, row).add(column);
    }
  }
}

/** Cell after cell at random, of those that the labels of their row say are asked. */
function randomCells(world: World, labelled: Cells, budget: number, random: Random): void {
  const gate: Readonly<Record<string, string>> = {
    door_open: "camera_blocked",
    door_locked: "door_open",
    person_present: "door_open",
  };
  for (let spent = 0; spent < budget; ) {
    const row = random.int(world.pool);
    const column = at(LABEL_COLUMNS, random.int(LABEL_COLUMNS.length));
    const first = gate[column] ?? (column === "camera_blocked" ? null : "person_present");
    const own = at(labelled, row);
    if (own.has(column) || !isThere(world, row, column) || (first !== null && !own.has(first))) continue;
    own.add(column);
    spent++;
  }
}

function asked(world: World, labelled: Cells, budget: number, { graph, valid, scored, features }: Trained): void {
  const counts = scored.tasks.map(({ lossMask }) =>
    lossMask.subarray(0, world.pool).reduce((sum, used) => sum + used, 0),
  );
  const ranked = rankCells(graph, scored, {
    features,
    isCandidate: (row) => row < world.pool,
    // some are not asked in the end
    budget: 2 * budget,
    seconds: graph.tasks.map(() => 1),
    needs: taskNeeds(graph, valid, counts, 0.05),
  });
  const target = count(labelled) + budget;
  for (const { row, task } of ranked ?? []) {
    if (count(labelled) >= target) return;
    const column = at(graph.tasks, task).name;
    if (isThere(world, row, column)) at(labelled, row).add(column);
  }
}

const folder =
  flags.folder === undefined ? mkdtempSync(path.join(tmpdir(), "cool-bench-ask-")) : path.resolve(flags.folder);
try {
  warnIfBusy();
  const world = await makeWorld(folder, Number(flags.pool), Number(flags.held));
  const curves: Record<string, { cells: number; score: number; perTask: Trained["perTask"] }[]> = {};
  for (const strategy of flags.strategy.split(",")) {
    const random = createRandom(flags.seed);
    const labelled: Cells = Array.from({ length: world.pool }, () => new Set<string>());
    for (let row = 0; row < Number(flags.start); row++) {
      for (const column of LABEL_COLUMNS) if (isThere(world, row, column)) at(labelled, row).add(column);
    }
    const curve: (typeof curves)[string] = [];
    for (let round = 0; round <= Number(flags.rounds); round++) {
      const trained = await train(world, labelled, `${strategy}-${flags.seed}-${round}`);
      curve.push({ cells: count(labelled), score: trained.score, perTask: trained.perTask });
      printProgress(`${strategy}: ${count(labelled)} cells, ${trained.score.toFixed(4)}`);
      if (strategy === "ask") asked(world, labelled, Number(flags.step), trained);
      else (strategy === "rows" ? randomRows : randomCells)(world, labelled, Number(flags.step), random);
    }
    curves[strategy] = curve;
  }
  for (const [strategy, curve] of Object.entries(curves)) {
    print(`${strategy}: ${curve.map(({ cells, score }) => `${cells} ${score.toFixed(3)}`).join(", ")}`);
  }
  print(writeResults(`ask-${flags.strategy}-${flags.seed}`, { curves }));
} finally {
  if (flags.folder === undefined) rmSync(folder, { recursive: true, force: true });
}
