/** @file The tensorflow backend in a process: how it opens, what it says, and what it leaves behind. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test, vi } from "vitest";
import { openBackend } from "../../src/engine/backends/choose.js";
import { Network } from "../../src/engine/model/network.js";
import { readParameters, writeParameters } from "../../src/engine/model/parameters.js";
import { proveBackend } from "../../src/machine/speed-check.js";
import { batchOf, counts, graph, INPUTS, makeData, richTrunk, trainerOf } from "../support/small-project.js";
import { needsTensorflow } from "./tensorflow.js";

needsTensorflow();

const numbers = (tensor: tf.Tensor) => [...tensor.dataSync()];

describe("opening", () => {
  test("by auto prefers it to all others, and says what it computes on", async () => {
    const info = await openBackend("auto");
    expect(info).toMatchObject({ name: "tensorflow", version: "4.22.0" });
    expect(info.reason).toMatch(/^tensorflow: TensorFlow \d+\.\d+\.\d+ on the [CG]PU/);
    expect(info.threads).toBeGreaterThan(0);
    expect(tf.getBackend()).toBe("tensorflow");
  });

  test("for another device than the one it is on is refused", async () => {
    const { device } = await openBackend("tensorflow");
    const other = device.includes("GPU 0") ? ({ kind: "cpu" } as const) : ({ kind: "gpu", index: 5 } as const);
    await expect(openBackend("tensorflow", { device: other })).rejects.toThrow(/does not compute on (cpu|gpu:5)/);
    expect((await openBackend("tensorflow")).device).toBe(device);
  });

  test("uses the program's own tfjs, whose other backends stay", async () => {
    await openBackend("wasm");
    const x = tf.square(tf.tensor1d([1, 2, 3]));
    await openBackend("tensorflow");
    expect(numbers(tf.add(x, 1))).toEqual([2, 5, 10]);
    const y = tf.square(x);
    await openBackend("wasm");
    expect(numbers(tf.neg(y))).toEqual([-1, -16, -81]);
  });

  test("turns oneDNN on where its builds have it, whatever the processor", async () => {
    await openBackend("tensorflow");
    const has = process.platform === "linux" && process.arch === "x64";
    expect(process.env.TF_ENABLE_ONEDNN_OPTS).toBe(has ? "1" : undefined);
  });

  test("writes nothing to the console", async () => {
    const written = [vi.spyOn(console, "warn"), vi.spyOn(console, "log"), vi.spyOn(console, "error")];
    await openBackend("tensorflow");
    expect(numbers(tf.exp(tf.tensor1d([0, 0], "int32")))).toEqual([1, 1]);
    for (const spy of written) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

test("it trains as the plain JavaScript backend does", async () => {
  const { losses } = await proveBackend("tensorflow");
  expect(losses.length).toBe(5);
  expect(losses.at(-1)).toBeLessThan(losses[0] as number);
});

test("weights are read and written whole, and a tensor read from a variable does not change with it", async () => {
  await openBackend("tensorflow");
  const network = Network.build(graph, INPUTS, richTrunk, 3);
  const before = readParameters(network.trainable);
  const [first] = network.trainable;
  const copy = tf.mul(first as tf.Variable, 1);
  const values = numbers(copy);
  const moved = before.map((value) => value + 1);
  writeParameters(network.trainable, moved);
  // whoever filled the array may use it again
  moved.fill(0);
  expect([...readParameters(network.trainable)]).toEqual([...before.map((value) => value + 1)]);
  expect(numbers(copy)).toEqual(values);
  network.dispose();
});

test("steps leave no tensor behind, here or in the library", async () => {
  await openBackend("tensorflow");
  const { binding } = tf.engine().backend as unknown as { binding: { getNumOfTensors(): number } };
  const network = Network.build(graph, INPUTS, richTrunk, 3);
  const { inputs, targets } = batchOf(network, makeData(12));
  const trainer = trainerOf(network);
  await trainer.step(inputs, targets, 1e-3);
  await trainer.step(inputs, targets, 1e-3);
  const before = { ...counts(), native: binding.getNumOfTensors() };
  for (let i = 0; i < 3; i++) await trainer.step(inputs, targets, 1e-3);
  expect({ ...counts(), native: binding.getNumOfTensors() }).toEqual(before);
  network.dispose();
});
