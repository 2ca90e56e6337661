/**
 * @file The tensorflow backend without oneDNN, as TensorFlow itself starts it on processors that lack certain
 * instructions: its plain kernels refuse some work that oneDNN's do.
 */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { openBackend } from "../../src/engine/backends/choose.js";
import { describeKernels } from "../parity/kernel-definitions.js";
import { needsTensorflow } from "./tensorflow.js";

// the library reads it when it is loaded, once per process, and every file of tests has a process of its own
vi.hoisted(() => {
  process.env.TF_ENABLE_ONEDNN_OPTS = "0";
});

needsTensorflow();
beforeAll(async () => void (await openBackend("tensorflow")));

describeKernels();

describe("a dilated depthwise convolution", () => {
  const x = () => tf.randomNormal([2, 9, 8, 3], 0, 1, "float32", 1) as tf.Tensor4D;
  const filter = () => tf.randomNormal([3, 2, 3, 2], 0, 1, "float32", 2) as tf.Tensor4D;

  test("follows its definition, again and again", () => {
    const expected = byDefinition(x(), filter(), [2, 3]);
    for (let i = 0; i < 3; i++) {
      expectClose(tf.depthwiseConv2d(x(), filter(), 1, "valid", "NHWC", [2, 3]), expected);
    }
  });

  test("with bias and activation, fused", () => {
    const bias = tf.tensor1d([0.5, -0.5, 1, -1, 0.1, -0.1]);
    const convolved = byDefinition(x(), filter(), [2, 2]);
    const fused = tf.fused.depthwiseConv2d({
      ...{ x: x(), filter: filter(), strides: 1, pad: "valid", dilations: [2, 2] },
      ...{ bias, activation: "relu" as const },
    });
    expectClose(
      fused,
      convolved.map((value, i) => Math.max(0, value + ([0.5, -0.5, 1, -1, 0.1, -0.1][i % 6] as number))),
    );
  });
});

/** Cross-correlation of every channel with its own taps, without padding. */
function byDefinition(x: tf.Tensor4D, filter: tf.Tensor4D, [down, across]: readonly [number, number]): number[] {
  const [batch, height, width, channels] = x.shape;
  const [rows, columns, , multiplier] = filter.shape;
  const [xs, ws] = [x.dataSync(), filter.dataSync()];
  const result: number[] = [];
  for (let b = 0; b < batch; b++)
    for (let i = 0; i + (rows - 1) * down < height; i++)
      for (let j = 0; j + (columns - 1) * across < width; j++)
        for (let k = 0; k < channels * multiplier; k++) {
          let sum = 0;
          const channel = Math.floor(k / multiplier);
          for (let r = 0; r < rows; r++)
            for (let c = 0; c < columns; c++) {
              const pixel = ((b * height + i + r * down) * width + j + c * across) * channels + channel;
              sum +=
                (xs[pixel] as number) *
                (ws[((r * columns + c) * channels + channel) * multiplier + (k % multiplier)] as number);
            }
          result.push(sum);
        }
  return result;
}

function expectClose(actual: tf.Tensor, expected: readonly number[]): void {
  const values = actual.dataSync();
  expect(values).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 4);
}
