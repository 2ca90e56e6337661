/** @file TensorFlow's packages and devices: which is taken, and what is said where one does not load. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { explainMissingGpu, visibleDevices } from "../../../src/engine/backends/tensorflow/cuda.js";
import { parseDevice } from "../../../src/engine/backends/device.js";
import { candidates } from "../../../src/engine/backends/tensorflow/tensorflow.js";
import {
  installedPackages,
  privateInstallation,
  TENSORFLOW_PACKAGES,
  type TensorflowFlavour,
  type TensorflowPackage,
} from "../../../src/engine/backends/tensorflow/package.js";
import { BackendError, UsageError } from "../../../src/errors.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cool-devices-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A package as npm leaves it, with a library that is none. */
function fakePackage(root: string, flavour: TensorflowFlavour, library: string | null): void {
  const dir = join(root, "node_modules", TENSORFLOW_PACKAGES[flavour]);
  mkdirSync(join(dir, "lib", "napi-v8"), { recursive: true });
  writeFileSync(join(dir, "package.json"), JSON.stringify({ version: "4.22.0" }));
  if (library !== null) writeFileSync(join(dir, "lib", "napi-v8", "tfjs_binding.node"), library);
}

describe("--device", () => {
  test.each([
    ["cpu", { kind: "cpu" }],
    ["gpu", { kind: "gpu", index: 0 }],
    ["gpu:3", { kind: "gpu", index: 3 }],
  ])("%s", (text, expected) => expect(parseDevice(text)).toEqual(expected));

  test.each(["", "cuda", "gpu:", "gpu:x", "GPU:0"])("%o is no device", (text) => {
    expect(() => parseDevice(text)).toThrow(UsageError);
  });

  test.each([
    ["cpu", undefined, "-1"],
    ["cpu", "2,3", "-1"],
    ["gpu", undefined, "0"],
    ["gpu:1", undefined, "1"],
    ["gpu:1", "2,3", "3"],
    ["gpu:5", "2,3", "5"],
  ])("%s, with CUDA_VISIBLE_DEVICES %o, lets CUDA see %o", (device, current, expected) => {
    expect(visibleDevices(parseDevice(device), current)).toBe(expected);
  });

  test("of a backend that has no such device is refused", async () => {
    await expect(openBackend("wasm", { device: { kind: "gpu", index: 0 } })).rejects.toThrow(
      /wasm does not compute on a gpu/,
    );
    expect((await openBackend("auto", { device: { kind: "cpu" } })).name).toBe("wasm");
  });

  test("of a GPU where nothing computes on one names every backend and why", async () => {
    const opening = openBackend("auto", { device: { kind: "gpu", index: 1 } });
    await expect(opening).rejects.toThrow(/No backend computes on gpu:1: tensorflow is not installed; webgpu .*; wasm/);
  });

  test("of a GPU says how to get tensorflow for it", async () => {
    const opening = openBackend("tensorflow", { device: { kind: "gpu", index: 0 } });
    await expect(opening).rejects.toThrow(/cool backends install tensorflow --gpu/);
  });
});

describe("packages", () => {
  test("are found in the project, above it and in the cache: the GPU's first", () => {
    const project = join(folder, "workspace", "project");
    const env = { DNN_COOL_CACHE: join(folder, "cache") };
    mkdirSync(project, { recursive: true });
    fakePackage(join(folder, "workspace"), "cpu", "x");
    fakePackage(privateInstallation("cpu", env), "cpu", "x");
    fakePackage(privateInstallation("gpu", env), "gpu", null);
    const found = installedPackages(project, env);
    expect(found.map(({ flavour, place }) => `${flavour} in ${place}`)).toEqual([
      "gpu in cache",
      "cpu in project",
      "cpu in cache",
    ]);
    expect(found.map(({ addon }) => addon !== null)).toEqual([false, true, true]);
  });

  test("none where there is none", () => {
    expect(installedPackages(folder, { DNN_COOL_CACHE: folder })).toEqual([]);
  });

  const packageOf = (flavour: TensorflowFlavour) => ({ flavour }) as TensorflowPackage;
  test.each([
    [null, true, ["gpu", "cpu"]],
    [null, false, ["cpu", "gpu"]],
    [{ kind: "cpu" } as const, true, ["cpu", "gpu"]],
    [{ kind: "gpu", index: 0 } as const, false, ["gpu"]],
  ])("for device %o, with a driver: %o, are tried in the order %o", (device, hasDriver, expected) => {
    const order = candidates([packageOf("gpu"), packageOf("cpu")], device, hasDriver);
    expect(order.map(({ flavour }) => flavour)).toEqual(expected);
  });
});

describe("a package that does not load", () => {
  test("gives way in auto, with the reason in the line that says what was taken", async () => {
    vi.stubEnv("DNN_COOL_CACHE", folder);
    fakePackage(privateInstallation("cpu"), "cpu", "no library");
    const { name, reason } = await openBackend("auto");
    expect(name).toBe("wasm");
    expect(reason).toMatch(
      /tensorflow does not load: .*tfjs-node in .* does not load: .*(ELF|short|image|application)/,
    );
  });

  test("names itself, what the linker said, and the way out", async () => {
    vi.stubEnv("DNN_COOL_CACHE", folder);
    fakePackage(privateInstallation("gpu"), "gpu", null);
    const error = await openBackend("tensorflow").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BackendError);
    expect((error as BackendError).message).toMatch(
      /tfjs-node-gpu in .* its native library was not built\. .*cool backends install tensorflow --gpu --force.*--backend wasm/,
    );
  });
});

describe("without a GPU, it is said that", () => {
  const old = ["libcudart.so.11.0", "libcublas.so.11", "libcudnn.so.8"];
  const recent = ["libcudart.so.12", "libcublas.so.12", "libcudnn.so.9"];

  test("there is no driver", () => {
    expect(explainMissingGpu("2.9.1", old, false)).toMatch(/No NVIDIA driver.*--device cpu/);
  });

  test("CUDA is missing", () => {
    expect(explainMissingGpu("2.9.1", [], true)).toMatch(
      /2\.9\.1 needs CUDA 11 and cuDNN 8: libcudart\.so\.11\.0, libcublas\.so\.11, libcudnn\.so\.8 are missing\. .*LD_LIBRARY_PATH/,
    );
  });

  test("CUDA is newer than the library", () => {
    expect(explainMissingGpu("2.9.1", recent, true)).toMatch(
      /it looks for libcudart\.so\.11\.0.*, and this machine has libcudart\.so\.12, libcublas\.so\.12, libcudnn\.so\.9, which it was not built for/,
    );
    expect(explainMissingGpu("2.21.0", recent, true)).not.toMatch(/not built for|missing/);
  });

  test("the linker misses a library", () => {
    const message = "libcusolver.so.11: cannot open shared object file: No such file or directory";
    expect(explainMissingGpu("2.9.1", old, true, message)).toMatch(/libcusolver\.so\.11 is missing/);
  });
});
