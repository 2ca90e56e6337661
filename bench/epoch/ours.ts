/** @file Our side of the epoch benchmark, in a process of its own: whole runs, and the steps alone. Prints one JSON line. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { type BackendChoice, openBackend } from "../../src/engine/backends/choose.js";
import { type Batch, createBatchReader } from "../../src/engine/batches/batch-reader.js";
import { Network } from "../../src/engine/model/network.js";
import { openStepEngine } from "../../src/engine/step-graph/open-step-engine.js";
import { Trainer } from "../../src/engine/optimization/trainer.js";
import { activeRows, bothMasks, labelledRows, type RowMask } from "../../src/flow/masks.js";
import { LoggerGroup } from "../../src/logging/logger-group.js";
import type { EpochSummary } from "../../src/logging/run-logger.js";
import { loadProject } from "../../src/project/load-project.js";
import { openDataset } from "../../src/training/open-dataset.js";
import { trainRun } from "../../src/training/train-run.js";
import { median, print, printProgress } from "../report.js";

/** Images per second of one side in one round. */
export interface EpochMeasurement {
  /** Steps on batches that lie in memory. */
  readonly steps: number;
  /** The training part of an epoch: reading from the pixel cache, steps, progress. */
  readonly training: number;
  /** The same with every picture moved and coloured. */
  readonly augmented: number;
  /** Share of the training part that lies within steps: the rest is reading, waiting for pictures, and progress. */
  readonly within: number;
  readonly augmentedWithin: number;
  /** From one epoch's end to the next: with validation, all metrics, curves and checkpoints. */
  readonly whole: number;
}

const AUGMENT = [
  "flipHorizontal=0.5",
  "shift=0.1",
  "scale=[0.9,1.1]",
  "brightness=0.2",
  "contrast=0.2",
  "saturation=0.2",
];

const { values: flags } = parseArgs({
  options: {
    project: { type: "string", default: "examples/home-security" },
    epochs: { type: "string", default: "4" },
    steps: { type: "string", default: "150" },
    backend: { type: "string", default: "auto" },
  },
});
const backend = flags.backend as BackendChoice;
const store = mkdtempSync(path.join(tmpdir(), "bench-epoch-"));

/** Milliseconds in the steps of the epoch in progress, and in epochs that are done. */
let inSteps = 0;
const shares: number[] = [];
const { step: stepOf, finishEpoch } = Trainer.prototype;
Trainer.prototype.step = async function (...args) {
  const start = performance.now();
  const result = await stepOf.apply(this, args);
  inSteps += performance.now() - start;
  return result;
};
Trainer.prototype.finishEpoch = async function (...args) {
  inSteps = 0;
  const start = performance.now();
  const report = await finishEpoch.apply(this, args);
  shares.push(inSteps / (performance.now() - start));
  return report;
};

interface RunSpeed {
  readonly training: number;
  readonly within: number;
  readonly whole: number;
}

/** Speeds of a run's epochs but the first, which traces and warms up. */
async function measureRun(set: readonly string[]): Promise<RunSpeed> {
  shares.length = 0;
  const project = await loadProject(flags.project, set);
  const ends: number[] = [];
  const summaries: EpochSummary[] = [];
  const logger = {
    epoch(summary: EpochSummary): void {
      ends.push(performance.now());
      summaries.push(summary);
    },
  };
  await trainRun(project, { store, backend, epochs: Number(flags.epochs), loggers: [logger] });
  const later = summaries.slice(1);
  return {
    within: median(shares.slice(1)),
    training: median(later.map(({ rowsPerSecond }) => rowsPerSecond)),
    whole: median(
      later.map(({ rowsPerSecond, seconds }, i) => {
        const elapsed = ((ends[i + 1] as number) - (ends[i] as number)) / 1000;
        return (rowsPerSecond * seconds) / elapsed;
      }),
    ),
  };
}

async function measureSteps(): Promise<number> {
  const project = await loadProject(flags.project);
  const dataset = await openDataset(project, project.settings, store, new LoggerGroup([]));
  await openBackend(backend);
  const { graph, inputs, trunk, settings } = project;
  const { optimizer, batchSize } = settings.train;
  const network = Network.build(graph, inputs, trunk, 0);
  const config = { optimizer, batchSize, clipNorm: null, seed: 0 };
  const engine = await openStepEngine(network, config, { warn: printProgress });
  const trainer = new Trainer(network, config, undefined, engine);
  const answers = dataset.labels.map((labels) => labels.answers);
  const active = activeRows(graph, answers, dataset.rows);
  const masks = graph.tasks.map(({ index, spec }) =>
    bothMasks(active[index] as RowMask, labelledRows(spec, answers[index] as Float32Array)),
  );
  const read = createBatchReader(network, dataset, masks, { epoch: 1 });
  const rows = dataset.splits.train;
  const batches = await Promise.all(
    Array.from({ length: 8 }, (_, i) => read(rows.subarray(i * batchSize, (i + 1) * batchSize))),
  );
  const step = async (index: number): Promise<void> => {
    const { inputs: own, targets } = batches[index % batches.length] as Batch;
    await trainer.step(own, targets, 1e-3);
  };
  for (let i = 0; i < 10; i++) await step(i);
  const steps = Number(flags.steps);
  const start = performance.now();
  for (let i = 0; i < steps; i++) await step(i);
  const seconds = (performance.now() - start) / 1000;
  await engine.dispose();
  network.dispose();
  dataset.close();
  return (steps * batchSize) / seconds;
}

try {
  const plain = await measureRun([]);
  const augmented = await measureRun(AUGMENT.map((setting) => `data.augment.${setting}`));
  const measurement: EpochMeasurement = {
    steps: await measureSteps(),
    ...plain,
    augmented: augmented.training,
    augmentedWithin: augmented.within,
  };
  print(JSON.stringify(measurement));
} finally {
  rmSync(store, { recursive: true, force: true });
}
