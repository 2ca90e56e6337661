/** @file The losses' gradient as tensor ops is that of the plain functions over arrays. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { at } from "../../../src/arrays.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { batchLoss } from "../../../src/engine/optimization/losses.js";
import { type BatchTargets, gatherTargets } from "../../../src/engine/batches/targets.js";
import { layOutHeads } from "../../../src/engine/model/layout.js";
import {
  isCompact,
  logitGradient,
  gradientFeeds,
  taskWithForeignLoss,
} from "../../../src/engine/step-graph/logit-gradient.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { classification } from "../../../src/tasks/index.js";
import * as kinds from "../../support/kinds-project.js";
import { graph, layout, makeData } from "../../support/small-project.js";

beforeAll(() => openBackend("cpu"));

const rows = 24;
const data = makeData(rows);
const targets = gatherTargets(layout, data.labels, data.masks, data.rows);
const factors = graph.tasks.map((_, task) => 1 + task);

function slopes(
  of: typeof layout,
  logits: Float32Array,
  batch: BatchTargets,
  weights: readonly number[],
): Float32Array {
  const width = logits.length / batch.rows;
  const compact = isCompact(of, "sample");
  const feed = at(gradientFeeds(of, "sample", batch, batch.rows, weights), 0);
  return tf.tidy(() => {
    const wanted = compact
      ? tf.tensor1d(feed.targets, "int32")
      : tf.tensor2d(feed.targets as Float32Array, [batch.rows, width]);
    const counted = tf.tensor2d(feed.weights, [batch.rows, compact ? 1 : width]);
    return logitGradient(
      of,
      "sample",
      tf.tensor2d(logits, [batch.rows, width]),
      wanted,
      counted,
    ).dataSync() as Float32Array;
  });
}

function plain(of: typeof layout, logits: Float32Array, batch: BatchTargets, weights: readonly number[]): Float32Array {
  const gradient = new Float32Array(logits.length);
  batchLoss(of, logits, batch, gradient, undefined, weights);
  return gradient;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
}

const logits = Float32Array.from({ length: rows * layout.width }, (_, i) => 6 * Math.sin(i * 12.9898));

describe("the slope of the losses", () => {
  test("of binary, regression, multilabel and classification side by side is that of each", () => {
    expect(isCompact(layout, "sample")).toBe(false);
    const expected = plain(layout, logits, targets, factors);
    expect(expected.some((value) => value !== 0)).toBe(true);
    expect(largestDifference(slopes(layout, logits, targets, factors), expected)).toBeLessThan(1e-7);
  });

  test("is 0 where a row does not count, even of a logit that is no number", () => {
    const masks = targets.masks.map((mask) => mask.map((counts, row) => (row === 3 ? 0 : counts)));
    const broken = logits.map((value, i) => (Math.floor(i / layout.width) === 3 ? Number.NaN : value));
    const slope = slopes(layout, broken, { ...targets, masks }, factors);
    expect([...slope.subarray(3 * layout.width, 4 * layout.width)]).toEqual(new Array(layout.width).fill(0));
    expect(slope.every(Number.isFinite)).toBe(true);
  });

  test("is 0 everywhere where no row counts", () => {
    const masks = targets.masks.map((mask) => new Uint8Array(mask.length));
    expect(slopes(layout, logits, { ...targets, masks }, factors).every((value) => value === 0)).toBe(true);
  });

  test("of one softmax alone takes the classes instead of a 1 among zeros", () => {
    const only = traceFlow(
      defineTasks({ features: ["f"], tasks: { word: classification({ classes: ["a", "b", "c", "d", "e"] }) } }).flow(
        "main",
        (flow, x, out) => void out.add(flow.word(x.f)),
      ),
      "main",
    );
    const own = layOutHeads(only);
    const answers = Float32Array.of(0, 4, Number.NaN, 2);
    const batch = { rows: 4, labels: [{ answers, unitScale: null }], masks: [Uint8Array.of(1, 1, 1, 0)] };
    const values = Float32Array.from({ length: 20 }, (_, i) => Math.cos(i * 78.233));
    expect(isCompact(own, "sample")).toBe(true);
    expect(largestDifference(slopes(own, values, batch, [3]), plain(own, values, batch, [3]))).toBeLessThan(1e-7);
  });

  test("of grades, of every loss of a regression, of a box and a point side by side is that of each", () => {
    const { layout: own, targets: batch, ROWS } = kinds;
    const values = Float32Array.from({ length: ROWS * own.width }, (_, i) => 3 * Math.sin(i * 12.9898));
    const weights = kinds.graph.tasks.map((_, task) => 1 + task);
    const expected = plain(own, values, batch, weights);
    for (const { offset, width } of own.columns) {
      const column = expected.filter((_, i) => i % own.width >= offset && i % own.width < offset + width);
      expect(column.some((value) => value !== 0)).toBe(true);
    }
    expect(largestDifference(slopes(own, values, batch, weights), expected)).toBeLessThan(1e-6);
  });

  test("is known for every built-in task", () => {
    expect(taskWithForeignLoss(layout)).toBeNull();
    expect(taskWithForeignLoss(kinds.layout)).toBeNull();
  });
});
