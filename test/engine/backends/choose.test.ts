/** @file The backend choice: what is taken, what it says, what it leaves behind in the process. */
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { findWebgpuPackages } from "../../../src/engine/backends/webgpu/packages.js";
import { BackendError } from "../../../src/errors.js";

afterEach(() => vi.restoreAllMocks());

describe("openBackend", () => {
  test("auto takes wasm and says why", async () => {
    const info = await openBackend("auto");
    expect(info).toMatchObject({ name: "wasm", version: "4.22.0" });
    expect(info.reason).toMatch(/^wasm: WebAssembly, the fastest that loads here \(tensorflow is not.*; webgpu /);
    expect(tf.getBackend()).toBe("wasm");
  });

  test("cpu and wasm take turns, each with its own tensors still readable", async () => {
    await openBackend("wasm");
    const onWasm = tf.tensor1d([1, 2]);
    expect((await openBackend("cpu")).reason).toMatch(/asked for/);
    expect(tf.getBackend()).toBe("cpu");
    expect([...tf.add(onWasm, 1).dataSync()]).toEqual([2, 3]);
    await openBackend("wasm");
    expect(tf.getBackend()).toBe("wasm");
    expect([...tf.add(onWasm, 1).dataSync()]).toEqual([2, 3]);
  });

  test("opening again gives the same backend object", async () => {
    await openBackend("wasm");
    const backend = tf.engine().backend;
    await Promise.all([openBackend("wasm"), openBackend("auto")]);
    expect(tf.engine().backend).toBe(backend);
  });

  test("nothing is written to the console", async () => {
    const written = [vi.spyOn(console, "warn"), vi.spyOn(console, "log"), vi.spyOn(console, "error")];
    for (const name of ["cpu", "wasm"] as const) {
      await openBackend(name);
      tf.add(tf.tensor1d([1]), 1).dataSync();
    }
    for (const spy of written) expect(spy).not.toHaveBeenCalled();
  });

  test("no listener for uncaught errors stays behind", async () => {
    await openBackend("wasm");
    const sources = process.listeners("uncaughtException").map(String);
    expect(sources.filter((source) => source.includes("ExitStatus"))).toEqual([]);
  });

  test("tensorflow, where it is not installed, says how to install it", async () => {
    const opening = openBackend("tensorflow");
    await expect(opening).rejects.toThrow(BackendError);
    await expect(opening).rejects.toThrow(/npm i @tensorflow\/tfjs-node.*--backend wasm/);
  });

  test("webgpu, where it is not installed, says how to install it", async (context) => {
    if (findWebgpuPackages() !== null) return context.skip("the webgpu packages are installed");
    const opening = openBackend("webgpu");
    await expect(opening).rejects.toThrow(BackendError);
    await expect(opening).rejects.toThrow(/npm i webgpu @tensorflow\/tfjs-backend-webgpu.*--backend wasm/);
  });
});
