/** @file Epochs: the seed decides everything, every row is visited once, a stopped epoch goes on exactly. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { Network } from "../../../src/engine/model/network.js";

import { rowLogits } from "../../support/row-logits.js";
import { type StepReport, Trainer, type TrainerConfig } from "../../../src/engine/optimization/trainer.js";
import {
  ADAMW,
  batchOf,
  graph,
  INPUTS,
  layout,
  makeData,
  plainTrunk,
  richTrunk,
  SGD,
  trainerOf,
  weightsOf,
} from "../../support/small-project.js";

const data = makeData(24);

beforeAll(async () => {
  await openBackend("cpu");
  await openBackend("wasm");
});
afterAll(() => tf.disposeVariables());

/** Trains for some epochs in a fresh network and trainer. */
async function train(epochs: number, config: Partial<TrainerConfig> = {}, buildSeed = 3) {
  const network = Network.build(graph, INPUTS, richTrunk, buildSeed);
  const trainer = trainerOf(network, config);
  for (let epoch = 1; epoch <= epochs; epoch++) await trainer.finishEpoch(data, data.rows, data.masks, 1e-2);
  const weights = weightsOf(network);
  network.dispose();
  return weights;
}

describe("the seed", () => {
  test.each(["wasm", "cpu"] as const)("gives the same weights bit by bit after three epochs: %s", async (backend) => {
    await openBackend(backend);
    expect(await train(3)).toEqual(await train(3));
    await openBackend("wasm");
  });

  test("of the trainer alone changes the order of rows and the dropout, and so the weights", async () => {
    const reference = await train(1);
    expect(await train(1, { seed: 6 })).not.toEqual(reference);
    // one batch per epoch: the same rows, only dropout differs
    const whole = { batchSize: 24 };
    expect(await train(1, { ...whole, seed: 6 })).not.toEqual(await train(1, whole));
  });

  test("does not touch the random numbers of the rest of the program", async () => {
    const original = Math.random;
    await train(1);
    expect(Math.random).toBe(original);
    const network = Network.build(graph, INPUTS, richTrunk, 3);
    const { inputs, targets } = batchOf(network, data);
    const broken = { ...targets, rows: 3 };
    await expect(trainerOf(network).step(inputs, broken, 1e-2)).rejects.toThrow();
    expect(Math.random).toBe(original);
    network.dispose();
  });
});

describe("an epoch", () => {
  test("visits every row once and keeps the logits of each row's step", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const trainer = trainerOf(network, { batchSize: 10, optimizer: SGD });
    const steps: StepReport[] = [];
    const report = await trainer.finishEpoch(data, data.rows, data.masks, 0, { onStep: (step) => steps.push(step) });
    expect([...report.rows].sort((a, b) => a - b)).toEqual([...data.rows]);
    expect([...report.rows]).not.toEqual([...data.rows]);
    expect(steps.map(({ epoch, batch, batches, step, rows }) => ({ epoch, batch, batches, step, rows }))).toEqual([
      { epoch: 1, batch: 1, batches: 3, step: 1, rows: 10 },
      { epoch: 1, batch: 2, batches: 3, step: 2, rows: 10 },
      { epoch: 1, batch: 3, batches: 3, step: 3, rows: 4 },
    ]);
    expect(report.interrupted).toBe(false);
    expect(report.meanGradientNorm).toBeCloseTo(steps.reduce((sum, step) => sum + step.gradientNorm, 0) / 3, 10);
    expect(trainer.position).toEqual({ epoch: 2, batch: 0, step: 3 });
    // at a learning rate of 0 the logits are those of the network now
    const now = rowLogits(network, batchOf(network, data, report.rows).inputs, 24);
    report.logits.forEach((logit, i) => {
      expect(logit).toBeCloseTo(now[i] as number, 4);
    });
    network.dispose();
  });

  test("without rows does nothing but end", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const trainer = trainerOf(network);
    const report = await trainer.finishEpoch(data, new Int32Array(0), data.masks, 1e-2);
    expect(report).toMatchObject({ interrupted: false, meanGradientNorm: 0 });
    expect(trainer.position).toEqual({ epoch: 2, batch: 0, step: 0 });
    network.dispose();
  });

  test("stopped by a signal ends after the current step, and its rest gives the same weights", async () => {
    const network = Network.build(graph, INPUTS, richTrunk, 3);
    const trainer = trainerOf(network);
    const controller = new AbortController();
    const stopped = await trainer.finishEpoch(data, data.rows, data.masks, 1e-2, {
      signal: controller.signal,
      onStep: ({ batch }) => {
        if (batch === 2) controller.abort();
      },
    });
    expect(stopped.interrupted).toBe(true);
    expect(stopped.rows.length).toBe(16);
    expect(stopped.logits.length).toBe(16 * layout.width);
    expect(trainer.position).toEqual({ epoch: 1, batch: 2, step: 2 });

    const rest = await trainer.finishEpoch(data, data.rows, data.masks, 1e-2);
    expect([...rest.rows].sort((a, b) => a - b)).toEqual([...data.rows]);
    expect(rest.rows.subarray(0, 16)).toEqual(stopped.rows);
    expect(rest.logits.subarray(0, 16 * layout.width)).toEqual(stopped.logits);
    const weights = weightsOf(network);
    network.dispose();
    expect(weights).toEqual(await train(1));
  });

  test("whose signal is already given takes no step", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const trainer = trainerOf(network);
    const report = await trainer.finishEpoch(data, data.rows, data.masks, 1e-2, { signal: AbortSignal.abort() });
    expect(report).toMatchObject({ interrupted: true, meanGradientNorm: 0 });
    expect(trainer.position).toEqual({ epoch: 1, batch: 0, step: 0 });
    network.dispose();
  });
});

describe("many epochs", () => {
  test("fit a flow that can be learned: brightness decides, the rest follows", async () => {
    const easy = makeData(24, "easy");
    for (const row of easy.rows) {
      const present = row % 2;
      (easy.labels[0]?.answers as Float32Array)[row] = present;
      (easy.labels[1]?.answers as Float32Array)[row] = present === 1 ? 48 : Number.NaN;
    }
    const masks = easy.masks.map((mask, task) =>
      task === 0 ? mask.map(() => 1) : mask.map((_, row) => (task === 1 ? row % 2 : 0)),
    );
    const bright = {
      image: {
        ...(easy.inputs.image as (typeof easy.inputs)[string]),
        read: (rows: ArrayLike<number>) =>
          Uint8Array.from(
            { length: rows.length * 192 },
            (_, i) => 60 + 120 * ((rows[Math.floor(i / 192)] as number) % 2),
          ),
      },
    };
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const trainer = new Trainer(network, { optimizer: ADAMW, batchSize: 8, clipNorm: null, seed: 1 });
    let last = 0;
    for (let epoch = 0; epoch < 60; epoch++) {
      await trainer.finishEpoch({ ...easy, inputs: bright }, easy.rows, masks, 1e-2, {
        onStep: ({ loss }) => {
          last = loss.total;
        },
      });
    }
    expect(last).toBeLessThan(0.02);
    network.dispose();
  });
});
