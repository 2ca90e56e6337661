/** @file Monte-Carlo dropout: how far answers spread, and that nothing else moves. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import type { Layer } from "../../../src/engine/model/layer-graph.js";
import type { TaskColumns } from "../../../src/engine/model/layout.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";

import { rowLogits } from "../../support/row-logits.js";
import { sampleLogits, tasksWithoutDropout } from "../../../src/engine/inference/uncertainty.js";
import {
  batchOf,
  counts,
  dropoutTrunk,
  graph,
  INPUTS,
  layout,
  makeData,
  plainTrunk,
  richTrunk,
  trunkWith,
  valuesOf,
  weightsOf,
} from "../../support/small-project.js";

const data = makeData(4);

beforeAll(async () => {
  await openBackend("cpu");
});
afterAll(() => tf.disposeVariables());

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Only features are dropped, so that logits are sums of independent terms. */
function lastLayerDropout(rate: number, seed?: number): TrunkFunction {
  return ({ image }, layers) => {
    const flat = layers.flatten().apply(image as SymbolicTensor);
    const dense = layers.dense({ units: 6 }).apply(flat);
    const dropout = layers.dropout(seed === undefined ? { rate } : { rate, seed });
    return { common: dropout.apply(dense) as SymbolicTensor, place: dense as SymbolicTensor };
  };
}

describe("sampled logits", () => {
  test("have the mean and the deviation of a sum of dropped terms", () => {
    const rate = 0.4;
    const network = Network.build(graph, INPUTS, lastLayerDropout(rate), 1);
    const { inputs } = batchOf(network, data, [0]);
    const { task, offset } = layout.columns[0] as TaskColumns;
    const samples = Array.from(
      { length: 2000 },
      (_, i) => sampleLogits(network, inputs, 1, `s/${i}`).sample[offset] as number,
    );
    const features = tf.tidy(() => {
      const [x] = network.inputTensors(inputs, 1) as [tf.Tensor];
      const dense = network.layers.find((layer) => layer.name.startsWith("dense")) as Layer;
      const [kernel, bias] = dense.getWeights();
      return valuesOf(tf.add(tf.matMul(tf.reshape(x, [1, -1]), kernel as tf.Tensor2D), bias as tf.Tensor));
    });
    const [kernel] = network.model.getLayer(task.path).getWeights().map(valuesOf) as [Float32Array];
    // each term w·x is kept with probability 1 − rate and divided by it: its variance is (w·x)²·rate / (1 − rate)
    const terms = [...features].map((x, i) => x * (kernel[i] as number));
    const variance = terms.reduce((sum, term) => sum + term ** 2, 0) * (rate / (1 - rate));
    const deviation = Math.sqrt(variance);
    const expected = terms.reduce((sum, term) => sum + term, 0);
    expect(Math.abs(mean(samples) - expected)).toBeLessThan((4 * deviation) / Math.sqrt(2000));
    const sampled = Math.sqrt(mean(samples.map((value) => (value - mean(samples)) ** 2)));
    expect(sampled / deviation).toBeGreaterThan(0.92);
    expect(sampled / deviation).toBeLessThan(1.08);
    network.dispose();
  });

  test("of a seed are the same again, of another seed others", () => {
    const network = Network.build(graph, INPUTS, dropoutTrunk, 1);
    const { inputs } = batchOf(network, data);
    const sample = (seed: string) => sampleLogits(network, inputs, 4, seed).sample;
    expect(sample("a")).toEqual(sample("a"));
    expect(sample("a")).not.toEqual(sample("b"));
    network.dispose();
  });

  test("differ although the layer brings a seed of its own, which it keeps", () => {
    const network = Network.build(graph, INPUTS, lastLayerDropout(0.4, 3), 1);
    const { inputs } = batchOf(network, data);
    expect(sampleLogits(network, inputs, 4, "a").sample).not.toEqual(sampleLogits(network, inputs, 4, "b").sample);
    const dropout = network.layers.find((layer) => layer.getClassName() === "Dropout");
    expect(dropout?.getConfig().seed).toBe(3);
    network.dispose();
  });

  test("normalize by the learned averages and do not move them; noise layers add none", () => {
    const noisy = trunkWith((layers) => [layers.batchNormalization(), layers.gaussianNoise({ stddev: 1 })]);
    const network = Network.build(graph, INPUTS, noisy, 1);
    const { inputs } = batchOf(network, data);
    const before = weightsOf(network);
    expect(sampleLogits(network, inputs, 4, "a").sample).toEqual(rowLogits(network, inputs, 4));
    expect(weightsOf(network)).toEqual(before);
    network.dispose();
  });

  test("leave training as it was, and no tensors", () => {
    const network = Network.build(graph, INPUTS, richTrunk, 1);
    const { inputs } = batchOf(network, data);
    const before = counts();
    sampleLogits(network, inputs, 4, "a");
    expect(counts()).toEqual(before);
    const averages = network.statistics.map((variable) => valuesOf(variable as tf.Tensor));
    tf.tidy(() => void network.logits(inputs, 4, true));
    expect(network.statistics.map((variable) => valuesOf(variable as tf.Tensor))).not.toEqual(averages);
    network.dispose();
  });
});

describe("tasks without dropout", () => {
  test.each<[string, TrunkFunction, readonly string[]]>([
    ["are all of a trunk without it", plainTrunk, graph.tasks.map(({ path }) => path)],
    ["are none behind a shared one", dropoutTrunk, []],
    ["are those of features beside it", lastLayerDropout(0.2), ["person.x", "person.y"]],
    [
      "are all behind a frozen one, which drops nothing",
      trunkWith((layers) => [layers.dropout({ rate: 0.3, trainable: false })]),
      graph.tasks.map(({ path }) => path),
    ],
    ["are all where the rate is 0", lastLayerDropout(0), graph.tasks.map(({ path }) => path)],
  ])("%s", (_what, trunk, expected) => {
    const network = Network.build(graph, INPUTS, trunk, 1);
    expect(tasksWithoutDropout(network).map(({ path }) => path)).toEqual(expected);
    network.dispose();
  });
});
