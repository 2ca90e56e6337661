/** @file A step that is recorded at a few rows is, to the last byte, the graph of one that is recorded with all of them. */
import { afterAll, describe, expect, test } from "vitest";
import * as tf from "@tensorflow/tfjs-core";
import { openBackend } from "../../src/engine/backends/choose.js";
import { tensorflowBackend } from "../../src/engine/backends/tensorflow/binding.js";
import { shardOf } from "../../src/engine/batches/shards.js";
import { Network, type TrunkFunction } from "../../src/engine/model/network.js";
import { readParameters } from "../../src/engine/model/parameters.js";
import { createUpdater } from "../../src/engine/optimization/weight-average.js";
import { computeByLibrary, type MakeCompute, recordByFew } from "../../src/engine/step-graph/op-trail.js";
import { PARAMETERS, STATISTICS } from "../../src/engine/step-graph/network-inputs.js";
import { type TracedBatch, traceStep } from "../../src/engine/step-graph/trace-step.js";
import { TracedGraph } from "../../src/engine/step-graph/traced-graph.js";
import { ADAMW, batchOf, graph, INPUTS, makeData, plainTrunk, richTrunk, trunkWith } from "../support/small-project.js";
import { needsTensorflow } from "./tensorflow.js";

needsTensorflow();
afterAll(() => tf.disposeVariables());

const ROWS = 27;
const config = { optimizer: ADAMW, clipNorm: null };

/** Something of every way in which a batch's size gets into a graph. */
const variedTrunk = trunkWith((layers) => [
  layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: "same", activation: "relu" }),
  layers.layerNormalization(),
  layers.maxPooling2d({ poolSize: 2 }),
  layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: "same" }),
  layers.upSampling2d({ size: [2, 2] }),
  layers.gaussianNoise({ stddev: 0.1 }),
]);

const cases: readonly (readonly [string, TrunkFunction])[] = [
  ["a plain trunk", plainTrunk],
  ["dropout, batch normalization and penalties", richTrunk],
  ["strides, pools, transposed convolutions, layer normalization and noise", variedTrunk],
];

describe("the graph of a step", () => {
  test.each(cases)("%s", async (_, trunk) => {
    await openBackend("tensorflow");
    const backend = tensorflowBackend();
    if (backend === null) throw new Error("not on TensorFlow");
    const network = Network.build(graph, INPUTS, trunk, 3);
    const { inputs, targets } = batchOf(network, makeData(ROWS));
    const batch: TracedBatch = { inputs, targets, factors: graph.tasks.map(() => 1), learningRate: 1e-2, seed: "seed" };
    const parameters = readParameters(network.trainable);
    const traced = new TracedGraph(backend, {
      [PARAMETERS]: parameters,
      [STATISTICS]: readParameters(network.statistics),
      ...createUpdater(config, parameters.length, undefined).state.slots,
    });
    const before = tf.memory().numDataBuffers;
    const record = (own: TracedBatch, compute: MakeCompute, isPredicted: boolean): Buffer => {
      const scratch = traced.scratch();
      const shape = { rows: own.targets.rows, length: 0, masked: 0, isMixed: false, part: null };
      const { outputs } = traceStep(scratch, network, config, own, shape, { compute, isPredicted });
      return Buffer.from(scratch.builder.encode(outputs));
    };
    let predicted = false;
    const byFew = recordByFew(
      ROWS,
      (rows, compute) => {
        const few = shardOf(network.layout, inputs, targets, { before: 0, rows });
        record({ ...batch, inputs: few.inputs, targets: few.targets }, compute, false);
      },
      (compute, isPredicted) => {
        predicted = isPredicted;
        return record(batch, compute, isPredicted);
      },
    );
    expect(predicted).toBe(true);
    expect(byFew.equals(record(batch, computeByLibrary, false))).toBe(true);
    expect(tf.memory().numDataBuffers).toBe(before);
    network.dispose();
  });
});
