/** @file The gradient of every weight: on wasm as on cpu, and true to finite differences. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { batchLoss } from "../../../src/engine/optimization/losses.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import {
  batchOf,
  graph,
  INPUTS,
  latestGradient,
  layout,
  makeData,
  plainTrunk,
  SGD,
  setWeight,
  splitWeights,
  trainerOf,
  trunkWith,
  valuesOf,
  weightsOf,
} from "../../support/small-project.js";

const data = makeData(24);

beforeAll(async () => {
  await openBackend("cpu");
  await openBackend("wasm");
});
afterAll(() => tf.disposeVariables());

/** The flat gradient of one step that moves nothing. */
async function gradientOf(network: Network): Promise<Float32Array> {
  const { inputs, targets } = batchOf(network, data);
  const trainer = trainerOf(network, { optimizer: SGD });
  await trainer.step(inputs, targets, 0);
  return latestGradient(trainer).slice();
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (value, i) => value * (b[i] as number)).reduce((sum, product) => sum + product, 0);
}

/** Numbers in {-1, 1} that look random and are the same everywhere. */
function signs(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => (Math.sin((i + 1) * 12.9898 + seed * 78.233) > 0 ? 1 : -1));
}

// what its output does not depend on
class SpareWeight extends tfl.layers.Layer {
  static className = "SpareWeight";
  override build(shape: tfl.Shape): void {
    this.addWeight("spare", [3], "float32", tfl.initializers.ones());
    super.build(shape);
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    return x;
  }
  override computeOutputShape(shape: tfl.Shape): tfl.Shape {
    return shape;
  }
}

const batchNormalized = trunkWith((layers) => [layers.batchNormalization()]);

describe("the gradient of every weight", () => {
  test.each([
    ["a plain trunk", plainTrunk],
    ["a trunk with batch normalization", batchNormalized],
  ])("on wasm equals that on cpu: %s", async (_, trunk) => {
    const onBackend = async (backend: "wasm" | "cpu") => {
      await openBackend(backend);
      const network = Network.build(graph, INPUTS, trunk, 3);
      const result = { weights: weightsOf(network), gradients: splitWeights(await gradientOf(network), network) };
      network.dispose();
      return result;
    };
    const cpu = await onBackend("cpu");
    const wasm = await onBackend("wasm");
    expect(wasm.weights).toEqual(cpu.weights);
    cpu.gradients.forEach((expected, i) => {
      const actual = wasm.gradients[i] as Float32Array;
      const scale = Math.max(...expected.map(Math.abs), 1e-3);
      const error = Math.max(...actual.map((value, k) => Math.abs(value - (expected[k] as number))));
      expect(error / scale).toBeLessThan(1e-4);
    });
  });

  test.each([
    ["a plain trunk", plainTrunk],
    ["a trunk with batch normalization", batchNormalized],
  ])("is the slope of the masked loss: %s", async (_, trunk) => {
    const network = Network.build(graph, INPUTS, trunk, 3);
    const { inputs, targets } = batchOf(network, data);
    const gradients = splitWeights(await gradientOf(network), network);
    const lossNow = () => {
      const logits = tf.tidy(() => valuesOf(network.logits(inputs, 24, true)));
      return batchLoss(layout, logits, targets, null).total;
    };
    network.trainable.forEach((variable, i) => {
      const start = valuesOf(variable as tf.Tensor);
      // a step of all numbers of the weight together, so that single precision can see it
      const direction = signs(start.length, i);
      const h = 0.02 / Math.sqrt(start.length);
      const moved = (by: number) => {
        setWeight(
          variable,
          start.map((value, k) => value + by * (direction[k] as number)),
        );
        return lossNow();
      };
      const slope = (moved(h) - moved(-h)) / (2 * h);
      setWeight(variable, start);
      const expected = dot(gradients[i] as Float32Array, direction);
      const scale = Math.sqrt(dot(gradients[i] as Float32Array, gradients[i] as Float32Array));
      expect(Math.abs(slope - expected)).toBeLessThan(0.02 * Math.max(scale, 0.05));
    });
    network.dispose();
  });

  test("includes the trunk's regularizers, which the reported loss does not", async () => {
    const measure = async (options: { readonly kernelRegularizer?: "l1l2" }) => {
      const trunk = trunkWith((layers) => [layers.conv2d({ filters: 4, kernelSize: 1, ...options })]);
      const network = Network.build(graph, INPUTS, trunk, 3);
      const { inputs, targets } = batchOf(network, data);
      const trainer = trainerOf(network, { optimizer: SGD });
      const { loss } = await trainer.step(inputs, targets, 0);
      const at = network.trainable.findIndex(({ shape }) => shape.join() === "1,1,4,4");
      const kernel = weightsOf(network)[at] as Float32Array;
      const gradient = splitWeights(latestGradient(trainer), network)[at] as Float32Array;
      network.dispose();
      return { kernel, gradient, total: loss.total };
    };
    const free = await measure({});
    const regularized = await measure({ kernelRegularizer: "l1l2" });
    expect(regularized.kernel).toEqual(free.kernel);
    expect(regularized.total).toBe(free.total);
    free.kernel.forEach((w, i) => {
      // l1l2 is 0.01 Σ|w| + 0.01 Σw²
      const penalty = 0.01 * Math.sign(w) + 0.02 * w;
      expect(regularized.gradient[i]).toBeCloseTo((free.gradient[i] as number) + penalty, 5);
    });
  });

  test("is 0 for a weight that its layer's output does not depend on", async () => {
    const trunk: TrunkFunction = ({ image }, layers) => {
      const flat = layers.flatten().apply(image as SymbolicTensor) as SymbolicTensor;
      const kept = new SpareWeight({}).apply(flat) as SymbolicTensor;
      return { common: kept, place: kept };
    };
    const network = Network.build(graph, INPUTS, trunk, 3);
    const at = network.trainable.findIndex(({ shape }) => shape.join() === "3");
    const trainer = trainerOf(network, { optimizer: SGD });
    const { inputs, targets } = batchOf(network, data);
    const { gradientNorm } = await trainer.step(inputs, targets, 0.1);
    expect(gradientNorm).toBeGreaterThan(0);
    expect([...(splitWeights(latestGradient(trainer), network)[at] as Float32Array)]).toEqual([0, 0, 0]);
    expect([...(weightsOf(network)[at] as Float32Array)]).toEqual([1, 1, 1]);
    network.dispose();
  });
});
