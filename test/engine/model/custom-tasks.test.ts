/** @file Heads of custom tasks in the network, and weights learned from uncertainty. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { loadNetwork, loadTrainingState, saveCheckpoint } from "../../../src/engine/model/checkpoint.js";
import { batchLoss } from "../../../src/engine/optimization/losses.js";
import type { SymbolicTensor } from "../../../src/engine/model/network.js";

import { rowLogits } from "../../support/row-logits.js";
import { startSchedule } from "../../../src/engine/optimization/schedule.js";
import { createTaskWeights } from "../../../src/engine/optimization/task-weights.js";
import { Trainer } from "../../../src/engine/optimization/trainer.js";
import type { HeadFunction } from "../../../src/project/define-task.js";
import { build, graph, INPUTS, inputs, ROWS, targets } from "../../support/custom-project.js";
import { ADAMW, latestGradient, SGD, setWeight, valuesOf } from "../../support/small-project.js";

beforeAll(() => openBackend("cpu"));
afterAll(() => tf.disposeVariables());

describe("a head of the task's own", () => {
  test("lies after the merged heads, its layers in the model under the task's path; a known task has none", () => {
    const network = build();
    const columns = network.layout.columns.map(({ offset, width }) => [offset, width]);
    expect(columns).toEqual([
      [4, 2],
      [8, 0],
      [0, 1],
      [1, 2],
      [6, 2],
      [3, 1],
    ]);
    expect(network.layout.width).toBe(8);
    expect(network.model.outputNames).toEqual(["spot", "on", "wrist", "inner.spot", "inner.x"]);
    const layers = network.model.layers.map(({ name }) => name).filter((name) => name.includes("spot"));
    expect(layers.sort()).toEqual(
      ["inner.spot", "inner.spot.dense_1", "inner.spot.hidden", "spot", "spot.dense_1", "spot.hidden"].sort(),
    );
    network.dispose();
  });

  test("its logits are those of the plain model", () => {
    const network = build();
    const merged = rowLogits(network, inputs, ROWS);
    const outputs = network.model.predict(tf.tensor2d(inputs.v, [ROWS, 4])) as tf.Tensor[];
    [0, 2, 3, 4, 5].forEach((task, i) => {
      const { offset, width } = network.layout.columns[task] as { offset: number; width: number };
      const own = Array.from({ length: ROWS * width }, (_, at) => {
        return merged[Math.floor(at / width) * network.layout.width + offset + (at % width)] as number;
      });
      const plain = valuesOf(outputs[i] as tf.Tensor);
      for (const [at, value] of own.entries()) expect(value).toBeCloseTo(plain[at] as number, 6);
    });
    network.dispose();
  });

  test("trains with the trunk: the gradient of every weight is that of finite differences", async () => {
    const network = build();
    const trainer = new Trainer(network, { optimizer: SGD, batchSize: ROWS, clipNorm: null, seed: 1 });
    await trainer.step(inputs, targets, 0);
    const gradient = latestGradient(trainer).slice();
    const total = () => batchLoss(network.layout, rowLogits(network, inputs, ROWS), targets, null).total;
    const step = 1e-2;
    let at = 0;
    for (const variable of network.trainable) {
      const values = valuesOf(variable as tf.Tensor);
      values.forEach((value, i) => {
        const moved = (change: number) => {
          setWeight(variable, values.with(i, value + change));
          return total();
        };
        const slope = (moved(step) - moved(-step)) / (2 * step);
        setWeight(variable, values);
        expect(gradient[at + i]).toBeCloseTo(slope, 2);
      });
      at += variable.size;
    }
    expect(at).toBe(gradient.length);
    network.dispose();
  });

  test("is saved and loaded with the checkpoint, without the user's code", async () => {
    const dir = mkdtempSync(join(tmpdir(), "own-head-"));
    try {
      const network = build();
      const trainer = new Trainer(network, { optimizer: ADAMW, batchSize: ROWS, clipNorm: null, seed: 1 });
      for (let i = 0; i < 3; i++) await trainer.step(inputs, targets, 0.05);
      await saveCheckpoint(join(dir, "last"), network);
      // the same graph, but a definition that this process has never seen
      const foreign = JSON.parse(JSON.stringify(graph).replaceAll(/"digest":"[0-9a-f]*"/g, '"digest":"ff"'));
      const loaded = await loadNetwork(join(dir, "last"), foreign, INPUTS);
      expect(rowLogits(loaded, inputs, ROWS)).toEqual(rowLogits(network, inputs, ROWS));
      loaded.dispose();
      network.dispose();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test.each<[string, HeadFunction, string]>([
    [
      "of another width",
      ({ feature, layers }) => layers.dense({ units: 3 }).apply(feature) as SymbolicTensor,
      'The head of the task "spot" (of the type "point") puts out [batch, 3]; expected [batch, 2].',
    ],
    [
      "that is no tensor",
      (() => 3) as never,
      'The head of the task "spot" (of the type "point") returns 3; expected the output of a layer',
    ],
    [
      "that fails",
      () => {
        throw new Error("no such layer");
      },
      'The head of the task "spot" (of the type "point") fails: no such layer.',
    ],
  ])("one %s is refused by the task's path, with what was expected", (_, head, message) => {
    expect(() => build(head)).toThrow(message);
  });
});

describe("weights by uncertainty", () => {
  const network = () => build();
  const config = { optimizer: { ...SGD, learningRate: 1 }, batchSize: ROWS, clipNorm: null, seed: 1 } as const;

  /** Losses of a batch whose tasks have these means; null: no row. */
  const losses = (...means: (number | null)[]) => ({
    total: 0,
    tasks: means.map((mean) => (mean === null ? { sum: 0, terms: 0 } : { sum: 2 * mean, terms: 2 })),
  });

  test("start as the constants, halved for squared errors", () => {
    const net = network();
    const weights = createTaskWeights("uncertainty", net.layout, SGD);
    // spot is categorical unless its definition says otherwise; wrist and x are Gaussian
    expect(weights.factors).toEqual([1, 1, 1, 0.5, 1, 0.5]);
    expect(weights.logVariances).toEqual([0, null, 0, 0, 0, 0]);
    expect(weights.regularizer(losses(1, null, 1, 1, 1, 1))).toBe(0);
    net.dispose();
  });

  test("one step of s is the formula's, by hand", () => {
    const net = network();
    const weights = createTaskWeights("uncertainty", net.layout, SGD);
    // ∂/∂s (exp(−s)·L + s/2) = 1/2 − L at s = 0; Gaussian: 1/2 − L/2
    weights.update(losses(2, null, 0.25, 3, null, 1), 0.1);
    const expected = [0.15, null, -0.025, 0.1, 0, 0];
    weights.logVariances.forEach((value, i) => {
      if (value === null) expect(expected[i]).toBe(null);
      else expect(value).toBeCloseTo(expected[i] as number, 6);
    });
    expect(weights.factors[0]).toBeCloseTo(Math.exp(-0.15), 6);
    expect(weights.factors[3]).toBeCloseTo(Math.exp(-0.1) / 2, 6);
    expect(weights.regularizer(losses(1, null, 1, 1, 1, 1))).toBeCloseTo((0.15 - 0.025 + 0.1) / 2, 6);
    net.dispose();
  });

  test("the gradient of s is that of finite differences of the total", () => {
    const net = network();
    const values = [0.3, null, -0.7, 1.1, 0.2, -0.4];
    const means = losses(2, null, 0.25, 3, 0.7, 1.5);
    const restored = (change: number, task: number) =>
      createTaskWeights("uncertainty", net.layout, SGD, {
        updates: 0,
        slots: {
          log_variance: Float32Array.from(values, (value, i) => (value ?? 0) + (i === task ? change : 0)),
          "log_variance/updates": new Float32Array(6),
          "log_variance/velocity": new Float32Array(6),
        },
      });
    const total = (change: number, task: number): number => {
      const weights = restored(change, task);
      const weighted = means.tasks.reduce(
        (sum, { sum: loss, terms }, i) => (terms === 0 ? sum : sum + (weights.factors[i] as number) * (loss / terms)),
        0,
      );
      return weighted + weights.regularizer(means);
    };
    [0, 2, 3, 4, 5].forEach((task) => {
      const step = 2 ** -7;
      const slope = (total(step, task) - total(-step, task)) / (2 * step);
      const moved = restored(0, task);
      const before = moved.logVariances[task] as number;
      moved.update(means, 1);
      expect(before - (moved.logVariances[task] as number)).toBeCloseTo(slope, 3);
    });
    net.dispose();
  });

  test("weigh loss and gradient of a training step", async () => {
    const [constant, learned] = [network(), network()];
    const plain = new Trainer(constant, config);
    const weighted = new Trainer(learned, { ...config, taskWeighting: "uncertainty" });
    const before = (await plain.step(inputs, targets, 0)).loss;
    const at = (await weighted.step(inputs, targets, 0)).loss;
    const means = before.tasks.map(({ sum, terms }) => (terms === 0 ? 0 : sum / terms));
    const factors = [1, 0, 1, 0.5, 1, 0.5];
    expect(at.total).toBeCloseTo(
      means.reduce((sum, mean, i) => sum + mean * (factors[i] as number), 0),
      6,
    );
    expect(latestGradient(weighted)).not.toEqual(latestGradient(plain));
    constant.dispose();
    learned.dispose();
  });

  test("a task without a row does not move its s, in spite of momentum and weight decay", async () => {
    const net = network();
    const trainer = new Trainer(net, {
      ...config,
      optimizer: { ...ADAMW, weightDecay: 0.1 },
      taskWeighting: "uncertainty",
    });
    await trainer.step(inputs, targets, 0.1);
    const before = trainer.logVariances;
    expect(before[3]).not.toBe(0);
    const none = new Uint8Array(ROWS);
    await trainer.step(inputs, { ...targets, masks: targets.masks.map((mask, i) => (i === 3 ? none : mask)) }, 0.1);
    expect(trainer.logVariances[3]).toBe(before[3]);
    expect(trainer.logVariances[0]).not.toBe(before[0]);
    net.dispose();
  });

  test("a trainer that is saved and opened again goes on exactly", async () => {
    const dir = mkdtempSync(join(tmpdir(), "log-variance-"));
    try {
      const [net, adam] = [network(), { ...config, optimizer: ADAMW, taskWeighting: "uncertainty" } as const];
      const trainer = new Trainer(net, adam);
      for (let i = 0; i < 2; i++) await trainer.step(inputs, targets, 0.1);
      const schedule = startSchedule({ learningRate: 0.1, reduceOnPlateau: null, earlyStopping: null });
      const state = { ...(await trainer.snapshot()), schedule };
      await saveCheckpoint(join(dir, "last"), net, state);
      const reopened = await loadNetwork(join(dir, "last"), graph, INPUTS);
      const resumed = new Trainer(reopened, adam, loadTrainingState(join(dir, "last")));
      expect(resumed.logVariances).toEqual(trainer.logVariances);
      for (let i = 0; i < 2; i++) {
        await trainer.step(inputs, targets, 0.1);
        await resumed.step(inputs, targets, 0.1);
      }
      expect(resumed.logVariances).toEqual(trainer.logVariances);
      expect(rowLogits(reopened, inputs, ROWS)).toEqual(rowLogits(net, inputs, ROWS));
      net.dispose();
      reopened.dispose();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
