/** @file The network: heads merged and apart, what layers do in training and in inference. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { readInputs } from "../../../src/engine/batches/batch-reader.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import { predictLogits, splitTasks } from "../../../src/engine/inference/predict.js";
import { rowLogits } from "../../support/row-logits.js";
import { InterruptedError } from "../../../src/errors.js";
import {
  batchOf,
  counts,
  dropoutTrunk,
  graph,
  INPUTS,
  layout,
  makeData,
  plainTrunk,
  predictPlainly,
  richTrunk,
  trainerOf,
  trunkWith,
  valuesOf,
  weightsOf,
} from "../../support/small-project.js";

const data = makeData(24);

beforeAll(async () => {
  await openBackend("wasm");
});
afterAll(() => tf.disposeVariables());

function largestDifference(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  expect(actual.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  return Math.max(
    ...actual.flatMap((values, i) => [...values].map((value, k) => Math.abs(value - (expected[i]?.[k] as number)))),
  );
}

/** Logits in training mode, as the step of that seed sees them. */
function trainingLogits(network: Network, rows: ArrayLike<number>): Float32Array {
  const inputs = readInputs(network, data, rows);
  return tf.tidy(() => valuesOf(network.logits(inputs, rows.length, true)));
}

describe("heads", () => {
  test("merged into one product per feature say the same as the model's own dense layers, before and after steps", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1);
    const trainer = trainerOf(network);
    const { inputs, targets } = batchOf(network, data);
    for (let step = 0; step < 3; step++) {
      const merged = splitTasks(layout, rowLogits(network, inputs, 24));
      expect(largestDifference(predictPlainly(network, data, data.rows), merged)).toBeLessThan(1e-5);
      await trainer.step(inputs, targets, 1e-2);
    }
    network.dispose();
  });

  test("are one dense layer per task, named by its path, in the order of the flow", () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1);
    const paths = ["present", "person.x", "person.colors", "person.shirt", "person.y"];
    expect(network.model.outputNames).toEqual(paths);
    expect(network.model.outputs.map(({ shape }) => shape)).toEqual([
      [null, 1],
      [null, 1],
      [null, 3],
      [null, 4],
      [null, 1],
    ]);
    expect(network.model.inputNames).toEqual(["image"]);
    network.dispose();
  });
});

describe("layers with a mode", () => {
  test("dropout drops in training and not in inference", () => {
    const [network, plain] = [dropoutTrunk, plainTrunk].map((trunk) => Network.build(graph, INPUTS, trunk, 1)) as [
      Network,
      Network,
    ];
    const { inputs } = batchOf(network, data);
    // the same weights: dropout draws nothing when it is built
    expect(weightsOf(network)).toEqual(weightsOf(plain));
    expect(rowLogits(network, inputs, 24)).toEqual(rowLogits(plain, inputs, 24));
    const first = trainingLogits(network, data.rows);
    expect(first).not.toEqual(rowLogits(network, inputs, 24));
    expect(first).not.toEqual(trainingLogits(network, data.rows));
    for (const each of [network, plain]) each.dispose();
  });

  test("batch normalization takes the batch's statistics in training and its moving averages in inference", () => {
    const momentum = 0.75;
    const epsilon = 0.1;
    const trunk: TrunkFunction = ({ image }, layers) => {
      const normalized = layers.batchNormalization({ momentum, epsilon }).apply(image as SymbolicTensor);
      const pooled = layers.globalAveragePooling2d({}).apply(normalized as SymbolicTensor) as SymbolicTensor;
      return { common: pooled, place: pooled };
    };
    const network = Network.build(graph, INPUTS, trunk, 1);
    const { inputs } = batchOf(network, data);
    const pixels = Float64Array.from(inputs.image as Uint8Array, (byte) => byte / 255);
    const channels = [0, 1, 2].map((channel) => {
      const values = pixels.filter((_, i) => i % 3 === channel);
      const mean = values.reduce((a, b) => a + b) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return { mean, variance };
    });

    trainingLogits(network, data.rows);
    const [movingMean, movingVariance] = network.statistics.map((variable) => valuesOf(variable as tf.Tensor));
    channels.forEach(({ mean, variance }, channel) => {
      // they start at 0 and 1
      expect(movingMean?.[channel]).toBeCloseTo((1 - momentum) * mean, 5);
      expect(movingVariance?.[channel]).toBeCloseTo(momentum + (1 - momentum) * variance, 5);
    });

    const before = weightsOf(network);
    const inference = rowLogits(network, inputs, 24);
    expect(weightsOf(network)).toEqual(before);
    // logit of `present` on row 0 by hand
    const [kernel, bias] = network.model.getLayer("present").getWeights().map(valuesOf) as [Float32Array, Float32Array];
    const pooled = channels.map((_, channel) => {
      const values = pixels.subarray(0, 192).filter((_, i) => i % 3 === channel);
      const mean = values.reduce((a, b) => a + b) / values.length;
      return (mean - (movingMean?.[channel] as number)) / Math.sqrt((movingVariance?.[channel] as number) + epsilon);
    });
    const expected = pooled.reduce((sum, value, i) => sum + value * (kernel[i] as number), bias[0] as number);
    expect(inference[layout.columns[0]?.offset as number]).toBeCloseTo(expected, 4);
    network.dispose();
  });

  test("inference on a row does not depend on the rows beside it", async () => {
    const network = Network.build(graph, INPUTS, richTrunk, 1);
    const read = (rows: Int32Array) => readInputs(network, data, rows);
    const whole = await predictLogits(network, data.rows, read, { batchSize: 24 });
    const progress: number[][] = [];
    const pieces = await predictLogits(network, data.rows, read, {
      batchSize: 7,
      onProgress: (done, total) => progress.push([done, total]),
    });
    expect(largestDifference(pieces, whole)).toBeLessThan(1e-5);
    expect(progress).toEqual([
      [7, 24],
      [14, 24],
      [21, 24],
      [24, 24],
    ]);
    expect(await predictLogits(network, new Int32Array(0), read)).toEqual(
      layout.columns.map(() => new Float32Array(0)),
    );
    network.dispose();
  });

  test("a signal stops prediction between batches", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1);
    const controller = new AbortController();
    const predicting = predictLogits(network, data.rows, (rows) => readInputs(network, data, rows), {
      batchSize: 8,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(predicting).rejects.toThrow(InterruptedError);
    network.dispose();
  });
});

describe("weights", () => {
  test("follow the seed", () => {
    const [first, same, other] = [1, 1, 2].map((seed) => Network.build(graph, INPUTS, richTrunk, seed)) as [
      Network,
      Network,
      Network,
    ];
    expect(weightsOf(same)).toEqual(weightsOf(first));
    expect(weightsOf(other)).not.toEqual(weightsOf(first));
    for (const network of [first, same, other]) network.dispose();
  });

  test("are all freed by dispose", () => {
    const before = counts();
    const network = Network.build(graph, INPUTS, richTrunk, 1);
    rowLogits(network, batchOf(network, data).inputs, 24);
    expect(network.model.outputNames.length).toBe(5);
    expect(counts().tensors).toBeGreaterThan(before.tensors);
    network.dispose();
    expect(counts()).toEqual(before);
  });
});

describe("frozen layers", () => {
  test("are no part of what a step changes, but of the model", async () => {
    const trunk = trunkWith((layers) => [
      layers.conv2d({ filters: 4, kernelSize: 1, trainable: false, name: "frozen" }),
    ]);
    const network = Network.build(graph, INPUTS, trunk, 1);
    const before = network.model.getLayer("frozen").getWeights().map(valuesOf);
    const trainer = trainerOf(network);
    const { inputs, targets } = batchOf(network, data);
    const others = weightsOf(network);
    await trainer.step(inputs, targets, 1e-2);
    expect(network.model.getLayer("frozen").getWeights().map(valuesOf)).toEqual(before);
    expect(weightsOf(network)).not.toEqual(others);
    network.dispose();
  });
});
