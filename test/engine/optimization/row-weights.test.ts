/** @file Rows that count more or less in training: as if they stood there more often, or not at all. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { at } from "../../../src/arrays.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { createBatchReader } from "../../../src/engine/batches/batch-reader.js";
import { shardOf, shardPlaces } from "../../../src/engine/batches/shards.js";
import { type BatchTargets, entryWeights, gatherTargets } from "../../../src/engine/batches/targets.js";
import { Network } from "../../../src/engine/model/network.js";
import { batchLoss, countTerms } from "../../../src/engine/optimization/losses.js";
import { gradientFeeds, logitGradient } from "../../../src/engine/step-graph/logit-gradient.js";
import { graph, INPUTS, layout, makeData, plainTrunk } from "../../support/small-project.js";

beforeAll(() => openBackend("cpu"));

const data = makeData(12);
const { width } = layout;
const targetsOf = (rows: readonly number[]): BatchTargets => gatherTargets(layout, data.labels, data.masks, rows);
/** The same of a row of the data wherever it stands. */
const logitsOf = (rows: readonly number[]) =>
  Float32Array.from({ length: rows.length * width }, (_, i) =>
    Math.sin(((rows[Math.floor(i / width)] as number) * width + (i % width)) * 5.3),
  );
const rows = [...data.rows];
const weights = Float32Array.from(rows, (row) => [1, 2, 0, 3][row % 4] as number);
const repeated = rows.flatMap((row) => new Array<number>(weights[row] as number).fill(row));
const weighted: BatchTargets = { ...targetsOf(rows), weights };

function lossOf(targets: BatchTargets, logits: Float32Array) {
  const gradient = new Float32Array(logits.length);
  return { ...batchLoss(layout, logits, targets, gradient), gradient };
}

describe("whole weights", () => {
  test("are the losses and gradients of rows that stand there so often", () => {
    const once = lossOf(weighted, logitsOf(rows));
    const often = lossOf(targetsOf(repeated), logitsOf(repeated));
    expect(once.total).toBeCloseTo(often.total, 6);
    expect(once.tasks.map(({ terms }) => terms)).toEqual(often.tasks.map(({ terms }) => terms));
    const summed = new Float32Array(once.gradient.length);
    for (const [at, row] of repeated.entries()) {
      for (let i = 0; i < width; i++)
        summed[row * width + i] = (summed[row * width + i] ?? 0) + (often.gradient[at * width + i] ?? 0);
    }
    for (const [i, value] of summed.entries()) expect(once.gradient[i]).toBeCloseTo(value, 6);
  });

  test("of 0 leave out whatever stands there, even what is no number", () => {
    const logits = logitsOf(rows).fill(Number.NaN, 2 * width, 3 * width);
    expect(weights[2]).toBe(0);
    expect(lossOf(weighted, logits).total).toBe(lossOf(weighted, logitsOf(rows)).total);
  });

  test("are fed to the graph of a step", () => {
    const logits = logitsOf(rows);
    const factors = layout.columns.map(({ task }) => task.lossWeight);
    const feed = at(gradientFeeds(layout, "sample", weighted, rows.length, factors), 0);
    const gradient = tf.tidy(() => {
      const shape: [number, number] = [rows.length, width];
      const [z, y, w] = [
        tf.tensor2d(logits, shape),
        tf.tensor2d(feed.targets, shape),
        tf.tensor2d(feed.weights, shape),
      ];
      return logitGradient(layout, "sample", z, y, w).dataSync();
    });
    for (const [i, value] of lossOf(weighted, logits).gradient.entries()) expect(gradient[i]).toBeCloseTo(value, 5);
  });

  test("go with the rows into shards", () => {
    const denominators = countTerms(layout, weighted);
    const image = new Uint8Array(rows.length);
    const shards = shardPlaces(rows.length, 5).map((place) => shardOf(layout, { image }, weighted, place));
    const totals = shards.map(({ place, targets }) => {
      const own = logitsOf(rows.slice(place.before, place.before + place.rows));
      return batchLoss(layout, own, targets, null, denominators).total;
    });
    expect(totals.reduce((sum, total) => sum + total, 0)).toBeCloseTo(lossOf(weighted, logitsOf(rows)).total, 6);
  });
});

test("tokens, and those that are masked, count as their rows do", () => {
  const targets = { weights: Float32Array.of(1, 5), length: 3, masked: Int32Array.of(1, 2, 4) };
  const all = (axis: "sample" | "token" | "masked", entries: number) =>
    Array.from({ length: entries }, (_, entry) => entryWeights(targets, axis)(entry));
  expect(all("sample", 2)).toEqual([1, 5]);
  expect(all("token", 6)).toEqual([1, 1, 1, 5, 5, 5]);
  expect(all("masked", 3)).toEqual([1, 1, 5]);
});

test("a batch has the weights of its rows", async () => {
  const network = Network.build(graph, INPUTS, plainTrunk, 3);
  const read = createBatchReader(network, { ...data, weights }, data.masks, { epoch: 1 });
  const { targets } = await read(Int32Array.of(7, 1, 4));
  expect([...(targets.weights ?? [])]).toEqual([3, 2, 1]);
  const plain = await createBatchReader(network, data, data.masks, { epoch: 1 })(Int32Array.of(7));
  expect(plain.targets.weights).toBeUndefined();
  network.dispose();
});
