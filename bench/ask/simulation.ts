/** @file One training of a simulation: on the cells that are labelled so far, always from the same weights. */
import { evaluateEndToEnd } from "../../src/analysis/end-to-end.js";
import { scoreSplit, type ScoredSplit } from "../../src/analysis/score.js";
import { at } from "../../src/arrays.js";
import type { InputSource } from "../../src/data/dataset.js";
import { selectLabels } from "../../src/data/labels/select-labels.js";
import { rowFeatures } from "../../src/engine/inference/features.js";
import { predictLogits } from "../../src/engine/inference/predict.js";
import { Network } from "../../src/engine/model/network.js";
import { Trainer } from "../../src/engine/optimization/trainer.js";
import { behaviourOf } from "../../src/tasks/index.js";
import { IMAGE, knownLabels, type Labelled, trunk, type World } from "./world.js";

/** What a training comes to. */
export interface Trained {
  /** Mean over the tasks of what a user gets right, end to end, on test. */
  readonly score: number;
  readonly perTask: Readonly<Record<string, number>>;
  /** Valid with its labels, and the pool with those that are known. */
  readonly valid: ScoredSplit;
  readonly scored: ScoredSplit;
  readonly features: Float32Array | null;
}

export interface TrainingOptions {
  /** Rows that pass the network in a training, so that few labels get as many steps as many. */
  readonly rowsPerTraining: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly tolerance: number;
}

/** AdamW with half a cosine of the learning rate; the last weights count. */
export async function train(world: World, labelled: Labelled, options: TrainingOptions): Promise<Trained> {
  const { graph, pool } = world;
  const { batchSize, learningRate, seed } = options;
  const { labels, masks } = knownLabels(world, labelled);
  const rows = Int32Array.from(
    Array.from({ length: pool }, (_, row) => row).filter((row) => masks.some((mask) => mask[row] === 1)),
  );
  const network = Network.build(graph, { image: IMAGE }, trunk, seed);
  const optimizer = {
    kind: "adamw",
    learningRate,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 1e-4,
  } as const;
  const trainer = new Trainer(network, { optimizer, batchSize, clipNorm: null, seed });
  const image: InputSource = { spec: IMAGE, read: world.read, close: () => {} };
  const epochs = Math.max(1, Math.round(options.rowsPerTraining / rows.length));
  const steps = epochs * Math.ceil(rows.length / batchSize);
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const rate = (step: number): number => (learningRate * (1 + Math.cos((Math.PI * step) / steps))) / 2;
      await trainer.finishEpoch({ inputs: { image }, labels, offsets: null, weights: null }, rows, masks, rate);
    }
    await trainer.engine.dispose();
    const scoredSplit = async (from: number, count: number, own: typeof labels | null): Promise<ScoredSplit> => {
      const some = Int32Array.from({ length: count }, (_, i) => from + i);
      const outputs = await predictLogits(network, some, (batch) => ({ image: world.read(batch) }));
      const split = {
        split: "valid" as const,
        ids: Array.from(some, String),
        outputs,
        labels: own ?? graph.tasks.map(({ spec, index }) => selectLabels(spec, at(world.labels, index), some)),
      };
      return scoreSplit(
        graph,
        split,
        graph.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec)),
      );
    };
    const everyRow = Int32Array.from({ length: pool }, (_, row) => row);
    const test = await scoredSplit(pool + world.valid, world.test, null);
    const perTask = rightShares(graph, test, options.tolerance);
    const shares = Object.values(perTask);
    return {
      score: shares.reduce((sum, share) => sum + share, 0) / shares.length,
      perTask,
      valid: await scoredSplit(pool, world.valid, null),
      scored: await scoredSplit(0, pool, labels),
      features: await rowFeatures(network, everyRow, (batch) => ({ image: world.read(batch) })),
    };
  } finally {
    network.dispose();
  }
}

/** By task: of the rows that should be asked or are, how many a user sees the right answer to. */
function rightShares(graph: World["graph"], test: ScoredSplit, tolerance: number): Record<string, number> {
  const rows = evaluateEndToEnd(graph, test, tolerance).filter(
    ({ task_path, metric_name }) =>
      !task_path.startsWith("_") && ["accuracy", "accuracy_1", "within_tolerance"].includes(metric_name),
  );
  return Object.fromEntries(rows.map(({ task_path, metric_res }) => [task_path, metric_res ?? 0]));
}
