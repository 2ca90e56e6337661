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

test("registering twice leaves the kernels as they are", () => {
  const kernels = tf.getKernelsForBackend("wasm").map((kernel) => kernel.kernelFunc);
  registerWasmGradientKernels();
  expect(tf.getKernelsForBackend("wasm").map((kernel) => kernel.kernelFunc)).toEqual(kernels);
});
