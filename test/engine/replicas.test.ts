/** @file Several replicas train as one does: every step, whatever the shards, the layers and the tasks. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../src/engine/backend.js";
import { Network, type TrunkFunction } from "../../src/engine/network.js";
import { ReplicaGroup, type ReplicaOptions } from "../../src/engine/replicas/group.js";
import { ReplicaSteps } from "../../src/engine/replicas/steps.js";
import { EagerSteps } from "../../src/engine/step/eager.js";
import type { StepConfig, StepEngine } from "../../src/engine/step/step-engine.js";
import { ADAMW, batchOf, dropoutTrunk, graph, INPUTS, makeData, plainTrunk, richTrunk } from "./small-project.js";

const data = makeData(24);
const BATCHES = [
  // not divisible by 2 or 3
  [0, 1, 2, 3, 4, 5, 6],
  [7, 8, 9, 10, 11, 12, 13, 14],
  // fewer than three replicas
  [15, 16],
  [17],
];
const CONFIG: StepConfig = { optimizer: ADAMW, clipNorm: 1 };

const groups: ReplicaGroup[] = [];
async function openGroup(network: Network, options: Partial<ReplicaOptions> = {}): Promise<ReplicaGroup> {
  const group = await ReplicaGroup.open(network, { replicas: 2, transport: "threads", backend: "cpu", ...options });
  groups.push(group);
  return group;
}

beforeAll(async () => {
  await openBackend("cpu");
});
afterEach(async () => {
  await Promise.all(groups.splice(0).map((group) => group.close()));
});
afterAll(() => tf.disposeVariables());

interface Trace {
  readonly losses: number[];
  readonly norms: number[];
  readonly gradients: Float32Array[];
  readonly logits: Float32Array[];
  readonly weights: Float32Array;
}

/** Some steps on batches of rows. */
async function train(network: Network, engine: StepEngine & { readonly gradient: Float32Array }): Promise<Trace> {
  const trace = {
    losses: [] as number[],
    norms: [] as number[],
    gradients: [] as Float32Array[],
    logits: [] as Float32Array[],
  };
  for (const [i, rows] of BATCHES.entries()) {
    const factors = network.layout.columns.map(({ task }) => task.lossWeight);
    const outcome = await engine.step({
      ...batchOf(network, data, rows),
      factors,
      learningRate: 1e-2,
      seed: `step/${i}`,
    });
    expect(outcome.applied).toBe(true);
    trace.losses.push(outcome.loss.total);
    trace.norms.push(outcome.gradientNorm);
    trace.gradients.push(engine.gradient.slice());
    trace.logits.push(outcome.logits.sample.slice());
  }
  await engine.writeBack();
  const weights = [...network.trainable, ...network.statistics].flatMap((variable) => Array.from(variable.dataSync()));
  return { ...trace, weights: Float32Array.from(weights) };
}

async function trainWith(trunk: TrunkFunction, options: Partial<ReplicaOptions> | null): Promise<Trace> {
  const network = Network.build(
    graph,
    INPUTS,
    trunk,
    3,
    options?.freeze === undefined ? {} : { freeze: options.freeze },
  );
  const engine =
    options === null
      ? new EagerSteps(network, CONFIG)
      : new ReplicaSteps(network, CONFIG, await openGroup(network, options));
  return train(network, engine);
}

/** ‖a − b‖ ÷ ‖b‖ */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    norm += (b[i] as number) ** 2;
  }
  return Math.sqrt(difference / norm);
}

function expectSame(trace: Trace, one: Trace): void {
  BATCHES.forEach((_, step) => {
    expect(apart([trace.losses[step] as number], [one.losses[step] as number])).toBeLessThan(1e-5);
    expect(apart([trace.norms[step] as number], [one.norms[step] as number])).toBeLessThan(1e-5);
    expect(apart(trace.gradients[step] as Float32Array, one.gradients[step] as Float32Array)).toBeLessThan(1e-5);
    expect(apart(trace.logits[step] as Float32Array, one.logits[step] as Float32Array)).toBeLessThan(1e-5);
  });
  expect(apart(trace.weights, one.weights)).toBeLessThan(1e-5);
}

describe.each([
  ["plain", plainTrunk],
  ["dropout", dropoutTrunk],
  ["batch normalization, dropout and penalties", richTrunk],
])("%s", (_, trunk) => {
  test.each([1, 2, 3])("%i replicas step as one network does", async (replicas) => {
    const one = await trainWith(trunk, null);
    expectSame(await trainWith(trunk, { replicas }), one);
  });
});
