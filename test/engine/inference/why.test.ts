/** @file Where an answer comes from: Grad-CAM by its formula, and SmoothGrad of a network that looks at one pixel. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { gradCam, smoothGrad } from "../../../src/engine/inference/why.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import type { TaskNode } from "../../../src/flow/graph.js";
import { batchOf, graph, INPUTS, makeData } from "../../support/small-project.js";

const SIDE = 8;
const data = makeData(3);
const task = graph.tasks.find(({ path }) => path === "person.shirt") as TaskNode;
const convolved: TrunkFunction = ({ image }, layers) => {
  const map = layers.conv2d({ filters: 3, kernelSize: 1, name: "map", useBias: false }).apply(image as SymbolicTensor);
  const end = layers.flatten().apply(map) as SymbolicTensor;
  return { common: end, place: end };
};

afterAll(() => tf.disposeVariables());

describe.each(["cpu", "wasm"] as const)("on %s", (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  test("Grad-CAM is the positive part of the map, its channels weighted by the mean gradient of the logit", () => {
    const network = Network.build(graph, INPUTS, convolved, 1);
    const { inputs } = batchOf(network, data, [1]);
    const { model } = network;
    const layer = model.getLayer("map");
    const map = tfl.model({ inputs: model.inputs, outputs: layer.output as SymbolicTensor });
    const values = tf.tidy(() => Array.from((map.predict(network.inputTensors(inputs, 1)) as tf.Tensor).dataSync()));
    // of a linear head the gradient is the column of its kernel, [8 × 8 × 3, classes]
    const [kernel] = model.getLayer(task.path).getWeights();
    const [, classes = 0] = kernel?.shape ?? [];
    const weights = Array.from(kernel?.dataSync() ?? []);
    for (const logit of [0, 1]) {
      for (const sign of [1, -1] as const) {
        const mean = [0, 1, 2].map((channel) => {
          let sum = 0;
          for (let place = 0; place < SIDE * SIDE; place++)
            sum += weights[(place * 3 + channel) * classes + logit] ?? 0;
          return (sign * sum) / (SIDE * SIDE);
        });
        const expected = Array.from({ length: SIDE * SIDE }, (_, place) =>
          Math.max(
            0,
            mean.reduce((sum, weight, channel) => sum + weight * (values[place * 3 + channel] ?? 0), 0),
          ),
        );
        const largest = Math.max(...expected);
        const found = gradCam(network, inputs, { task, logit, sign }, [SIDE, SIDE]);
        if (largest === 0) expect(found).toBeNull();
        else {
          expect(found?.method).toBe("grad-cam");
          for (const [place, value] of expected.entries()) {
            expect(found?.influence[place]).toBeCloseTo(value / largest, 4);
          }
        }
      }
    }
    network.dispose();
  });

  test("a trunk without a map has no Grad-CAM", () => {
    const flat: TrunkFunction = ({ image }, layers) => {
      const end = layers.flatten().apply(image as SymbolicTensor) as SymbolicTensor;
      return { common: end, place: end };
    };
    const network = Network.build(graph, INPUTS, flat, 1);
    const { inputs } = batchOf(network, data, [0]);
    expect(gradCam(network, inputs, { task, logit: 0, sign: 1 }, [SIDE, SIDE])).toBeNull();
    network.dispose();
  });

  test("SmoothGrad of an answer that reads one pixel is brightest there, and alike around it", () => {
    const network = Network.build(graph, INPUTS, convolved, 1);
    const { inputs } = batchOf(network, data, [0]);
    const pixel = 3 * SIDE + 4;
    network.change((model) => {
      const layer = model.getLayer(task.path);
      const [kernel, ...others] = layer.getWeights();
      const shape = kernel?.shape ?? [];
      const zero = tf.buffer(shape);
      zero.set(1, pixel * 3, 0);
      layer.setWeights([zero.toTensor(), ...others]);
    });
    const { influence, method } = smoothGrad(network, inputs, "image", { task, logit: 0, sign: 1 }, 7);
    expect(method).toBe("smoothgrad");
    expect(influence.indexOf(Math.max(...influence))).toBe(pixel);
    expect(influence[pixel]).toBe(1);
    expect(influence[pixel - 1]).toBeCloseTo(influence[pixel + 1] ?? Number.NaN, 5);
    expect(influence[pixel - SIDE]).toBeCloseTo(influence[pixel + SIDE] ?? Number.NaN, 5);
    expect(influence[0]).toBeLessThan(0.01);
    network.dispose();
  });
});
