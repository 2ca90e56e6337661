/** @file Optimizers, moving averages and learning rates: the numbers of torch; batches in parts. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { Network, type TrunkFunction } from "../../../src/engine/model/network.js";
import { EagerSteps } from "../../../src/engine/optimization/eager-step.js";
import { type RateSchedule, rateFactor } from "../../../src/engine/optimization/learning-rate.js";
import type { Optimizer, OptimizerConfig } from "../../../src/engine/optimization/optimizer.js";
import type { StepConfig } from "../../../src/engine/optimization/step-engine.js";
import { AVERAGE, createUpdater } from "../../../src/engine/optimization/weight-average.js";
import {
  ADAMW,
  batchOf,
  dropoutTrunk,
  graph,
  INPUTS,
  makeData,
  plainTrunk,
  trainerOf,
  weightsOf,
} from "../../support/small-project.js";

interface TorchRecipes {
  readonly averageDecay: number;
  readonly optimizers: readonly {
    readonly name: string;
    readonly config: OptimizerConfig;
    readonly start: readonly number[];
    /** [steps, parameters] */
    readonly gradients: readonly (readonly number[])[];
    readonly learningRates: readonly number[];
    /** Parameters, and their average, after each step. */
    readonly expected: readonly (readonly number[])[];
    readonly averages: readonly (readonly number[])[];
  }[];
  readonly length: { readonly epochs: number; readonly stepsPerEpoch: number };
  readonly schedules: readonly {
    readonly name: string;
    readonly schedule: RateSchedule;
    readonly rates: readonly number[];
  }[];
}
const torch = JSON.parse(
  readFileSync(new URL("../../../fixtures/torch/recipes.json", import.meta.url), "utf8"),
) as TorchRecipes;

function expectNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    // single precision beside double
    expect(Math.abs((actual[i] as number) - value)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)));
  });
}

describe.each(torch.optimizers.map((torchCase) => [torchCase.name, torchCase] as const))("%s", (_, torchCase) => {
  const { config, start, gradients, learningRates, expected, averages } = torchCase;
  const update = { optimizer: config, averageDecay: torch.averageDecay };

  /** Parameters and averages after each step; with `restartAt`, made anew from its state before that step. */
  function train(restartAt = -1) {
    const parameters = Float32Array.from(start);
    let updater: Optimizer = createUpdater(update, start.length);
    return gradients.map((gradient, step) => {
      if (step === restartAt) updater = createUpdater(update, start.length, structuredClone(updater.state));
      updater.apply(parameters, Float32Array.from(gradient), learningRates[step] as number);
      return { parameters: parameters.slice(), average: updater.state.slots[AVERAGE]?.slice() };
    });
  }

  test("moves weights, and their average, as torch does", () => {
    train().forEach(({ parameters, average }, step) => {
      expectNear(parameters, expected[step] ?? []);
      expectNear(average ?? [], averages[step] ?? []);
    });
  });

  test("goes on from its state bit by bit", () => {
    expect(train(5)).toEqual(train());
  });
});

test.each(torch.schedules.map((torchCase) => [torchCase.name, torchCase] as const))(
  "the learning rate of every step is torch's: %s",
  (_, { schedule, rates }) => {
    const factors = rates.map((_rate, step) => rateFactor(schedule, step, torch.length));
    rates.forEach((rate, step) => {
      expect(factors[step]).toBeCloseTo(rate, 9);
    });
  },
);

describe("a batch in parts", () => {
  const data = makeData(24);
  beforeAll(async () => {
    await openBackend("cpu");
  });

  async function trace(trunk: TrunkFunction, changes: Partial<StepConfig>, rows: readonly number[]) {
    const network = Network.build(graph, INPUTS, trunk, 3);
    const engine = new EagerSteps(network, { optimizer: ADAMW, clipNorm: 1, ...changes });
    const factors = network.layout.columns.map(({ task }) => task.lossWeight);
    const outcome = await engine.step({ ...batchOf(network, data, rows), factors, learningRate: 0.01, seed: "step" });
    const gradient = engine.gradient.slice();
    network.dispose();
    return { outcome, gradient };
  }

  function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
    expect(actual.length).toBe(expected.length);
    let [difference, norm] = [0, 0];
    for (let i = 0; i < expected.length; i++) {
      difference += ((actual[i] as number) - (expected[i] as number)) ** 2;
      norm += (expected[i] as number) ** 2;
    }
    expect(Math.sqrt(difference / norm)).toBeLessThan(1e-5);
  }

  const rows = [...data.rows];

  test.each([
    [2, rows],
    [5, rows],
    // more parts than rows
    [4, rows.slice(0, 3)],
  ])("has the losses, logits and gradient of the whole: %i parts", async (accumulate, some) => {
    const [whole, parts] = [await trace(plainTrunk, {}, some), await trace(plainTrunk, { accumulate }, some)];
    expectClose(parts.gradient, whole.gradient);
    expectClose(parts.outcome.logits.sample, whole.outcome.logits.sample);
    expect(parts.outcome.loss.total).toBeCloseTo(whole.outcome.loss.total, 4);
    expect(parts.outcome.loss.tasks.map(({ terms }) => terms)).toEqual(
      whole.outcome.loss.tasks.map(({ terms }) => terms),
    );
    expect(parts.outcome.gradientNorm).toBeCloseTo(whole.outcome.gradientNorm, 3);
  });

  test("draws other noise in every part", async () => {
    const twice = [0, 1, 2, 0, 1, 2];
    const { outcome } = await trace(dropoutTrunk, { accumulate: 2 }, twice);
    const { sample } = outcome.logits;
    const half = sample.length / 2;
    expect([...sample.subarray(0, half)]).not.toEqual([...sample.subarray(half)]);
  });
});

describe("an average of the weights", () => {
  const data = makeData(20);
  const changes = { averageDecay: 0.5, batchSize: 8 };
  beforeAll(async () => {
    await openBackend("cpu");
  });

  test("is what the network holds after an epoch, and training goes on from the weights themselves", async () => {
    const networks = [1, 2].map(() => Network.build(graph, INPUTS, plainTrunk, 3));
    const [averaged, plain] = networks as [Network, Network];
    const [trainer, reference] = [trainerOf(averaged, changes), trainerOf(plain, { batchSize: 8 })];
    for (let epoch = 0; epoch < 2; epoch++) {
      await trainer.finishEpoch(data, data.rows, data.masks, 0.01);
      await reference.finishEpoch(data, data.rows, data.masks, 0.01);
    }
    const { optimizer } = await trainer.snapshot();
    expect(weightsOf(averaged)).toEqual(weightsOf(plain));
    await trainer.engine.writeBack("averaged");
    const shown = averaged.trainable.flatMap((variable) => Array.from(variable.dataSync()));
    expect(shown).toEqual([...(optimizer.slots[AVERAGE] ?? [])]);
    expect(weightsOf(averaged)).not.toEqual(weightsOf(plain));
    for (const network of networks) network.dispose();
  });

  test("goes on from a snapshot bit by bit", async () => {
    const one = Network.build(graph, INPUTS, plainTrunk, 3);
    const trainer = trainerOf(one, changes);
    await trainer.finishEpoch(data, data.rows, data.masks, 0.01);
    const snapshot = structuredClone(await trainer.snapshot());
    const other = Network.build(graph, INPUTS, plainTrunk, 4);
    for (const [i, variable] of other.trainable.entries()) variable.assign(one.trainable[i] as typeof variable);
    const { Trainer } = await import("../../../src/engine/optimization/trainer.js");
    const config = { optimizer: ADAMW, clipNorm: null, seed: 5, ...changes };
    const resumed = new Trainer(other, config, snapshot);
    for (const each of [trainer, resumed]) await each.finishEpoch(data, data.rows, data.masks, 0.01);
    expect(weightsOf(other)).toEqual(weightsOf(one));
    expect(await resumed.snapshot()).toEqual(await trainer.snapshot());
    for (const network of [one, other]) network.dispose();
  });
});
