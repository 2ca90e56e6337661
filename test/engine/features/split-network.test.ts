/** @file A network split behind its frozen trunk: both parts together say what the whole says. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ImageInputSpec } from "../../../src/data/dataset.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { FeatureRows } from "../../../src/engine/features/feature-source.js";
import { type SplitNetwork, splitNetwork } from "../../../src/engine/features/split-network.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import { sequential, type TrunkPart } from "../../../src/engine/model/ready-trunks.js";
import { readParameters, writeParameters } from "../../../src/engine/model/parameters.js";
import { computeLogits } from "../../../src/engine/inference/compute-logits.js";
import { ContentCache } from "../../../src/platform/content-cache.js";
import { createRandom } from "../../../src/data/rng.js";
import { graph, IMAGE, INPUTS } from "../../support/small-project.js";

const ROWS = 6;
const pixels = Uint8Array.from({ length: ROWS * 8 * 8 * 3 }, (_, i) => createRandom(`pixel ${i}`).int(256));
const BYTES = 8 * 8 * 3;

let dir: string;
beforeAll(async () => {
  await openBackend("wasm");
  dir = mkdtempSync(join(tmpdir(), "cool-split-"));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  tf.disposeVariables();
});

type Layers = Parameters<TrunkFunction>[1];

/** A frozen convolution with what follows it, and a layer of each feature behind. */
function trunk(
  change: Partial<Record<"frozen" | "bypass" | "penalty" | "pool" | "direct", boolean>> = {},
): TrunkFunction {
  return ({ image }, layers) => {
    const frozen = apply(layers, image, [
      layers.conv2d({
        ...{ filters: 4, kernelSize: 3, strides: 2, activation: "tanh", trainable: change.frozen === false },
        ...(change.penalty === true ? { kernelRegularizer: "l1l2" } : {}),
      }),
      layers.batchNormalization({ trainable: false }),
      layers.dropout({ rate: 0.5, trainable: false }),
    ]);
    const map = change.bypass === true ? both(layers, frozen, image) : frozen;
    const flat = apply(layers, map, [layers.flatten()]);
    const pooled = apply(layers, map, [layers.globalMaxPooling2d({})]);
    const common = change.pool === true ? pooled : flat;
    return {
      common: change.direct === true ? pooled : dense(layers, common, 7),
      place: dense(layers, flat, 5),
    };
  };
}

function apply(layers: Layers, x: SymbolicTensor | undefined, stack: readonly TrunkPart[]): SymbolicTensor {
  return sequential(stack)(x as SymbolicTensor, layers);
}

function dense(layers: Layers, x: SymbolicTensor, units: number): SymbolicTensor {
  return apply(layers, x, [layers.dense({ units, activation: "tanh" }), layers.batchNormalization()]);
}

function both(layers: Layers, frozen: SymbolicTensor, image: SymbolicTensor | undefined): SymbolicTensor {
  const own = apply(layers, image, [layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, activation: "tanh" })]);
  return layers.concatenate().apply([frozen, own]) as SymbolicTensor;
}

const read = (rows: ArrayLike<number>): Uint8Array => {
  const out = new Uint8Array(rows.length * BYTES);
  Array.from(rows).forEach((row, i) => {
    out.set(pixels.subarray(row * BYTES, (row + 1) * BYTES), i * BYTES);
  });
  return out;
};
const pictures = { spec: IMAGE as ImageInputSpec, paths: ["a", "b", "c", "d", "e", "f"], read };
const rows = Int32Array.from({ length: ROWS }, (_, row) => row);

function featuresOf({ trunks: [first] }: SplitNetwork, cache = "cache"): FeatureRows {
  if (first === undefined) throw new Error("nothing is frozen");
  return new FeatureRows(first, pictures, {
    precision: "float32",
    cache: new ContentCache(join(dir, cache), { maxBytes: 1e6 }),
    backend: "wasm",
  });
}

/** Logits of the part behind, from features and, where it reads them, pictures. */
function tailLogits(split: SplitNetwork, features: FeatureRows): number[] {
  const inputs = Object.fromEntries(
    Object.keys(split.tail.inputs).map((name) => {
      const feature = split.trunks[0]?.features.find((each) => each.name === name);
      return [name, feature === undefined ? read(rows) : features.source(feature).read(rows)];
    }),
  );
  return [...computeLogits(split.tail, inputs, ROWS).sample];
}

const wholeLogits = (whole: Network): number[] => [...computeLogits(whole, { image: pixels }, ROWS).sample];
const sizes = (network: Network): number[] => network.trainable.map(({ size }) => size);

describe("a network behind its frozen trunk", () => {
  test.each([
    ["one map that both features read", {}, [36]],
    ["a map, and what is pooled of it", { pool: true }, [4, 36]],
    ["layers that train on the same picture", { bypass: true }, [36]],
    ["heads that read it directly", { direct: true }, [4, 36]],
  ])("%s: both parts together say what the whole says, bit by bit", async (_what, change, widths) => {
    const whole = Network.build(graph, INPUTS, trunk(change), 7);
    const split = splitNetwork(whole);
    if (split === null) throw new Error("nothing is frozen");
    expect(split.trunks.map(({ features }) => features.map(({ size }) => size).sort((a, b) => a - b))).toEqual([
      widths,
    ]);
    expect(tailLogits(split, featuresOf(split))).toEqual(wholeLogits(whole));
    // an optimizer's state fits both
    expect(sizes(split.tail)).toEqual(sizes(whole));
  });

  test("trains for the whole: what it became is written back", () => {
    const whole = Network.build(graph, INPUTS, trunk(), 7);
    const split = splitNetwork(whole);
    if (split === null) throw new Error("nothing is frozen");
    const changed = readParameters(split.tail.trainable).map((value) => value + 0.25);
    writeParameters(split.tail.trainable, changed);
    const before = wholeLogits(whole);
    split.writeBack();
    expect(readParameters(whole.trainable)).toEqual(changed);
    expect(wholeLogits(whole)).not.toEqual(before);
    expect(tailLogits(split, featuresOf(split))).toEqual(wholeLogits(whole));
  });

  test.each([
    ["nothing is frozen", { frozen: false }],
    ["a frozen layer has a penalty, which belongs to the loss", { penalty: true }],
  ])("is not split where %s", (_what, change) => {
    expect(splitNetwork(Network.build(graph, INPUTS, trunk(change), 7))).toBeNull();
  });

  test("frozen features of train.freeze are split off as well", () => {
    const whole = Network.build(graph, INPUTS, trunk({ frozen: false }), 7, { freeze: ["common", "place"] });
    const split = splitNetwork(whole, ["common", "place"]);
    expect(split?.tail.trainable.map(({ shape }) => shape)).toEqual(whole.trainable.map(({ shape }) => shape));
    if (split !== null) expect(tailLogits(split, featuresOf(split))).toEqual(wholeLogits(whole));
  });

  test("its digest follows weights and settings, and not the names of layers", () => {
    const digest = (change: Parameters<typeof trunk>[0], seed: number) =>
      splitNetwork(Network.build(graph, INPUTS, trunk(change), seed))?.trunks[0]?.digest;
    expect(digest({}, 7)).toBe(digest({}, 7));
    expect(digest({}, 7)).not.toBe(digest({ pool: true }, 7));
    expect(digest({}, 7)).not.toBe(digest({}, 8));
  });
});

describe("features", () => {
  test("are computed once: the second time they are read, of memory and of disk", async () => {
    const split = splitNetwork(Network.build(graph, INPUTS, trunk(), 7));
    if (split === null) throw new Error("nothing is frozen");
    const first = featuresOf(split, "once");
    expect(await first.fill(rows)).toBe(ROWS);
    expect(await first.fill(rows)).toBe(0);
    expect(await featuresOf(split, "once").fill(rows)).toBe(0);
    expect(await featuresOf(split, "elsewhere").fill(rows.slice(2))).toBe(ROWS - 2);
  });

  test("do not depend on which pictures pass together", async () => {
    const split = splitNetwork(Network.build(graph, INPUTS, trunk(), 7));
    if (split === null) throw new Error("nothing is frozen");
    const [together, alone] = [featuresOf(split, "together"), featuresOf(split, "alone")];
    await together.fill(rows);
    for (const row of rows) await alone.fill(Int32Array.of(row));
    expect(tailLogits(split, together)).toEqual(tailLogits(split, alone));
  });

  test("are read from disk where memory has no room, and computed again where the disk has none either", async () => {
    const split = splitNetwork(Network.build(graph, INPUTS, trunk(), 7));
    const [first] = split?.trunks ?? [];
    if (split === null || first === undefined) throw new Error("nothing is frozen");
    const expected = tailLogits(split, featuresOf(split, "plenty"));
    let runs = 0;
    const compute: typeof first.compute = (...pictures) => {
      runs += 1;
      return first.compute(...pictures);
    };
    const features = (maxBytes: number) =>
      new FeatureRows({ ...first, compute }, pictures, {
        ...{ precision: "float32", backend: "wasm", memoryBytes: 0 },
        cache: new ContentCache(join(dir, `of ${maxBytes}`), { maxBytes }),
      });
    for (const [maxBytes, expectedRuns] of [
      [1e6, 1],
      [0, 3],
    ] as const) {
      runs = 0;
      const rowsOf = features(maxBytes);
      await rowsOf.fill(rows);
      expect(tailLogits(split, rowsOf)).toEqual(expected);
      expect(tailLogits(split, rowsOf)).toEqual(expected);
      expect(runs).toBe(expectedRuns);
    }
  });

  test("that are not finite name the picture", async () => {
    const split = splitNetwork(Network.build(graph, INPUTS, trunk(), 7));
    const [first] = split?.trunks ?? [];
    if (first === undefined) throw new Error("nothing is frozen");
    const broken = { ...first, compute: () => new Float32Array(ROWS * first.width).fill(Number.NaN) };
    const features = (precision: "float32" | "float16", compute = broken) =>
      new FeatureRows(compute, pictures, {
        ...{ precision, backend: "wasm" },
        cache: new ContentCache(join(dir, "broken"), { maxBytes: 1e6 }),
      });
    await expect(features("float32").fill(rows)).rejects.toThrow(/The frozen trunk answers -?(NaN|Infinity) to a\./);
    const large = { ...first, compute: () => new Float32Array(ROWS * first.width).fill(1e6) };
    await expect(features("float16", large).fill(rows)).rejects.toThrow('featureCache.precision to "float32"');
  });
});
