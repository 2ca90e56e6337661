/** @file The wasm gradient kernels, and how they are registered. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { registerWasmGradientKernels } from "../../../src/engine/backends/wasm/kernels/index.js";
import { describeKernels } from "../../parity/kernel-definitions.js";

beforeAll(() => openBackend("wasm"));

describeKernels();

test("conv2d of channels first names the way out", () => {
  const image = tf.zeros([1, 3, 4, 4]) as tf.Tensor4D;
  const run = () =>
    tf.engine().runKernel(
      "Conv2DBackpropFilter",
      { x: image, dy: image },
      {
        strides: 1,
        pad: "same",
        dataFormat: "NCHW",
        filterShape: [3, 3, 3, 3],
      },
    );
  expect(run).toThrow(/channelsLast/);
});

test("a clone shares the numbers, and keeps them when the original is disposed", () => {
  const original = tf.tensor2d([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const before = tf.memory();
  const clone = tf.clone(original);
  expect(tf.memory().numDataBuffers).toBe(before.numDataBuffers);
  original.dispose();
  tf.tidy(() => tf.fill([2, 3], 9));
  expect(clone.arraySync()).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const buffers = tf.memory().numDataBuffers;
  clone.dispose();
  expect(tf.memory().numDataBuffers).toBe(buffers - 1);
});

test("a variable keeps its value where a clone of what was assigned is disposed, and the other way round", () => {
  const start = tf.tensor1d([1, 2]);
  const variable = tf.variable(start);
  start.dispose();
  const kept = tf.clone(variable as tf.Tensor);
  variable.assign(tf.tensor1d([7, 8]));
  expect([...kept.dataSync(), ...variable.dataSync()]).toEqual([1, 2, 7, 8]);
  tf.dispose([kept, variable]);
});

test.each([
  [
    [1, 1, 1, 3],
    [2, 5, 7, 1],
  ],
  [
    [1, 4],
    [3, 1],
  ],
  [[1], [5]],
  [
    [1, 1],
    [3, 4],
  ],
  [
    [1, 2, 3],
    [2, 2, 1],
  ],
  [
    [2, 1, 3],
    [1, 4, 1],
  ],
  [
    [1, 2],
    [1, 1],
  ],
])("%j tiled %j times holds x at every place, at the remainder of its index", (shape, reps) => {
  const size = shape.reduce((a, b) => a * b, 1);
  for (const dtype of ["float32", "int32", "bool"] as const) {
    const x = tf.tensor(
      Array.from({ length: size }, (_, i) => (dtype === "bool" ? i % 2 : i + 1)),
      shape,
      dtype,
    );
    const tiled = tf.tile(x, reps);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const numbers = x.dataSync();
    const expected = Array.from({ length: tiled.size }, (_, index) => {
      let [rest, place] = [index, 0];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        const whole = tiled.shape[axis] ?? 1;
        place += ((rest % whole) % (shape[axis] ?? 1)) * (strides[axis] ?? 1);
        rest = Math.floor(rest / whole);
      }
      return numbers[place];
    });
    expect([...tiled.dataSync()]).toEqual(expected);
    tf.dispose([x, tiled]);
  }
});

test("registering twice leaves the kernels as they are", () => {
  const kernels = tf.getKernelsForBackend("wasm").map((kernel) => kernel.kernelFunc);
  registerWasmGradientKernels();
  expect(tf.getKernelsForBackend("wasm").map((kernel) => kernel.kernelFunc)).toEqual(kernels);
});
