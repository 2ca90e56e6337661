/** @file Training with one TensorFlow graph per step: what goes on between steps, and where no graph can be made. */
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openBackend } from "../../src/engine/backends/choose.js";
import { readInputs } from "../../src/engine/batches/batch-reader.js";
import { Network, type TrunkFunction } from "../../src/engine/model/network.js";
import type { OptimizerConfig } from "../../src/engine/optimization/optimizer.js";
import { openCompute } from "../../src/engine/inference/compute-logits.js";
import { predictLogits } from "../../src/engine/inference/predict.js";
import { GraphSteps } from "../../src/engine/step-graph/graph-step.js";
import { tensorflowBackend } from "../../src/engine/backends/tensorflow/binding.js";
import { GraphForward } from "../../src/engine/step-graph/graph-forward.js";
import type { ConflictCounts } from "../../src/engine/optimization/conflicts.js";
import { Trainer, type TrainerConfig } from "../../src/engine/optimization/trainer.js";
import type { TrainerSnapshot } from "../../src/engine/model/training-state.js";
import { TrainingError } from "../../src/errors.js";
import {
  ADAMW,
  batchOf,
  counts,
  graph,
  INPUTS,
  makeData,
  plainTrunk,
  richTrunk,
  SGD,
  trunkWith,
  weightsOf,
} from "../support/small-project.js";
import { needsTensorflow } from "./tensorflow.js";

needsTensorflow();
const data = makeData(27);
const config: TrainerConfig = { optimizer: ADAMW, batchSize: 8, clipNorm: null, seed: 5 };
const warnings: string[] = [];

afterEach(() => {
  warnings.length = 0;
});

function graphTrainer(network: Network, changes: Partial<TrainerConfig> = {}, resume?: TrainerSnapshot): Trainer {
  const backend = tensorflowBackend();
  if (backend === null) throw new Error("not on TensorFlow");
  const own = { ...config, ...changes };
  const engine = new GraphSteps(backend, network, own, resume?.optimizer, (warning) => warnings.push(warning));
  return new Trainer(network, own, resume, engine);
}

/** Two epochs on one backend, the learning rate halved in between; 27 rows in batches of 8 leave an odd one. */
async function twoEpochs(
  backend: "cpu" | "tensorflow",
  trunk: TrunkFunction,
  changes: Partial<TrainerConfig> = {},
): Promise<{
  readonly weights: readonly Float32Array[];
  readonly snapshot: TrainerSnapshot;
  readonly losses: number[];
  /** Of each epoch. */
  readonly conflicts: readonly ConflictCounts[];
}> {
  await openBackend(backend);
  const network = Network.build(graph, INPUTS, trunk, 3);
  const trainer = backend === "cpu" ? new Trainer(network, { ...config, ...changes }) : graphTrainer(network, changes);
  const losses: number[] = [];
  const conflicts: ConflictCounts[] = [];
  for (const learningRate of [1e-2, 5e-3]) {
    const report = await trainer.finishEpoch(data, data.rows, data.masks, learningRate, {
      onStep: ({ loss }) => losses.push(loss.total),
    });
    conflicts.push(report.conflicts);
  }
  const snapshot = await trainer.snapshot();
  const weights = weightsOf(network).map((values) => values.slice());
  await trainer.engine.dispose();
  network.dispose();
  return { weights, snapshot: structuredClone(snapshot), losses, conflicts };
}

function expectClose(actual: readonly Float32Array[], expected: readonly Float32Array[], relative: number): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((values, i) => {
    const size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    const apart = values.reduce((most, value, k) => Math.max(most, Math.abs(value - (actual[i]?.[k] as number))), 0);
    expect(apart / size).toBeLessThan(relative);
  });
}

const momentum = { ...SGD, momentum: 0.9, weightDecay: 1e-3 } as OptimizerConfig;

/** Stretches in the middle, one of them not moved at all, and one at the beginning. */
const RATES = [
  { from: 0, to: 7, factor: 0.1 },
  { from: 12, to: 20, factor: 0 },
  { from: 20, to: 30, factor: 0.5 },
];

describe("two epochs in graphs are those on cpu", () => {
  const cases: readonly (readonly [string, TrunkFunction, Partial<TrainerConfig>])[] = [
    ["AdamW", plainTrunk, {}],
    ["Adam", plainTrunk, { optimizer: { ...ADAMW, weightDecay: 0 } as OptimizerConfig }],
    ["SGD with momentum", plainTrunk, { optimizer: momentum }],
    ["SGD with Nesterov's momentum", plainTrunk, { optimizer: { ...momentum, nesterov: true } as OptimizerConfig }],
    ["clipped gradients", plainTrunk, { clipNorm: 0.05 }],
    ["learned weights of the tasks", plainTrunk, { taskWeighting: "uncertainty" }],
    ["dropout, batch normalization and penalties", richTrunk, {}],
    ["a batch in parts, clipped, with an average", plainTrunk, { accumulate: 3, clipNorm: 0.05, averageDecay: 0.5 }],
    ["parts with dropout, batch normalization and penalties", richTrunk, { accumulate: 3 }],
    ["rates by layer and an average", plainTrunk, { layerRates: RATES, averageDecay: 0.5 }],
    ["rates by layer, a batch in parts", plainTrunk, { layerRates: RATES, accumulate: 3, optimizer: momentum }],
    ["PCGrad", plainTrunk, { conflicts: "project" }],
    ["UPGrad behind dropout, batch normalization and penalties", richTrunk, { conflicts: "upgrad" }],
  ];
  test.each(cases)("%s", async (_, trunk, changes) => {
    const expected = await twoEpochs("cpu", trunk, changes);
    const actual = await twoEpochs("tensorflow", trunk, changes);
    expect(warnings).toEqual([]);
    expectClose(actual.weights, expected.weights, 1e-3);
    expectClose([Float32Array.from(actual.losses)], [Float32Array.from(expected.losses)], 1e-4);
    expect(actual.conflicts).toEqual(expected.conflicts);
    const slots = (snapshot: TrainerSnapshot) => Object.values(snapshot.optimizer.slots);
    expectClose(slots(actual.snapshot), slots(expected.snapshot), 1e-3);
    expect(actual.snapshot.optimizer.updates).toBe(expected.snapshot.optimizer.updates);
  });

  test("twice give the same weights to the last bit", async () => {
    const [first, second] = [await twoEpochs("tensorflow", richTrunk), await twoEpochs("tensorflow", richTrunk)];
    expect(second.weights).toEqual(first.weights);
  });
});

describe("a graph", () => {
  test("is traced once per size of batch, whatever the learning rate", async () => {
    await openBackend("tensorflow");
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const trainer = graphTrainer(network);
    const backend = tensorflowBackend() as NonNullable<ReturnType<typeof tensorflowBackend>>;
    const { binding } = backend;
    const load = vi.fn(binding.loadSavedModel.bind(binding));
    backend.binding = Object.create(binding, { loadSavedModel: { value: load } });
    const before = counts();
    try {
      for (const learningRate of [1e-2, 5e-3, 1e-3]) {
        await trainer.finishEpoch(data, data.rows, data.masks, learningRate);
      }
    } finally {
      backend.binding = binding;
    }
    // 8 rows, and the 3 that are left over
    expect(load).toHaveBeenCalledTimes(2);
    expect(counts()).toEqual(before);
    await trainer.engine.dispose();
    network.dispose();
  });

  test.each([
    ["a whole batch", {}],
    ["parts of a batch", { accumulate: 3 }],
    ["projected gradients", { conflicts: "project" }],
  ] as const)("leaves everything as it was where the loss is not finite, and goes on: %s", async (_, changes) => {
    await openBackend("tensorflow");
    const network = Network.build(graph, INPUTS, richTrunk, 3);
    const trainer = graphTrainer(network, changes);
    const { inputs, targets } = batchOf(network, data);
    await trainer.step(inputs, targets, 1e-2);
    const state = async () => structuredClone({ ...(await trainer.snapshot()), weights: weightsOf(network) });
    const before = await state();
    const labels = targets.labels.map((label, i) =>
      i === 1 ? { ...label, answers: label.answers.map(() => Number.POSITIVE_INFINITY) } : label,
    );
    await expect(trainer.step(inputs, { ...targets, labels }, 1e-2)).rejects.toThrow(TrainingError);
    expect(await state()).toEqual(before);
    await trainer.step(inputs, targets, 1e-2);
    expect(trainer.position.step).toBe(2);
    expect((await state()).weights).not.toEqual(before.weights);
    await trainer.engine.dispose();
    network.dispose();
  });

  test("gives a batch without an active row a zero gradient", async () => {
    await openBackend("tensorflow");
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const trainer = graphTrainer(network, { optimizer: SGD });
    const { inputs, targets } = batchOf(network, data);
    const none = { ...targets, masks: targets.masks.map((mask) => new Uint8Array(mask.length)) };
    const before = weightsOf(network).map((values) => values.slice());
    const { loss, gradientNorm } = await trainer.step(inputs, none, 1);
    await trainer.engine.writeBack("trained");
    expect([loss.total, gradientNorm]).toEqual([0, 0]);
    expect(weightsOf(network)).toEqual(before);
    await trainer.engine.dispose();
    network.dispose();
  });

  test("of a layer that reads values in JavaScript is given up, with one warning and the same result", async () => {
    const peeking: TrunkFunction = (inputs, layers) => {
      const trunk = trunkWith((own) => {
        const layer = own.activation({ activation: "linear" });
        const call = layer.call.bind(layer);
        layer.call = (x, options) => {
          const [tensor] = [x].flat() as [tf.Tensor];
          const scale = (tf.sum(tensor).dataSync()[0] as number) > 0 ? 1 : 2;
          return tf.mul(call(x, options) as tf.Tensor, scale);
        };
        return [layer];
      });
      return trunk(inputs, layers, {} as never);
    };
    const expected = await twoEpochs("cpu", peeking);
    const actual = await twoEpochs("tensorflow", peeking);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Training steps run op by op .* because a layer reads the values of a tensor while it computes/,
      ),
    ]);
    expectClose(actual.weights, expected.weights, 1e-3);
  });

  test.each(["cpu", "tensorflow"] as const)(
    "goes on from a checkpoint made elsewhere, or is gone on with: %s first",
    async (first) => {
      const expected = await twoEpochs("cpu", richTrunk);
      await openBackend(first);
      let network = Network.build(graph, INPUTS, richTrunk, 3);
      let trainer = first === "cpu" ? new Trainer(network, config) : graphTrainer(network);
      await trainer.finishEpoch(data, data.rows, data.masks, 1e-2);
      const snapshot = structuredClone(await trainer.snapshot());
      const weights = weightsOf(network).map((values) => values.slice());
      await trainer.engine.dispose();
      network.dispose();
      const second = first === "cpu" ? "tensorflow" : "cpu";
      await openBackend(second);
      network = Network.build(graph, INPUTS, richTrunk, 4);
      [...network.trainable, ...network.statistics].forEach((variable, i) => {
        tf.tidy(() => variable.assign(tf.tensor(weights[i] as Float32Array, variable.shape)));
      });
      trainer = second === "cpu" ? new Trainer(network, config, snapshot) : graphTrainer(network, {}, snapshot);
      await trainer.finishEpoch(data, data.rows, data.masks, 5e-3);
      await trainer.engine.writeBack("trained");
      expectClose(weightsOf(network), expected.weights, 1e-3);
      await trainer.engine.dispose();
      network.dispose();
    },
  );
});

describe("inference as a graph", () => {
  test("says what it does op by op, also after the weights have changed, and for the odd last batch", async () => {
    await openBackend("tensorflow");
    const network = Network.build(graph, INPUTS, richTrunk, 3);
    const read = (rows: Int32Array) => readInputs(network, data, rows);
    const trainer = graphTrainer(network);
    for (let epoch = 0; epoch < 2; epoch++) {
      await trainer.finishEpoch(data, data.rows, data.masks, 1e-2);
      const inGraph = await predictLogits(network, data.rows, read, { batchSize: 5 });
      const eager = await predictLogits(network, data.rows, read, { batchSize: 27 });
      expectClose(inGraph, eager, 1e-5);
    }
    await trainer.engine.dispose();
    network.dispose();
  });

  test("keeps one session per network, which goes with it", async () => {
    await openBackend("tensorflow");
    const before = counts();
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const { inputs } = batchOf(network, data, [0, 1]);
    const forward = await openCompute(network, 8, 10);
    forward(inputs, 2, null);
    const backend = tensorflowBackend() as NonNullable<ReturnType<typeof tensorflowBackend>>;
    const make = () => new GraphForward(backend, network);
    expect(network.cached(GraphForward, make)).toBe(network.cached(GraphForward, make));
    network.dispose();
    expect(counts()).toEqual(before);
    expect(() => forward(inputs, 2, null)).toThrow();
  });
});
