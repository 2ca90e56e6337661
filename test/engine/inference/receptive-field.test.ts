/** @file The pixels on which a logit depends. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import { type PixelInfluence, pixelInfluence } from "../../../src/engine/inference/receptive-field.js";
import type { TaskNode } from "../../../src/flow/graph.js";
import { batchOf, counts, graph, INPUTS, makeData, plainTrunk, valuesOf } from "../../support/small-project.js";

const SIDE = 8;
const data = makeData(3);
const taskAt = (path: string): TaskNode => graph.tasks.find((task) => task.path === path) as TaskNode;

beforeAll(async () => {
  await openBackend("cpu");
  await openBackend("wasm");
});
afterAll(() => tf.disposeVariables());

async function influenceOf(trunk: TrunkFunction, path: string, logit = 0): Promise<PixelInfluence> {
  const network = Network.build(graph, INPUTS, trunk, 1);
  const { inputs } = batchOf(network, data, [1]);
  const result = await pixelInfluence(network, inputs, "image", taskAt(path), logit);
  network.dispose();
  return result;
}

/** The mask as rows of text: # where a change can be seen. */
function drawn({ reachable }: PixelInfluence): string[] {
  const rows = Array.from({ length: SIDE }, (_, y) => reachable.subarray(y * SIDE, (y + 1) * SIDE));
  return rows.map((row) => Array.from(row, (pixel) => (pixel === 1 ? "#" : ".")).join(""));
}

type Layers = Parameters<TrunkFunction>[1];

/** One stack for both features. */
function stack(make: (layers: Layers) => readonly { apply(x: SymbolicTensor): unknown }[]): TrunkFunction {
  return ({ image }, layers) => {
    const end = [...make(layers), layers.flatten()].reduce(
      (x, layer) => layer.apply(x) as SymbolicTensor,
      image as SymbolicTensor,
    );
    return { common: end, place: end };
  };
}

describe.each(["cpu", "wasm"] as const)("influence on %s", (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  test("is the gradient of the logit asked about, largest of the channels, relative to the largest", async () => {
    const network = Network.build(
      graph,
      INPUTS,
      stack(() => []),
      1,
    );
    const { inputs } = batchOf(network, data, [0]);
    const { influence } = await pixelInfluence(network, inputs, "image", taskAt("person.shirt"), 2);
    // a linear network: the gradient is the head's kernel, [pixels × 3, classes]
    const [kernel] = network.model.getLayer("person.shirt").getWeights().map(valuesOf) as [Float32Array];
    const magnitudes = Array.from({ length: SIDE * SIDE }, (_, pixel) =>
      Math.max(...[0, 1, 2].map((channel) => Math.abs(kernel[(pixel * 3 + channel) * 4 + 2] as number))),
    );
    const largest = Math.max(...magnitudes);
    magnitudes.forEach((magnitude, pixel) => {
      expect(influence[pixel]).toBeCloseTo(magnitude / largest, 6);
    });
    network.dispose();
  });

  test("is what a small change of a pixel does to the logit", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1);
    const task = taskAt("person.colors");
    const { offset } = network.layout.columns[task.index] as { offset: number };
    const { inputs } = batchOf(network, data, [2]);
    const { influence } = await pixelInfluence(network, inputs, "image", task, 1);
    const [image] = tf.tidy(() => network.inputTensors(inputs, 1).map(valuesOf)) as [Float32Array];
    const logit = (pixels: Float32Array): number =>
      tf.tidy(() => valuesOf(network.logitsOf([tf.tensor(pixels, [1, SIDE, SIDE, 3])], false))[offset + 1] as number);
    const step = 1e-2;
    const slopes = Array.from({ length: SIDE * SIDE }, (_, pixel) =>
      Math.max(
        ...[0, 1, 2].map((channel) => {
          const at = pixel * 3 + channel;
          const moved = (by: number) => image.map((value, i) => (i === at ? value + by : value));
          return Math.abs(logit(moved(step)) - logit(moved(-step))) / (2 * step);
        }),
      ),
    );
    const largest = Math.max(...slopes);
    slopes.forEach((slope, pixel) => {
      expect(Math.abs((influence[pixel] as number) - slope / largest)).toBeLessThan(5e-3);
    });
    network.dispose();
  });

  test("reaches every pixel that strides and windows visit, and no other", async () => {
    // windows of 3 every 3 pixels end after the sixth
    const strided = stack((layers) => [layers.conv2d({ filters: 2, kernelSize: 3, strides: 3, activation: "relu" })]);
    const full = "######..";
    const none = "........";
    expect(drawn(await influenceOf(strided, "present"))).toEqual([...Array(6).fill(full), none, none]);
  });

  test("reaches through pooling, normalization and activations, though the gradient does not", async () => {
    const deep = stack((layers) => [
      layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", activation: "tanh" }),
      layers.batchNormalization(),
      layers.maxPooling2d({ poolSize: 4, strides: 4 }),
      layers.leakyReLU(),
      layers.conv2d({ filters: 4, kernelSize: 2, activation: "relu" }),
      layers.dense({ units: 3, activation: "softmax" }),
    ]);
    const result = await influenceOf(deep, "present");
    expect(drawn(result)).toEqual(Array(SIDE).fill("########"));
    expect(result.influence.some((value) => value === 0)).toBe(true);
  });

  test("skips the pixels between the taps of a dilated window", async () => {
    const corner: [[number, number], [number, number]] = [
      [0, 4],
      [0, 4],
    ];
    const dilated = stack((layers) => [
      layers.conv2d({ filters: 2, kernelSize: 2, dilationRate: 3 }),
      // what the upper left window puts out
      layers.cropping2D({ cropping: corner }),
    ]);
    const [taps, none] = ["#..#....", "........"];
    expect(drawn(await influenceOf(dilated, "present"))).toEqual([taps, none, none, taps, ...Array(4).fill(none)]);
  });

  test("is that of the task's own feature", async () => {
    const cropped: TrunkFunction = ({ image }, layers) => {
      const whole = layers.flatten().apply(image as SymbolicTensor) as SymbolicTensor;
      const middle = layers
        .cropping2D({
          cropping: [
            [2, 1],
            [3, 3],
          ],
        })
        .apply(image as SymbolicTensor);
      return { common: whole, place: layers.flatten().apply(middle) as SymbolicTensor };
    };
    expect(drawn(await influenceOf(cropped, "present"))).toEqual(Array(SIDE).fill("########"));
    const seen = "...##...";
    const blind = "........";
    expect(drawn(await influenceOf(cropped, "person.x"))).toEqual([blind, blind, ...Array(5).fill(seen), blind]);
  });

  test("keeps no tensors and no weight changed", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1);
    const { inputs } = batchOf(network, data, [1]);
    const ask = () => pixelInfluence(network, inputs, "image", taskAt("present"), 0);
    const first = await ask();
    const before = counts();
    expect(await ask()).toEqual(first);
    expect(counts()).toEqual(before);
    network.dispose();
  });
});
