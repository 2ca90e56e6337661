/** @file Several replicas train as one does: every step, whatever the shards, the layers and the tasks. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { mixTargets } from "../../../src/engine/batches/mix-targets.js";
import type { BatchTargets } from "../../../src/engine/batches/targets.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { Network, type TrunkFunction } from "../../../src/engine/model/network.js";
import { predictLogits } from "../../../src/engine/inference/predict.js";
import { replicaAnswerer } from "../../../src/engine/replicas/forward.js";
import { ReplicaGroup, type ReplicaOptions } from "../../../src/engine/replicas/group.js";
import { ReplicaSteps } from "../../../src/engine/replicas/steps.js";
import { EagerSteps } from "../../../src/engine/optimization/eager-step.js";
import type { StepConfig, StepEngine } from "../../../src/engine/optimization/step-engine.js";
import { Trainer } from "../../../src/engine/optimization/trainer.js";
import {
  ADAMW,
  batchOf,
  dropoutTrunk,
  graph,
  INPUTS,
  makeData,
  richTrunk,
  trainerOf,
  weightsOf,
} from "../../support/small-project.js";

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

// every replica loads the program again, which takes seconds on a busy machine
vi.setConfig({ testTimeout: 120_000 });

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

/** Some steps on batches of rows. @param change what the batches are to be */
async function train(
  network: Network,
  engine: StepEngine & { readonly gradient: Float32Array },
  change: (targets: BatchTargets) => BatchTargets = (targets) => targets,
): Promise<Trace> {
  const trace = {
    losses: [] as number[],
    norms: [] as number[],
    gradients: [] as Float32Array[],
    logits: [] as Float32Array[],
  };
  for (const [i, rows] of BATCHES.entries()) {
    const factors = network.layout.columns.map(({ task }) => task.lossWeight);
    const { inputs, targets } = batchOf(network, data, rows);
    const outcome = await engine.step({
      ...{ inputs, targets: change(targets) },
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
  await engine.writeBack("trained");
  const weights = [...network.trainable, ...network.statistics].flatMap((variable) => Array.from(variable.dataSync()));
  return { ...trace, weights: Float32Array.from(weights) };
}

/** @param options of the replicas; null: the network itself, in this thread */
async function trainWith(
  trunk: TrunkFunction,
  options: Partial<ReplicaOptions> | null,
  freeze: readonly string[] = [],
): Promise<Trace> {
  const network = Network.build(graph, INPUTS, trunk, 3, { freeze });
  const engine =
    options === null
      ? new EagerSteps(network, CONFIG)
      : new ReplicaSteps(network, CONFIG, await openGroup(network, { freeze, ...options }));
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

test("labels of two pictures in one are those of one network, also in parts", async () => {
  const config: StepConfig = { ...CONFIG, accumulate: 2 };
  const [alone, shared] = [3, 3].map((seed) => Network.build(graph, INPUTS, richTrunk, seed)) as [Network, Network];
  const mix = (targets: BatchTargets) => {
    const partners = Int32Array.from({ length: targets.rows }, (_, row) => targets.rows - 1 - row);
    return mixTargets(graph, targets, { mixing: "mixup", partners, share: 0.6, pasted: null });
  };
  const two = new ReplicaSteps(shared, config, await openGroup(shared));
  const expected = await train(alone, new EagerSteps(alone, config), mix);
  expectSame(await train(shared, two, mix), expected);
  const plain = Network.build(graph, INPUTS, richTrunk, 3);
  expect((await train(plain, new EagerSteps(plain, config))).losses).not.toEqual(expected.losses);
});

test("a batch in parts, and an average of the weights, are those of one network", async () => {
  const config: StepConfig = { ...CONFIG, accumulate: 2, averageDecay: 0.5 };
  const [alone, shared] = [3, 3].map((seed) => Network.build(graph, INPUTS, richTrunk, seed)) as [Network, Network];
  const [one, two] = [new EagerSteps(alone, config), new ReplicaSteps(shared, config, await openGroup(shared))];
  expectSame(await train(shared, two), await train(alone, one));
  const average = async (network: Network, engine: StepEngine) => {
    await engine.writeBack("averaged");
    return network.trainable.flatMap((variable) => Array.from(variable.dataSync()));
  };
  const expected = await average(alone, one);
  expect(apart(await average(shared, two), expected)).toBeLessThan(1e-5);
  // what replicas answer with
  expect(apart(two.weights.parameters, expected)).toBeLessThan(1e-5);
  await two.writeBack("trained");
  expect(apart(two.weights.parameters, expected)).toBeGreaterThan(1e-4);
});

describe.each([
  ["dropout", dropoutTrunk],
  ["batch normalization, dropout and penalties", richTrunk],
])("with %s", (_, trunk) => {
  let one: Trace;
  beforeAll(async () => {
    one = await trainWith(trunk, null);
  });

  test.each([1, 2, 3])("%i replicas step as one network does", async (replicas) => {
    expectSame(await trainWith(trunk, { replicas }), one);
  });

  test("processes step as threads do", async () => {
    expectSame(await trainWith(trunk, { transport: "processes" }), one);
  });
});

test("the same replicas and seed give the same weights, bit by bit", async () => {
  const [first, second] = [await trainWith(richTrunk, {}), await trainWith(richTrunk, {})];
  expect(second.weights).toEqual(first.weights);
});

test("on wasm, too, replicas step as one network does", async () => {
  await openBackend("wasm");
  const one = await trainWith(richTrunk, null);
  expectSame(await trainWith(richTrunk, { backend: "wasm" }), one);
  await openBackend("cpu");
});

test("frozen parts stay as they are, and their batch normalization infers", async () => {
  const freeze = ["common", "place"];
  const one = await trainWith(richTrunk, null, freeze);
  expectSame(await trainWith(richTrunk, {}, freeze), one);
});

describe("one step", () => {
  const network = () => Network.build(graph, INPUTS, richTrunk, 3);
  const factors = graph.tasks.map(({ lossWeight }) => lossWeight);
  const about = { factors, learningRate: 1e-2, seed: "one step" };

  /** Its outcome and its gradient on one network and on two replicas. */
  async function both(change: (batch: ReturnType<typeof batchOf>) => ReturnType<typeof batchOf>) {
    const [one, two] = [network(), network()];
    const engines = [new EagerSteps(one, CONFIG), new ReplicaSteps(two, CONFIG, await openGroup(two))] as const;
    const outcomes = [];
    for (const engine of engines) {
      const batch = change(batchOf(one, data, [0, 1, 2, 3, 4, 5, 6, 7]));
      outcomes.push({ ...(await engine.step({ ...batch, ...about })), gradient: engine.gradient.slice() });
      await engine.writeBack("trained");
    }
    return { outcomes, networks: [one, two] };
  }

  test("counts a task with rows in one shard alone by the rows of the whole batch", async () => {
    const { outcomes } = await both(({ inputs, targets }) => ({
      inputs,
      targets: {
        ...targets,
        masks: targets.masks.map((mask, task) => mask.map((on, row) => (task < 2 && row >= 3 ? 0 : on))),
      },
    }));
    const [one, two] = outcomes;
    expect(two?.loss.tasks.map(({ terms }) => terms)).toEqual(one?.loss.tasks.map(({ terms }) => terms));
    expect(apart(two?.gradient ?? [], one?.gradient ?? [])).toBeLessThan(1e-5);
  });

  test("without an active row in any shard has a zero loss, and the gradient of the penalties alone, once", async () => {
    const { outcomes } = await both(({ inputs, targets }) => ({
      inputs,
      targets: { ...targets, masks: targets.masks.map((mask) => new Uint8Array(mask.length)) },
    }));
    const [one, two] = outcomes;
    expect([one?.loss.total, two?.loss.total]).toEqual([0, 0]);
    expect(one?.gradientNorm).toBeGreaterThan(0);
    expect(apart(two?.gradient ?? [], one?.gradient ?? [])).toBeLessThan(1e-5);
  });

  test("that is not finite changes nothing, not even the averages of batch normalization", async () => {
    const { outcomes, networks } = await both(({ inputs, targets }) => ({
      inputs,
      targets: {
        ...targets,
        labels: targets.labels.map((labels) => ({
          ...labels,
          answers: labels.answers.map((answer) => (Number.isNaN(answer) ? answer : Number.POSITIVE_INFINITY)),
        })),
      },
    }));
    expect(outcomes.map(({ applied }) => applied)).toEqual([false, false]);
    for (const each of networks) expect(weightsOf(each)).toEqual(weightsOf(network()));
  });

  test("after one that was not applied starts from what was before both", async () => {
    const two = network();
    const [group, clean] = [await openGroup(two), network()];
    const engine = new ReplicaSteps(two, CONFIG, group);
    const good = batchOf(two, data, BATCHES[0] as number[]);
    const labels = good.targets.labels.map(({ unitScale, answers }) => ({
      unitScale,
      answers: answers.map((answer) => answer * Number.POSITIVE_INFINITY),
    }));
    expect((await engine.step({ ...good, targets: { ...good.targets, labels }, ...about })).applied).toBe(false);
    await engine.step({ ...good, ...about });
    await engine.writeBack("trained");
    const eager = new EagerSteps(clean, CONFIG);
    await eager.step({ ...batchOf(clean, data, BATCHES[0] as number[]), ...about });
    weightsOf(clean).forEach((weight, i) => {
      expect(apart(weightsOf(two)[i] ?? [], weight)).toBeLessThan(1e-5);
    });
  });
});

describe("whole epochs", () => {
  const CHANGES = { taskWeighting: "uncertainty", batchSize: 7, clipNorm: 1 } as const;
  const config = { optimizer: ADAMW, seed: 5, ...CHANGES };

  async function epoch(trainer: Trainer) {
    return trainer.finishEpoch(data, data.rows, data.masks, 1e-2);
  }

  test("with learned task weights are those of one network, and go on with another number of replicas", async () => {
    const [one, two] = [Network.build(graph, INPUTS, richTrunk, 3), Network.build(graph, INPUTS, richTrunk, 3)];
    const alone = trainerOf(one, CHANGES);
    const together = new Trainer(two, config, undefined, new ReplicaSteps(two, config, await openGroup(two)));
    const reports = [await epoch(alone), await epoch(together)];
    expect(apart(reports[1]?.logits ?? [], reports[0]?.logits ?? [])).toBeLessThan(1e-5);
    expect(apart([...together.logVariances].map(Number), alone.logVariances.map(Number))).toBeLessThan(1e-5);

    const snapshot = await together.snapshot();
    const group = await openGroup(two, { replicas: 3 });
    const three = new Trainer(two, config, snapshot, new ReplicaSteps(two, config, group, snapshot.optimizer));
    await epoch(alone);
    await epoch(three);
    weightsOf(one).forEach((weight, i) => {
      expect(apart(weightsOf(two)[i] ?? [], weight)).toBeLessThan(1e-4);
    });
  });

  test("are validated by the replicas with the weights of the latest step", async () => {
    const network = Network.build(graph, INPUTS, richTrunk, 3);
    const group = await openGroup(network);
    const steps = new ReplicaSteps(network, config, group);
    await epoch(new Trainer(network, config, undefined, steps));
    const read = (rows: Int32Array) => batchOf(network, data, rows).inputs;
    const here = await predictLogits(network, data.rows, read, { batchSize: 5 });
    const answerer = replicaAnswerer(group, () => steps.weights);
    const progress: number[] = [];
    const there = await predictLogits(network, data.rows, read, {
      batchSize: 5,
      answerer,
      onProgress: (done) => progress.push(done),
    });
    expect(there).toEqual(here);
    expect(progress.at(-1)).toBe(24);
  });
});
