/** @file Gradients of tasks that point against each other at a shared feature (PCGrad, UPGrad). */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { Network } from "../../../src/engine/model/network.js";
import {
  combineGradients,
  countConflicts,
  type GradientConflicts,
} from "../../../src/engine/optimization/conflicts.js";
import { computeGradient } from "../../../src/engine/optimization/gradients.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, classification } from "../../../src/tasks/index.js";

const named = (...gradients: readonly number[][]) =>
  gradients.map((values, task) => ({ task, values: Float32Array.from(values) }));

/** Algorithm 1 of Yu et al. (2020), in the order that is given for each task. */
function pcgrad(gradients: readonly (readonly number[])[], orders: readonly (readonly number[])[]): number[] {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  const projected = gradients.map((gradient, i) =>
    (orders[i] ?? []).reduce(
      (own, j) => {
        const other = gradients[j] as readonly number[];
        const product = dot(own, other);
        return product < 0 ? own.map((x, k) => x - (product / dot(other, other)) * (other[k] as number)) : own;
      },
      gradient as readonly number[],
    ),
  );
  return (gradients[0] ?? []).map((_, k) => projected.reduce((sum, own) => sum + (own[k] as number), 0));
}

describe("projection", () => {
  test("takes from each of two gradients what points against the other", () => {
    // (2, 0) and (−1, 1): their product is −2; 2 − (−2/2)·… by hand
    const { sum, pairs } = combineGradients("project", named([2, 0], [-1, 1]), "seed");
    expect([...sum]).toEqual([2 - 1 + 0, 0 + 1 + 1]);
    expect(pairs).toEqual([{ tasks: [0, 1], isConflict: true }]);
  });

  test("adds gradients that do not, bit by bit", () => {
    const { sum, pairs } = combineGradients("project", named([2, 0.5], [1, 1], [0, 0]), "seed");
    expect([...sum]).toEqual([3, 1.5]);
    // a task without a gradient meets nobody
    expect(pairs).toEqual([{ tasks: [0, 1], isConflict: false }]);
  });

  test("of several is that of one of the orders, the same for a seed", () => {
    const gradients = [
      [1, -2, 0.5, 0.3],
      [-1.5, 1, 1, -0.2],
      [0.4, 0.6, -2, 1],
    ];
    const others = [
      [1, 2],
      [0, 2],
      [0, 1],
    ];
    const results = Array.from({ length: 8 }, (_, bits) =>
      pcgrad(
        gradients,
        others.map((order, i) => ((bits >> i) & 1 ? order.toReversed() : order)),
      ),
    );
    const seen = new Set<number>();
    for (let seed = 0; seed < 40; seed++) {
      const { sum } = combineGradients("project", named(...gradients), String(seed));
      expect([...combineGradients("project", named(...gradients), String(seed)).sum]).toEqual([...sum]);
      const found = results.findIndex((result) => result.every((x, k) => Math.abs(x - (sum[k] as number)) < 1e-5));
      expect(found).toBeGreaterThanOrEqual(0);
      seen.add(found);
    }
    expect(seen.size).toBeGreaterThan(2);
  });

  test("is counted by pairs", () => {
    const pair = (isConflict: boolean) => ({ tasks: [0, 2] as const, isConflict });
    const once = countConflicts({}, [pair(true), { tasks: [1, 2], isConflict: false }]);
    expect(countConflicts(once, [pair(false)])).toEqual({ "0 2": [2, 1], "1 2": [1, 0] });
  });
});

describe("the gradient of a step", () => {
  const ROWS = 6;
  const tasks = { a: binary(), b: classification({ classes: ["x", "y", "z"] }), c: binary() };
  const graph = traceFlow(
    defineTasks({ features: ["f", "g"], tasks }).flow("main", (flow, x, out) => {
      out.add(flow.a(x.f));
      out.add(flow.b(x.f));
      out.add(flow.c(x.g));
    }),
    "main",
  );
  const statistics = { mean: [], deviation: [] };
  const columns = Array.from({ length: ROWS }, (_, i) => String(i));
  const numbers = {
    kind: "numeric",
    columns,
    listLength: null,
    standardize: false,
    missing: "error",
    statistics,
  } as const;
  // each row is a unit vector, so that the gradient of a linear trunk's kernel is that of its feature
  const inputs = { at: Float32Array.from({ length: ROWS * ROWS }, (_, i) => (i % (ROWS + 1) === 0 ? 1 : 0)) };
  const labels = [
    [0, 1, 1, 0, 1, Number.NaN],
    [2, 0, 1, 1, 0, 2],
    [1, 1, 0, 0, 1, 0],
  ].map((answers) => ({ answers: Float32Array.from(answers), unitScale: null }));
  const masks = labels.map(({ answers }) => Uint8Array.from(answers, (answer) => (Number.isNaN(answer) ? 0 : 1)));
  const targets = { rows: ROWS, labels, masks };
  beforeAll(() => openBackend("cpu"));

  const build = (seed: number) =>
    Network.build(
      graph,
      { at: numbers },
      ({ at }, layers) => ({
        f: layers.dense({ units: 3, useBias: false }).apply(at as never) as never,
        g: layers.dense({ units: 2, useBias: false }).apply(at as never) as never,
      }),
      seed,
    );

  const gradientOf = (network: Network, factors: readonly number[], conflicts: GradientConflicts) => {
    const gradient = new Float32Array(network.trainable.reduce((sum, { size }) => sum + size, 0));
    const { pairs, loss } = computeGradient(network, inputs, targets, gradient, { factors, seed: "step", conflicts });
    return { gradient, pairs, loss };
  };

  /** Of two gradients in conflict each becomes across the other; the dual cone of two is the same. */
  test.each(["project", "upgrad"] as const)("%s: is changed at the feature that two tasks share alone", (method) => {
    const found = Array.from({ length: 8 }, (_, seed) => {
      const network = build(seed);
      const plain = gradientOf(network, [1, 1, 1], "add");
      const projected = gradientOf(network, [1, 1, 1], method);
      // six rows of three numbers
      const size = ROWS * 3;
      const alone = [gradientOf(network, [1, 0, 0], "add"), gradientOf(network, [0, 1, 0], "add")];
      const expected = pcgrad(
        alone.map(({ gradient }) => [...gradient.subarray(0, size)]),
        [[1], [0]],
      );
      for (const [i, value] of expected.entries()) expect(projected.gradient[i]).toBeCloseTo(value, 6);
      expect([...projected.gradient.subarray(size)]).toEqual([...plain.gradient.subarray(size)]);
      expect(projected.loss).toEqual(plain.loss);
      expect(projected.pairs.map(({ tasks: pair }) => pair)).toEqual([[0, 1]]);
      const change = expected.reduce((sum, value, i) => sum + Math.abs(value - (plain.gradient[i] as number)), 0);
      expect(change > 1e-4).toBe(projected.pairs[0]?.isConflict);
      network.dispose();
      return projected.pairs[0]?.isConflict;
    });
    expect(new Set(found)).toEqual(new Set([true, false]));
  });

  test("keeps no tensors", () => {
    const network = build(1);
    const before = tf.memory().numTensors;
    gradientOf(network, [1, 1, 1], "project");
    expect(tf.memory().numTensors).toBe(before);
    network.dispose();
  });
});
