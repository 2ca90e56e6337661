/** @file Checkpoints: a model that plain tfjs opens, and a run that goes on exactly. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { readInputs } from "../../../src/engine/batches/batch-reader.js";
import {
  loadNetwork,
  loadTrainingState,
  saveCheckpoint,
  type TrainingState,
} from "../../../src/engine/model/checkpoint.js";
import { Network, type TrunkFunction } from "../../../src/engine/model/network.js";

import { rowLogits } from "../../support/row-logits.js";
import { afterEpoch, startSchedule } from "../../../src/engine/optimization/schedule.js";
import type { ScheduleState } from "../../../src/engine/model/training-state.js";
import { Trainer, type TrainerConfig } from "../../../src/engine/optimization/trainer.js";
import {
  ADAMW,
  batchOf,
  counts,
  graph,
  INPUTS,
  layout,
  makeData,
  richTrunk,
  SGD,
  trainerOf,
  valuesOf,
  weightsOf,
} from "../../support/small-project.js";

const data = makeData(24);
let dir: string;

beforeAll(async () => {
  await openBackend("wasm");
});
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cool-checkpoint-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});
afterAll(() => tf.disposeVariables());

/** Runs a function with a network and frees it. */
async function using<T>(network: Network | Promise<Network>, work: (network: Network) => T | Promise<T>): Promise<T> {
  const open = await network;
  try {
    return await work(open);
  } finally {
    open.dispose();
  }
}

function build(seed: number, trunk: TrunkFunction = richTrunk): Network {
  return Network.build(graph, INPUTS, trunk, seed);
}

function weightsIn(folder: string): Promise<Float32Array[]> {
  return using(loadNetwork(folder, graph, INPUTS), weightsOf);
}

const STATE: TrainingState = {
  position: { epoch: 3, batch: 2, step: 8 },
  schedule: { learningRate: 0.05, best: { loss: 0.1, epoch: 2 }, epochsSinceBest: 1, epochsOnPlateau: 1 },
  optimizer: { updates: 8, slots: { mean: Float32Array.of(1, -2.5), variance: Float32Array.of(3, 4e-30) } },
};

describe("a saved checkpoint", () => {
  test("is a model that plain tfjs opens, with the same logits per task", async () => {
    await using(build(1), async (network) => {
      const trainer = trainerOf(network);
      const { inputs, targets } = batchOf(network, data);
      for (let step = 0; step < 3; step++) await trainer.step(inputs, targets, 1e-2);
      await saveCheckpoint(join(dir, "best"), network);

      // nothing of ours: the JSON and the bytes as tfjs's own loaders read them
      const json = JSON.parse(readFileSync(join(dir, "best", "model.json"), "utf8"));
      expect(json.format).toBe("layers-model");
      expect(json.weightsManifest.map((group: { paths: string[] }) => group.paths)).toEqual([["weights.bin"]]);
      const weightData = new Uint8Array(readFileSync(join(dir, "best", "weights.bin"))).buffer;
      const weightSpecs = json.weightsManifest.flatMap((group: { weights: object[] }) => group.weights);
      const model = await tfl.loadLayersModel(
        tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs, weightData }),
      );

      const pixels = Float32Array.from(inputs.image as Uint8Array, (byte) => byte / 255);
      const outputs = tf.tidy(() => (model.predict(tf.tensor(pixels, [24, 8, 8, 3])) as tf.Tensor[]).map(valuesOf));
      const merged = rowLogits(network, inputs, 24);
      expect(model.outputNames).toEqual(graph.tasks.map(({ path }) => path));
      layout.columns.forEach(({ offset, width }, task) => {
        outputs[task]?.forEach((logit, i) => {
          const at = Math.floor(i / width) * layout.width + offset + (i % width);
          expect(Math.abs(logit - (merged[at] as number))).toBeLessThan(1e-5);
        });
      });
      model.dispose();
    });
  });

  test("gives back every weight bit by bit, moving averages included", async () => {
    await using(build(1), async (network) => {
      const { inputs, targets } = batchOf(network, data);
      await trainerOf(network).step(inputs, targets, 1e-2);
      await saveCheckpoint(join(dir, "best"), network);
      expect(await weightsIn(join(dir, "best"))).toEqual(weightsOf(network));
      expect(network.statistics.length).toBe(2);
    });
  });

  test("gives back the training state bit by bit", async () => {
    await using(build(1), (network) => saveCheckpoint(join(dir, "last"), network, STATE));
    expect(loadTrainingState(join(dir, "last"))).toEqual(STATE);
    expect(readdirSync(join(dir, "last")).sort()).toEqual(["model.json", "optimizer.bin", "state.json", "weights.bin"]);
  });

  test("leaves no tensor behind, saved or loaded", async () => {
    await using(build(1), async (network) => {
      await saveCheckpoint(join(dir, "last"), network, STATE);
      const before = counts();
      await saveCheckpoint(join(dir, "last"), network, STATE);
      await weightsIn(join(dir, "last"));
      expect(counts()).toEqual(before);
    });
  });

  test("is replaced by the next one, and nothing else stays in the folder", async () => {
    await using(build(1), (network) => saveCheckpoint(join(dir, "last"), network, STATE));
    const weights = await using(build(2), async (network) => {
      await saveCheckpoint(join(dir, "last"), network);
      return weightsOf(network);
    });
    expect(await weightsIn(join(dir, "last"))).toEqual(weights);
    expect(readdirSync(dir)).toEqual(["last"]);
    // the newer one has no state: the older one's does not shine through
    expect(() => loadTrainingState(join(dir, "last"))).toThrow(/holds weights only/);
  });
});

describe("a loaded network", () => {
  test("predicts what the saved one predicted, bit by bit", async () => {
    const last = join(dir, "last");
    const expected = await using(build(1), async (network) => {
      await saveCheckpoint(last, network);
      return rowLogits(network, readInputs(network, data, data.rows), 24);
    });
    const actual = await using(loadNetwork(last, graph, INPUTS), (network) =>
      rowLogits(network, readInputs(network, data, data.rows), 24),
    );
    expect(actual).toEqual(expected);
  });
});

/** A run of two epochs on a falling schedule, stopped and loaded anew after each number of steps in `stops`. */
async function runWithStops(config: TrainerConfig, stops: readonly number[]): Promise<Float32Array[]> {
  const plateau = { learningRate: 0.02, reduceOnPlateau: { factor: 0.5, patience: 1, minLearningRate: 0 } };
  const scheduleConfig = { ...plateau, earlyStopping: null };
  const last = join(dir, "last");
  let network = build(3);
  let trainer = new Trainer(network, config);
  let schedule: ScheduleState = startSchedule(scheduleConfig);
  while (trainer.position.epoch <= 3) {
    const { epoch } = trainer.position;
    const controller = new AbortController();
    const report = await trainer.finishEpoch(data, data.rows, data.masks, schedule.learningRate, {
      signal: controller.signal,
      onStep: ({ step }) => {
        if (stops.includes(step)) controller.abort();
      },
    });
    // a loss that rises: the learning rate falls after every epoch but the first
    if (!report.interrupted) schedule = afterEpoch(scheduleConfig, schedule, epoch, epoch).state;
    if (!controller.signal.aborted) continue;
    const state = { ...(await trainer.snapshot()), schedule };
    await saveCheckpoint(last, network, state);
    network.dispose();
    const loaded = loadTrainingState(last);
    network = await loadNetwork(last, graph, INPUTS);
    trainer = new Trainer(network, config, loaded);
    schedule = loaded.schedule;
  }
  expect(schedule.learningRate).toBe(0.005);
  const weights = weightsOf(network);
  network.dispose();
  return weights;
}

describe("a run that was stopped and goes on from its checkpoint", () => {
  test.each([
    ["AdamW", ADAMW],
    ["SGD with momentum", { ...SGD, momentum: 0.9, nesterov: true }],
  ] as const)("ends with the weights of one that never stopped, bit by bit: %s", async (_, optimizer) => {
    // 24 rows in batches of 10: three steps per epoch, the last one short
    const config: TrainerConfig = { optimizer, batchSize: 10, clipNorm: 5, seed: 9 };
    const uninterrupted = await runWithStops(config, []);
    // in the middle of an epoch, at its end, twice in one epoch
    expect(await runWithStops(config, [1])).toEqual(uninterrupted);
    expect(await runWithStops(config, [2, 3, 7, 8])).toEqual(uninterrupted);
  });
});
