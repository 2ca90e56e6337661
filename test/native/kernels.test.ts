/** @file Gradient kernels of the tensorflow backend. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { beforeEach, describe, expect, test } from "vitest";
import { trainNormalization } from "../../src/engine/backends/normalization.js";
import { openBackend } from "../../src/engine/backends/choose.js";
import { describeKernels } from "../parity/kernel-definitions.js";
import { needsTensorflow } from "./tensorflow.js";

needsTensorflow();
beforeEach(async () => void (await openBackend("tensorflow")));

describeKernels();

describe("a 1 × 1 filter with strides", () => {
  // oneDNN writes outside its memory here, which ends the process after some steps; more steps than that took
  test.each([
    { size: [14, 12], stride: 2, from: 8, to: 16 },
    { size: [15, 15], stride: 3, from: 8, to: 16 },
    { size: [14, 12], stride: 2, from: 4, to: 3 },
  ])("has the gradient of its definition, again and again: %o", ({ size, stride, from, to }) => {
    const [height = 0, width = 0] = size;
    const x = tf.randomNormal([3, height, width, from], 0, 1, "float32", 1) as tf.Tensor4D;
    const filter = tf.randomNormal([1, 1, from, to], 0, 1, "float32", 2) as tf.Tensor4D;
    const dy = tf.randomNormal(
      [3, Math.ceil(height / stride), Math.ceil(width / stride), to],
      0,
      1,
      "float32",
      3,
    ) as tf.Tensor4D;
    const gradient = () =>
      tf.tidy(() =>
        tf
          .grad((w: tf.Tensor) => tf.conv2d(x, w as tf.Tensor4D, stride, "same"))(filter, dy)
          .dataSync(),
      );
    const seen = tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, stride, stride, 1]);
    const expected = tf.matMul(tf.reshape(seen, [-1, from]), tf.reshape(dy, [-1, to]), true).dataSync();
    for (let i = 0; i < 100; i++) {
      const actual = gradient();
      const apart = expected.map((value, k) => Math.abs(value - (actual[k] as number)));
      expect(Math.max(...apart)).toBeLessThan(1e-3);
    }
  });
});

describe("a rectifier", () => {
  const x = () => tf.tensor1d([-2, -0.5, 0, 0.5, 3, 7]);
  const dy = () => tf.tensor1d([1, 2, 3, 4, 5, 6]);
  const cases: readonly (readonly [string, (x: tf.Tensor) => tf.Tensor, readonly number[]])[] = [
    ["relu", (input) => tf.relu(input), [0, 0, 0, 4, 5, 6]],
    ["relu6", (input) => tf.relu6(input), [0, 0, 0, 4, 5, 0]],
  ];

  test.each(cases)("%s has the gradient of its definition", (_, rectify, expected) => {
    expect([
      ...tf
        .grad((input: tf.Tensor) => rectify(input))(x(), dy())
        .dataSync(),
    ]).toEqual(expected);
  });

  test.each(cases)("%s has the gradient of its gradient, which is linear", (_, rectify, expected) => {
    const slope = (y: tf.Tensor) => tf.grad((input: tf.Tensor) => rectify(input))(x(), y);
    const second = tf.grad(slope)(dy(), tf.onesLike(dy())).dataSync();
    expect([...second]).toEqual(expected.map((value) => Number(value > 0)));
  });

  test.each(cases)("%s keeps its own gradient on other backends of the process", async (_, rectify, expected) => {
    await openBackend("cpu");
    expect([
      ...tf
        .grad((input: tf.Tensor) => rectify(input))(x(), dy())
        .dataSync(),
    ]).toEqual(expected);
  });
});

describe("batch normalization in training", () => {
  const x = () => tf.tensor4d([1, 2, 3, 4], [4, 1, 1, 1]);
  const dy = () => tf.tensor4d([1, 0, 0, 2], [4, 1, 1, 1]);

  test("has the output, the gradient and the moving averages of its definition", () => {
    const layer = tfl.layers.batchNormalization({ epsilon: 1e-3, momentum: 0.99 });
    layer.build([null, 1, 1, 1]);
    trainNormalization([layer]);
    const forward = (input: tf.Tensor) => layer.apply(input, { training: true }) as tf.Tensor;
    const { value, grad } = tf.valueAndGrad(forward)(x(), dy());
    // NumPy, from the formulas of Ioffe & Szegedy (2015)
    expectClose(value, [-1.34110445, -0.44703482, 0.44703482, 1.34110445]);
    expectClose(grad, [0.62552714, -0.53654898, -0.80455547, 0.71557732]);
    const [, , mean, variance] = layer.getWeights() as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    expectClose(mean, [0.025]);
    // the population's: 1.25, not 5 / 3
    expectClose(variance, [1.0025]);
  });

  function expectClose(actual: tf.Tensor, expected: readonly number[]): void {
    expect([...actual.dataSync()]).toEqual(expected.map((each) => expect.closeTo(each, 5) as number));
  }
});
