/** @file Learning rates of layers: as if each layer had an optimizer of its own. */
import { beforeAll, describe, expect, test } from "vitest";
import { createRandom } from "../../../src/data/rng.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import { checkLayerRates, rateStretches } from "../../../src/engine/optimization/layer-rates.js";
import type { OptimizerConfig } from "../../../src/engine/optimization/optimizer.js";
import { createUpdater } from "../../../src/engine/optimization/weight-average.js";
import { graph, INPUTS } from "../../support/small-project.js";

const moments = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const OPTIMIZERS: readonly OptimizerConfig[] = [
  { kind: "adamw", learningRate: 1e-2, ...moments, weightDecay: 0.1 },
  { kind: "adam", learningRate: 1e-2, ...moments, weightDecay: 0.1 },
  { kind: "sgd", learningRate: 1e-2, momentum: 0.9, nesterov: true, weightDecay: 0.1 },
];

const random = createRandom("layer rates");
const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => random.next() - 0.5);

describe.each(OPTIMIZERS.map((config) => [config.kind, config] as const))("%s", (_, optimizer) => {
  test("moves each stretch as an optimizer of its own with that rate would", () => {
    const [start, gradients] = [numbers(12), Array.from({ length: 8 }, () => numbers(12))];
    const layerRates = [
      { from: 0, to: 5, factor: 0.1 },
      { from: 7, to: 12, factor: 3 },
    ];
    const together = start.slice();
    const updater = createUpdater({ optimizer, layerRates }, 12);
    const stretches = [...layerRates, { from: 5, to: 7, factor: 1 }].map(({ from, to, factor }) => ({
      ...{ from, to, factor, parameters: start.slice(from, to) },
      updater: createUpdater({ optimizer }, to - from),
    }));
    for (const gradient of gradients) {
      updater.apply(together, gradient, 1e-2);
      for (const own of stretches) {
        own.updater.apply(own.parameters, gradient.slice(own.from, own.to), 1e-2 * own.factor);
      }
    }
    for (const { from, parameters } of stretches) {
      parameters.forEach((value, i) => {
        expect(Math.abs(value - (together[from + i] ?? Number.NaN))).toBeLessThan(1e-6);
      });
    }
    expect(updater.state.updates).toBe(8);
  });
});

describe("in a network", () => {
  beforeAll(() => openBackend("cpu"));

  const trunk: TrunkFunction = ({ image }, layers) => {
    const conv = (name: string, trainable: boolean) =>
      layers.conv2d({ name, filters: 2, kernelSize: 3, strides: 2, trainable });
    const stack = [conv("block_0_conv", false), conv("block_1_conv", true), layers.flatten()];
    const flat = stack.reduce((x, layer) => layer.apply(x) as SymbolicTensor, image as SymbolicTensor);
    return { common: layers.dense({ name: "common", units: 3 }).apply(flat) as SymbolicTensor, place: flat };
  };

  test("layers are known by name or beginning, and lie where the parameters lie", () => {
    const network = Network.build(graph, INPUTS, trunk, 7);
    const [kernel, bias, dense] = network.trainable.map(({ size }) => size) as [number, number, number];
    expect([kernel, bias, dense]).toEqual([2 * 2 * 9, 2, 6]);
    expect(rateStretches(network, { "block_*": 0.5, block_1_conv: 0.1 })).toEqual([{ from: 0, to: 38, factor: 0.5 }]);
    expect(rateStretches(network, { common: 0.1 })).toEqual([{ from: 38, to: 38 + 6 + 3, factor: 0.1 }]);
    expect(rateStretches(network, { block_0_conv: 0.1, common: 1 })).toEqual([]);
    network.dispose();
  });

  test("a name that none has is refused, with the nearest", () => {
    const network = Network.build(graph, INPUTS, trunk, 7);
    expect(() => checkLayerRates(network, { block_1_cnov: 0.1 })).toThrow('Did you mean "block_1_conv"');
    expect(() => checkLayerRates(network, { "stage_*": 0.1 })).toThrow(/"stage_\*", but no layer of the trunk/);
    expect(() => checkLayerRates(network, { "block_*": 0.1, common: 2 })).not.toThrow();
    network.dispose();
  });
});
