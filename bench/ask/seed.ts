/** @file Labelling simulated with one seed; run.ts bundles and starts it. Prints a line of JSON. */
import { parseArgs } from "node:util";
import { createRandom } from "../../src/data/rng.js";
import { openBackend } from "../../src/engine/backends/choose.js";
import { print, printProgress } from "../report.js";
import type { Point } from "./curves.js";
import { train, type Trained, type TrainingOptions } from "./simulation.js";
import { labelRows, STRATEGIES, strategies } from "./strategies.js";
import { cellsIn, type Labelled, makeWorld, nothingLabelled, type World } from "./world.js";

const { values: flags } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    strategies: { type: "string", default: "rows" },
    /** Labelled cells at which a network is trained, the start first, of `ask` and of the others. */
    ask: { type: "string", default: "120" },
    others: { type: "string", default: "120" },
    pool: { type: "string", default: "1500" },
    valid: { type: "string", default: "60" },
    test: { type: "string", default: "300" },
  },
});

const seed = Number(flags.seed);
const options: TrainingOptions = { rowsPerTraining: 6000, batchSize: 16, learningRate: 0.004, seed, tolerance: 0.05 };
const name = (text: string) => STRATEGIES.filter((one) => one === text);

async function trainedOn(world: World, labelled: Labelled, what: string): Promise<[Trained, Point]> {
  const cpu = process.cpuUsage();
  const trained = await train(world, labelled, options);
  const { user, system } = process.cpuUsage(cpu);
  const perTask = labelled.map((mask) => mask.reduce((a, b) => a + b, 0));
  const point = { cells: cellsIn(labelled), score: trained.score, labels: perTask, right: trained.perTask };
  printProgress(
    `seed ${seed}, ${what}: ${point.cells} cells, ${point.score.toFixed(4)}, ${((user + system) / 1e6).toFixed(1)} s; ${perTask.join(" ")}; ${Object.values(
      trained.perTask,
    )
      .map((share) => share.toFixed(2))
      .join(" ")}`,
  );
  return [trained, point];
}

await openBackend("wasm");
const world = await makeWorld({ pool: Number(flags.pool), valid: Number(flags.valid), test: Number(flags.test), seed });
const start = nothingLabelled(world);
const [first = 0] = flags.others.split(",").map(Number);
const random = createRandom(`ask/${seed}`);
labelRows(world, start, first, random.shuffle(Int32Array.from({ length: world.pool }, (_, row) => row)));
const [atStart, startPoint] = await trainedOn(world, start, "start");
const curves: Record<string, Point[]> = {};
for (const strategy of flags.strategies.split(",").flatMap(name)) {
  const own = createRandom(`ask/${seed}/${strategy}`);
  const labelled = start.map((mask) => Uint8Array.from(mask));
  const curve = [startPoint];
  let trained = atStart;
  for (const cells of (strategy === "ask" ? flags.ask : flags.others).split(",").map(Number).slice(1)) {
    strategies[strategy](world, labelled, cells, own, trained);
    const [next, point] = await trainedOn(world, labelled, strategy);
    trained = next;
    curve.push(point);
  }
  curves[strategy] = curve;
}
print(JSON.stringify({ seed, curves }));
process.exit(0);
