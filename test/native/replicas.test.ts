/** @file Replicas on TensorFlow, in processes of their own, step as one network does. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, expect, test } from "vitest";
import { Network } from "../../src/engine/model/network.js";
import { ReplicaGroup } from "../../src/engine/replicas/group.js";
import { ReplicaSteps } from "../../src/engine/replicas/steps.js";
import { EagerSteps } from "../../src/engine/optimization/eager-step.js";
import { ADAMW, batchOf, graph, INPUTS, makeData, richTrunk, weightsOf } from "../support/small-project.js";
import { needsTensorflow } from "./tensorflow.js";

needsTensorflow();

afterAll(() => tf.disposeVariables());

test("two processes on TensorFlow train as one network does", async () => {
  const [one, two] = [Network.build(graph, INPUTS, richTrunk, 3), Network.build(graph, INPUTS, richTrunk, 3)];
  const config = { optimizer: ADAMW, clipNorm: 1 };
  const group = await ReplicaGroup.open(two, { replicas: 2, transport: "processes", backend: "tensorflow" });
  try {
    const engines = [new EagerSteps(one, config), new ReplicaSteps(two, config, group)] as const;
    const factors = graph.tasks.map(({ lossWeight }) => lossWeight);
    for (const [i, rows] of [[0, 1, 2, 3, 4, 5, 6], [7, 8, 9], [10]].entries()) {
      const losses = [];
      for (const [side, engine] of engines.entries()) {
        const batch = batchOf(side === 0 ? one : two, makeData(12), rows);
        losses.push((await engine.step({ ...batch, factors, learningRate: 1e-2, seed: `${i}` })).loss.total);
        await engine.writeBack("trained");
      }
      expect(Math.abs((losses[1] as number) / (losses[0] as number) - 1)).toBeLessThan(1e-5);
    }
    weightsOf(two).forEach((weight, i) => {
      const expected = weightsOf(one)[i] as Float32Array;
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      weight.forEach((value, k) => {
        expect(Math.abs(value - (expected[k] as number))).toBeLessThan(1e-4 * largest);
      });
    });
  } finally {
    await group.close();
  }
});
