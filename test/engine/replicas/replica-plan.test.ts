/** @file How many replicas there are: cores, memory, rows, GPUs. */
import { describe, expect, test } from "vitest";
import type { BackendInfo } from "../../../src/engine/backends/choose.js";
import { planReplicas, visibleGpus } from "../../../src/engine/replicas/plan.js";
import { shardPlaces } from "../../../src/engine/batches/shards.js";
import { ConfigError } from "../../../src/errors.js";

const GIB = 2 ** 30;
const machine = { physicalCores: 8, freeBytes: 100 * GIB, gpus: [] };
const needs = { batchSize: 32, bytesPerReplica: GIB };
const backend = (name: BackendInfo["name"], device: string): BackendInfo => ({
  name,
  device,
  version: "4",
  threads: 1,
  reason: "",
});
const wasm = backend("wasm", "WebAssembly");
const tensorflow = backend("tensorflow", "TensorFlow 2.9.1 on the CPU");
const gpu = backend("tensorflow", "TensorFlow 2.9.1 on the GPU");

describe("auto", () => {
  test("is one thread per physical core on wasm", () => {
    expect(planReplicas("auto", wasm, needs, machine)).toEqual({
      replicas: 8,
      transport: "threads",
      environments: [],
      reason: "8 worker threads, one per physical core",
    });
  });

  test("is never more than memory allows, and says so", () => {
    const { replicas, reason } = planReplicas("auto", wasm, needs, { ...machine, freeBytes: 4 * GIB });
    expect(replicas).toBe(3);
    expect(reason).toBe("3 worker threads, since memory allows no more (1.0 GiB each, 4.0 GiB free)");
    expect(planReplicas("auto", wasm, needs, { ...machine, freeBytes: 0 }).replicas).toBe(1);
  });

  test("is never more than a batch has rows", () => {
    expect(planReplicas("auto", wasm, { ...needs, batchSize: 4 }, machine).replicas).toBe(4);
  });

  test("is one process on the CPU of TensorFlow, and one per visible GPU, which sees no other", () => {
    expect(planReplicas("auto", tensorflow, needs, machine)).toMatchObject({ replicas: 1, transport: "processes" });
    expect(planReplicas("auto", gpu, needs, { ...machine, gpus: ["2", "5"] })).toMatchObject({
      replicas: 2,
      transport: "processes",
      environments: [{ CUDA_VISIBLE_DEVICES: "2" }, { CUDA_VISIBLE_DEVICES: "5" }],
    });
  });
});

describe("a number", () => {
  test("is kept, and TensorFlow's processes share the cores", () => {
    expect(planReplicas(3, wasm, needs, machine).replicas).toBe(3);
    expect(planReplicas(4, tensorflow, needs, machine).environments).toEqual(
      Array.from({ length: 4 }, () => ({ TF_NUM_INTRAOP_THREADS: "2" })),
    );
  });

  test("above the rows of a batch, or the GPUs that there are, is refused", () => {
    expect(() => planReplicas(33, wasm, needs, machine)).toThrow(ConfigError);
    expect(() => planReplicas(33, wasm, needs, machine)).toThrow("Take at most 32 replicas");
    expect(() => planReplicas(3, gpu, needs, { ...machine, gpus: ["0", "1"] })).toThrow(
      "3 replicas need a GPU each, but there are 2.",
    );
  });
});

test("GPUs are those of CUDA_VISIBLE_DEVICES, up to the first that is none, or all of the driver's", () => {
  const list = () => "0\n1\n2\n";
  expect(visibleGpus({}, list)).toEqual(["0", "1", "2"]);
  expect(visibleGpus({ CUDA_VISIBLE_DEVICES: "2, 0" }, list)).toEqual(["2", "0"]);
  expect(visibleGpus({ CUDA_VISIBLE_DEVICES: "1,-1,0" }, list)).toEqual(["1"]);
  expect(visibleGpus({ CUDA_VISIBLE_DEVICES: "" }, list)).toEqual([]);
});

test("shards are as equal as they can be, and may be empty", () => {
  const sizes = (rows: number, replicas: number) => shardPlaces(rows, replicas).map((place) => place.rows);
  expect(sizes(32, 2)).toEqual([16, 16]);
  expect(sizes(7, 3)).toEqual([3, 2, 2]);
  expect(sizes(2, 3)).toEqual([1, 1, 0]);
  expect(shardPlaces(7, 3).map((place) => place.before)).toEqual([0, 3, 5]);
});
