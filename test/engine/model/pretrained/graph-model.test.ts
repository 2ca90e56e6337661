/** @file Graph models: their numbers beside those written out by hand, packed into one file, and what cannot be run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../../src/engine/backends/choose.js";
import type { ModelNeeds } from "../../../../src/engine/model/pretrained/external-model.js";
import { openGraph } from "../../../../src/engine/model/pretrained/graph-model.js";
import { isGraphModel, packGraph } from "../../../../src/engine/model/pretrained/packed-graph.js";
import { ConfigError } from "../../../../src/errors.js";
import { CHANNELS, expectedMap, KERNEL, writeGraphModel } from "../../../support/graph-model.js";

let dir: string;
const env = () => ({ DNN_COOL_CACHE: join(dir, "cache") });
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "cool-graph-"));
  await openBackend("cpu");
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let made = 0;
const write = (change?: Parameters<typeof writeGraphModel>[1]) => writeGraphModel(join(dir, `model${++made}`), change);
const pack = (folder: string) => packGraph(join(folder, "model.json"), "mobilenet", env());
const open = (folder: string, change: Partial<ModelNeeds> = {}) =>
  openGraph({
    ...{ model: "mobilenet", file: pack(folder).file, size: [9, 11], channels: 3, projectDir: null },
    preprocessing: { range: [-1, 1] },
    ...change,
  });

const SIZE = 9 * 11 * 3;
const pixels = Uint8Array.from({ length: 2 * SIZE }, (_, i) => (i * 37) % 256);
const seen = (row: number) =>
  Float32Array.from(pixels.subarray(row * SIZE, (row + 1) * SIZE), (byte) => (2 * byte) / 255 - 1);

describe("a graph model", () => {
  test("puts out what its operators say, by the node that is named", async () => {
    const model = await open(write(), { output: "map" });
    expect([model.output, model.shape]).toEqual(["map", [4, 5, CHANNELS]]);
    const values = await model.run(pixels, 2);
    const expected = [0, 1].flatMap((row) => expectedMap(seen(row), 9, 11));
    expect(values).toHaveLength(expected.length);
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4);
    });
    await model.close();
  });

  test("by its own output where none is named, also where it takes one picture at a time", async () => {
    const tensors = tf.memory().numTensors;
    const [many, single] = [await open(write()), await open(write({ batch: 1 }))];
    expect([many.output, many.shape]).toEqual(["pooled", [CHANNELS]]);
    const values = await many.run(pixels, 2);
    const map = expectedMap(seen(1), 9, 11);
    for (let channel = 0; channel < CHANNELS; channel++) {
      const mean = map.filter((_, i) => i % CHANNELS === channel).reduce((sum, value) => sum + value, 0) / 20;
      expect(values[CHANNELS + channel]).toBeCloseTo(mean, 4);
    }
    expect([...(await single.run(pixels, 2))]).toEqual([...values].map((value) => expect.closeTo(value, 5)));
    await many.close();
    await single.close();
    expect(tf.memory().numTensors).toBe(tensors);
  });

  test("is one file by its content, whatever it was called", () => {
    const [one, other, changed] = [write(), write(), write({ kernel: KERNEL.map((value) => -value) })].map(pack);
    expect(one).toEqual(other);
    expect(changed?.digest).not.toBe(one?.digest);
    expect(isGraphModel(join(write(), "model.json"))).toBe(true);
    expect(isGraphModel(one?.file ?? "")).toBe(false);
  });
});

describe("what cannot be run", () => {
  test("an output that is not there: the nearest", async () => {
    await expect(open(write(), { output: "poled" })).rejects.toThrow(
      /No output named "poled" .* Did you mean "pooled"/,
    );
  });
  test("pictures of another size", async () => {
    await expect(open(write({ size: [32, 32] }))).rejects.toThrow(
      "reads pictures of 32 × 32, but is applied to 9 × 11. Declare image({ size: [32, 32] })",
    );
  });
  test("an operator that tfjs does not have, by its name", async () => {
    await expect(open(write({ activation: "Rellu" }))).rejects.toThrow(
      /has the operator Rellu, which tfjs does not have.* Take the output of a node before it/,
    );
    // up to there it runs
    await (await open(write({ activation: "Rellu" }), { output: "conv" })).close();
  });
  test("an output that is no numbers of each picture", async () => {
    await expect(open(write(), { output: "axes" })).rejects.toThrow(/output "axes" .* is int32 \[2\]/);
  });
  test("weights that are cut off, or not there; a file that is none", async () => {
    const folder = write();
    const weights = join(folder, "group1-shard1of1.bin");
    writeFileSync(weights, readFileSync(weights).subarray(4));
    expect(() => pack(folder)).toThrow(/mobilenet cannot be read: .* bytes instead of/);
    rmSync(weights);
    expect(() => pack(folder)).toThrow(/is no file beside model\.json/);
    const text = join(dir, "text.tfjs");
    writeFileSync(text, "It is a text.");
    await expect(open(write(), { file: text })).rejects.toThrow("it is no packed graph model");
    await expect(open(write(), { file: join(dir, "none.tfjs") })).rejects.toThrow(ConfigError);
  });
});
