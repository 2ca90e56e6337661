/** @file Layer normalization has the outputs and gradients of PyTorch's, and no slice per row in its gradient. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { broadcastNormalization } from "../../../src/engine/backends/layer-normalization.js";

const EPSILON = 1e-3;

const OUTPUT = [-0.568701, -0.534351, -0.335877, 0.107836, -1.960822, -0.372575];
const BY_INPUT = [0.000687, 0.000172, -0.000858, -0.904953, 0.67885, 0.226103];
const BY_SCALE = [-0.676537, -0.980411, 2.671754];
const BY_OFFSET = [0, 1, 2];

const OUTPUT_OF_TWO = [-0.506977, 0.168992, 1.52093, -1.182946, -1.264658, 1.264658, -0.632329, 0.632329];
const BY_INPUT_OF_TWO = [0.65651, -0.44416, 0.058377, -0.270727, 0.126415, -0.758744, -0.569121, 1.201451];

function expectClose(actual: tf.Tensor | undefined, expected: readonly number[]): void {
  expect([...(actual?.dataSync() ?? [])]).toEqual(expected.map((each) => expect.closeTo(each, 5) as number));
}

describe.each(["cpu", "wasm"] as const)("on %s", (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  // torch.nn.functional.layer_norm(x, (3,), gamma, beta, 1e-3)
  test("over the last axis, with scale and offset", () => {
    const layer = tfl.layers.layerNormalization({ epsilon: EPSILON });
    layer.build([null, 3]);
    broadcastNormalization([layer]);
    layer.setWeights([tf.tensor1d([1, 2, -1]), tf.tensor1d([0.5, 0, 1])]);
    const x = tf.variable(
      tf.tensor2d([
        [1, 2, 4],
        [0, -1, 3],
      ]),
    );
    const dy = tf.tensor2d([
      [1, 0, 2],
      [-1, 1, 0],
    ]);
    expectClose(layer.apply(x) as tf.Tensor, OUTPUT);
    const { grads } = tf.variableGrads(() => tf.sum(tf.mul(layer.apply(x) as tf.Tensor, dy)) as tf.Scalar);
    expectClose(grads[x.name], BY_INPUT);
    const [scale, offset] = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
    expectClose(grads[scale?.name ?? ""], BY_SCALE);
    expectClose(grads[offset?.name ?? ""], BY_OFFSET);
    tf.disposeVariables();
  });

  // torch.nn.functional.layer_norm(x, (2, 2), None, None, 1e-3)
  test("over two axes, without either", () => {
    const layer = tfl.layers.layerNormalization({ axis: [1, -1], epsilon: EPSILON, scale: false, center: false });
    layer.build([null, 2, 2]);
    broadcastNormalization([layer]);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => layer.apply(x) as tf.Tensor)(
      tf.tensor3d([1, 2, 4, 0, -1, 3, 0, 2], [2, 2, 2]),
      tf.tensor3d([1, 0, 2, -1, 1, 0, 0, 3], [2, 2, 2]),
    );
    expectClose(value, OUTPUT_OF_TWO);
    expectClose(grad, BY_INPUT_OF_TWO);
  });
});

test("takes as many kernels for many rows as for few", async () => {
  await openBackend("cpu");
  const layer = tfl.layers.layerNormalization();
  layer.build([null, 4]);
  broadcastNormalization([layer]);
  const kernelsOf = async (rows: number): Promise<string[]> => {
    const gradient = () => tf.grad((x: tf.Tensor) => layer.apply(x) as tf.Tensor)(tf.ones([rows, 4]));
    return (await tf.profile(gradient)).kernelNames;
  };
  expect(await kernelsOf(50)).toEqual(await kernelsOf(2));
});
