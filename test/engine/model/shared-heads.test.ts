/** @file Heads of ordinals: one score, a bias for each level but the lowest. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { loadNetwork, saveCheckpoint } from "../../../src/engine/model/checkpoint.js";
import type { Network } from "../../../src/engine/model/network.js";
import { batchLoss } from "../../../src/engine/optimization/losses.js";
import { Trainer } from "../../../src/engine/optimization/trainer.js";
import { build, graph, INPUTS, inputs, ROWS, targets } from "../../support/kinds-project.js";
import { rowLogits } from "../../support/row-logits.js";
import { ADAMW, latestGradient, SGD, setWeight, splitWeights, valuesOf } from "../../support/small-project.js";

beforeAll(() => openBackend("cpu"));
afterAll(() => tf.disposeVariables());

/** Differences between neighbouring logits of one ordinal, row by row. */
function gaps(network: Network, task: string): number[][] {
  const { offset, width } = network.layout.columns.find(({ task: { path } }) => path === task) ?? {
    offset: 0,
    width: 0,
  };
  const all = rowLogits(network, inputs, ROWS);
  return Array.from({ length: ROWS }, (_, row) =>
    Array.from({ length: width - 1 }, (_, i) => {
      const at = row * network.layout.width + offset + i;
      return (all[at] as number) - (all[at + 1] as number);
    }),
  );
}

function expectClose(row: readonly number[], to: readonly number[] | undefined): void {
  for (const [i, gap] of row.entries()) expect(gap).toBeCloseTo(to?.[i] as number, 4);
}

async function trained(network: Network, steps: number): Promise<void> {
  const trainer = new Trainer(network, { optimizer: ADAMW, batchSize: ROWS, clipNorm: null, seed: 1 });
  for (let step = 0; step < steps; step++) await trainer.step(inputs, targets, 0.1);
}

describe("the head of an ordinal", () => {
  test("begins with its logits in order, the same distance apart in every row", () => {
    const network = build();
    for (const row of gaps(network, "grade")) for (const gap of row) expect(gap).toBeCloseTo(1 / 3, 5);
    network.dispose();
  });

  test("keeps one score as it trains: logits differ by biases alone, in every row alike", async () => {
    const network = build();
    const before = gaps(network, "grade");
    await trained(network, 30);
    const after = gaps(network, "grade");
    for (const row of after) expectClose(row, after[0]);
    expect(after[0]?.[0]).not.toBeCloseTo(before[0]?.[0] as number, 2);
    network.dispose();
  });

  test("has the gradient of finite differences in every weight", async () => {
    const network = build();
    const lossNow = () => batchLoss(network.layout, rowLogits(network, inputs, ROWS), targets, null).total;
    const trainer = new Trainer(network, { optimizer: SGD, batchSize: ROWS, clipNorm: null, seed: 1 });
    await trainer.step(inputs, targets, 0);
    const gradients = splitWeights(latestGradient(trainer), network);
    const kernels = network.trainable.map(({ shape }) => shape.join("×"));
    // the score's weights and the biases; no kernel from the score to the logits
    expect(kernels).toContain("5×1");
    expect(kernels).not.toContain("1×3");
    network.trainable.forEach((variable, v) => {
      const values = valuesOf(variable as tf.Tensor);
      values.forEach((value, i) => {
        const lossAt = (change: number): number => {
          setWeight(variable, values.with(i, value + change));
          return lossNow();
        };
        expect(gradients[v]?.[i]).toBeCloseTo((lossAt(2e-3) - lossAt(-2e-3)) / 4e-3, 2);
        setWeight(variable, values);
      });
    });
    network.dispose();
  });

  test("comes back from a checkpoint, and goes on with one score", async () => {
    const dir = mkdtempSync(join(tmpdir(), "shared-heads-"));
    const network = build();
    await trained(network, 3);
    await saveCheckpoint(dir, network);
    const loaded = await loadNetwork(dir, graph, INPUTS);
    expect(rowLogits(loaded, inputs, ROWS)).toEqual(rowLogits(network, inputs, ROWS));
    expect(loaded.trainable.map(({ shape }) => shape)).toEqual(network.trainable.map(({ shape }) => shape));
    await trained(loaded, 5);
    const [first, ...others] = gaps(loaded, "grade");
    for (const row of others) expectClose(row, first);
    network.dispose();
    loaded.dispose();
    rmSync(dir, { recursive: true, force: true });
  });
});
