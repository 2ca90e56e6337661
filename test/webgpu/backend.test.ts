/** @file The webgpu backend in a process: how it opens, reads tensors at once, and what it leaves as it was. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test, vi } from "vitest";
import { openBackend } from "../../src/engine/backends/choose.js";
import { findAdapter, isSoftware } from "../../src/engine/backends/webgpu/adapter.js";
import { findWebgpuPackages, type WebgpuPackages } from "../../src/engine/backends/webgpu/packages.js";
import { Network } from "../../src/engine/model/network.js";
import { BackendError } from "../../src/errors.js";
import { batchOf, counts, graph, INPUTS, makeData, richTrunk, trainerOf } from "../support/small-project.js";
import { needsWebgpu } from "./device.js";

needsWebgpu();

const numbers = (tensor: tf.Tensor) => [...tensor.dataSync()];

describe("opening", () => {
  test("by name takes whatever adapter there is, and says which", async () => {
    const info = await openBackend("webgpu");
    expect(info).toMatchObject({ name: "webgpu", version: "4.22.0", device: expect.stringMatching(/ by WebGPU$/) });
    expect(tf.getBackend()).toBe("webgpu");
  });

  test("cannot choose among GPUs by number", async () => {
    await expect(openBackend("webgpu", { device: { kind: "gpu", index: 1 } })).rejects.toThrow(
      /gpu:1 cannot be asked for/,
    );
    expect((await openBackend("webgpu", { device: { kind: "gpu", index: 0 } })).name).toBe("webgpu");
  });

  test("by auto passes a software adapter over, and says so", async (context) => {
    const found = await findAdapter(findWebgpuPackages() as WebgpuPackages);
    if (found === null || !isSoftware(found.adapter)) return context.skip("this machine has a hardware adapter");
    const { name, reason } = await openBackend("auto");
    expect(name).not.toBe("webgpu");
    expect(reason).toMatch(/webgpu has only a software adapter \(.+\), which is taken by name alone/);
  });

  test.each([
    [{ vendor: "google", architecture: "swiftshader", device: "", description: "", isFallbackAdapter: true }, true],
    [{ vendor: "mesa", architecture: "", device: "llvmpipe (LLVM 15.0.6, 256 bits)", description: "" }, true],
    [{ vendor: "nvidia", architecture: "hopper", device: "NVIDIA H100 80GB HBM3", description: "" }, false],
    [{ vendor: "intel", architecture: "xe", device: "Intel(R) Arc(tm) A770", description: "Mesa 23.1" }, false],
  ])("knows software adapters: %o → %s", (info, expected) => {
    expect(isSoftware({ info, limits: {}, requestDevice: () => Promise.reject(new Error("never")) })).toBe(expected);
  });

  test("leaves navigator and setImmediate as they were, and writes nothing to the console", async () => {
    const written = [vi.spyOn(console, "warn"), vi.spyOn(console, "log"), vi.spyOn(console, "error")];
    const before = [Object.getOwnPropertyDescriptor(globalThis, "navigator"), globalThis.setImmediate];
    await openBackend("webgpu");
    expect(numbers(tf.add(tf.tensor1d([1, 2]), 1))).toEqual([2, 3]);
    expect([Object.getOwnPropertyDescriptor(globalThis, "navigator"), globalThis.setImmediate]).toEqual(before);
    for (const spy of written) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});

describe("a tensor", () => {
  test("is read at once, whatever its type", async () => {
    await openBackend("webgpu");
    const x = tf.tensor1d([-1.5, 0, 2.5]);
    expect(numbers(tf.mul(x, 2))).toEqual([-3, 0, 5]);
    expect(numbers(tf.cast(tf.mul(x, 2), "int32"))).toEqual([-3, 0, 5]);
    expect(numbers(tf.greaterEqual(x, 0))).toEqual([0, 1, 1]);
  });

  test("is read at once while others are read in their own time, and timers go on", async () => {
    await openBackend("webgpu");
    const x = tf.tensor1d([1, 2, 3]);
    const later = [tf.square(x).data(), tf.exp(tf.zeros([2])).data()];
    const timer = new Promise((resolve) => setTimeout(resolve, 1));
    expect(numbers(tf.add(x, 1))).toEqual([2, 3, 4]);
    const immediate = new Promise<void>((resolve) => setImmediate(resolve));
    expect((await Promise.all(later)).map((values) => [...values])).toEqual([
      [1, 4, 9],
      [1, 1],
    ]);
    await Promise.all([timer, immediate]);
    expect(numbers(tf.sub(x, 1))).toEqual([0, 1, 2]);
  });

  test("of integers or truth values keeps its numbers as floats, however it is moved", async () => {
    await openBackend("webgpu");
    const truths = tf.cast(tf.greater(tf.tensor2d([1, -1, 1, -1, -1, 1], [2, 3]), 0), "float32");
    expect(numbers(tf.transpose(truths))).toEqual([1, 0, 0, 0, 1, 1]);
    const [, second] = tf.split(tf.cast(tf.tensor1d([5, 6, 7, 8], "int32"), "float32"), 2);
    expect(numbers(second as tf.Tensor)).toEqual([7, 8]);
  });

  test("made on another backend is read, and used, here", async () => {
    await openBackend("wasm");
    const x = tf.square(tf.tensor1d([1, 2, 3]));
    await openBackend("webgpu");
    expect(numbers(tf.add(x, 1))).toEqual([2, 5, 10]);
    const y = tf.square(x);
    await openBackend("wasm");
    expect(numbers(tf.neg(y))).toEqual([-1, -16, -81]);
  });
});

test("steps leave no tensor behind", async () => {
  await openBackend("webgpu");
  const network = Network.build(graph, INPUTS, richTrunk, 3);
  const { inputs, targets } = batchOf(network, makeData(12));
  const trainer = trainerOf(network);
  await trainer.step(inputs, targets, 1e-3);
  const before = counts();
  for (let i = 0; i < 3; i++) await trainer.step(inputs, targets, 1e-3);
  expect(counts()).toEqual(before);
  network.dispose();
});

// last: a device that has refused something is not to be trusted again
test("a computation that the GPU refuses is an error, not a wrong number", async () => {
  await openBackend("webgpu");
  const five = tf.tensor5d([1, 2, 3, 4], [2, 1, 2, 1, 1]);
  // tfjs's shader for it does not compile
  const padded = () => tf.pad(five, [...Array(4).fill([0, 0]), [0, 1]] as [number, number][]).dataSync();
  expect(padded).toThrow(BackendError);
  expect(padded).toThrow(/The GPU refused a computation.*Error while parsing WGSL/);
});
