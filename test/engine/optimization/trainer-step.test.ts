/** @file One training step: what it changes, what a failed one leaves alone, what it keeps in memory. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { batchLoss } from "../../../src/engine/optimization/losses.js";
import type { BatchTargets } from "../../../src/engine/batches/targets.js";
import { Network } from "../../../src/engine/model/network.js";

import { rowLogits } from "../../support/row-logits.js";
import { TrainingError } from "../../../src/errors.js";
import {
  batchOf,
  counts,
  graph,
  INPUTS,
  latestGradient,
  layout,
  makeData,
  plainTrunk,
  richTrunk,
  SGD,
  setWeight,
  splitWeights,
  trainerOf,
  valuesOf,
  weightsOf,
} from "../../support/small-project.js";

const data = makeData(24);

beforeAll(async () => {
  await openBackend("cpu");
  await openBackend("wasm");
});
afterAll(() => tf.disposeVariables());

describe("a step", () => {
  test("of plain SGD takes the gradient times the rate from every weight", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const before = weightsOf(network);
    const trainer = trainerOf(network, { optimizer: SGD });
    const { inputs, targets } = batchOf(network, data);
    await trainer.step(inputs, targets, 0.5);
    const gradients = splitWeights(latestGradient(trainer), network);
    weightsOf(network).forEach((values, i) => {
      expect(values).toEqual(
        before[i]?.map((value, k) => Math.fround(value - 0.5 * ((gradients[i] as Float32Array)[k] as number))),
      );
    });
    network.dispose();
  });

  test("lowers the loss of its batch, and reports the loss and logits before it", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const trainer = trainerOf(network, { optimizer: SGD });
    const { inputs, targets } = batchOf(network, data);
    const logits = rowLogits(network, inputs, 24);
    const reported = new Float32Array(24 * layout.width);
    const { loss } = await trainer.step(inputs, targets, 0.05, reported);
    expect(reported).toEqual(logits);
    expect(loss).toEqual(batchLoss(layout, logits, targets, null));
    expect(batchLoss(layout, rowLogits(network, inputs, 24), targets, null).total).toBeLessThan(loss.total);
    network.dispose();
  });

  test("without an active row is valid: loss and gradient 0, plain SGD moves nothing", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const before = weightsOf(network);
    const trainer = trainerOf(network, { optimizer: SGD });
    const { inputs, targets } = batchOf(network, data);
    const masks = targets.masks.map((mask) => new Uint8Array(mask.length));
    const { loss, gradientNorm } = await trainer.step(inputs, { ...targets, masks }, 1);
    expect(loss.total).toBe(0);
    expect(gradientNorm).toBe(0);
    expect(weightsOf(network)).toEqual(before);
    expect(trainer.position).toEqual({ epoch: 1, batch: 1, step: 1 });
    network.dispose();
  });

  test("with a clip norm moves the weights by no more than that norm", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 3);
    const before = weightsOf(network);
    const trainer = trainerOf(network, { optimizer: SGD, clipNorm: 0.01 });
    const { inputs, targets } = batchOf(network, data);
    const { gradientNorm } = await trainer.step(inputs, targets, 1);
    expect(gradientNorm).toBeGreaterThan(0.1);
    const moved = weightsOf(network).flatMap((values, i) =>
      [...values].map((value, k) => value - (before[i]?.[k] as number)),
    );
    expect(Math.hypot(...moved)).toBeCloseTo(0.01, 5);
    network.dispose();
  });
});

describe("a step that fails", () => {
  /** A network and its trainer after three steps, all state included in `snapshot`. */
  async function afterThreeSteps() {
    const network = Network.build(graph, INPUTS, richTrunk, 3);
    const trainer = trainerOf(network);
    const { inputs, targets } = batchOf(network, data);
    for (let i = 0; i < 3; i++) await trainer.step(inputs, targets, 1e-2);
    const snapshot = async () => structuredClone({ weights: weightsOf(network), ...(await trainer.snapshot()) });
    return { network, trainer, inputs, targets, snapshot };
  }

  function withAnswer(targets: BatchTargets, task: number, answer: number): BatchTargets {
    const labels = targets.labels.map((label, i) =>
      i === task ? { ...label, answers: label.answers.map(() => answer) } : label,
    );
    return { ...targets, labels };
  }

  test("for an infinite loss names the step and the task and leaves everything as it was", async () => {
    const { network, trainer, inputs, targets, snapshot } = await afterThreeSteps();
    const before = await snapshot();
    let thrown: unknown;
    try {
      await trainer.step(inputs, withAnswer(targets, 1, Number.POSITIVE_INFINITY), 1e-2);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TrainingError);
    expect((thrown as TrainingError).message).toMatch(
      /^The loss of task "person\.x" is Infinity at step 4 \(epoch 1, batch 4\)\. The weights before this step are kept\./,
    );
    expect((thrown as TrainingError).facts).toEqual({ task: "person.x", loss: "Infinity", step: 4, epoch: 1 });
    expect(await snapshot()).toEqual(before);
    network.dispose();
  });

  test("can be followed by the same step with good labels, as if it had never been", async () => {
    const [failed, clean] = [await afterThreeSteps(), await afterThreeSteps()];
    const bad = withAnswer(failed.targets, 1, Number.POSITIVE_INFINITY);
    await expect(failed.trainer.step(failed.inputs, bad, 1e-2)).rejects.toThrow(TrainingError);
    for (const { trainer, inputs, targets } of [failed, clean]) await trainer.step(inputs, targets, 1e-2);
    expect(await failed.snapshot()).toEqual(await clean.snapshot());
    for (const { network } of [failed, clean]) network.dispose();
  });

  test("for weights that overflow says NaN and leaves the averages of batch normalization alone", async () => {
    const { network, inputs, targets, snapshot } = await afterThreeSteps();
    const [kernel] = network.trainable as [tf.Variable];
    // the first convolution, which batch normalization follows
    setWeight(kernel, valuesOf(kernel as unknown as tf.Tensor).fill(Number.NaN));
    const before = await snapshot();
    await expect(trainerOf(network).step(inputs, targets, 1e-2)).rejects.toThrow(
      /^The loss of task "present" is NaN at step 1 \(epoch 1, batch 1\)/,
    );
    expect(await snapshot()).toEqual(before);
    expect(network.statistics.flatMap((variable) => [...valuesOf(variable as tf.Tensor)]).every(Number.isFinite)).toBe(
      true,
    );
    network.dispose();
  });

  test("for an infinite gradient under a finite loss names the task whose it is", async () => {
    const heavy = { ...graph, tasks: graph.tasks.map((task) => ({ ...task, lossWeight: 1e6 })) };
    const network = Network.build(heavy, INPUTS, plainTrunk, 3);
    const before = weightsOf(network);
    const trainer = trainerOf(network);
    const { inputs, targets } = batchOf(network, data);
    // the loss, about 1e80, fits double precision; the gradient does not fit single precision
    await expect(trainer.step(inputs, withAnswer(targets, 1, 3e38), 1e-2)).rejects.toThrow(
      `The gradient of task "${graph.tasks[1]?.path}" is not finite at step 1 (epoch 1, batch 1)`,
    );
    expect(weightsOf(network)).toEqual(before);
    network.dispose();
  });

  test("for a gradient that overflows in the trunk says so, and which task pulls most", async () => {
    const heavy = {
      ...graph,
      tasks: graph.tasks.map((task) => ({ ...task, lossWeight: task.index === 1 ? 1e38 : 1 })),
    };
    const network = Network.build(heavy, INPUTS, plainTrunk, 3);
    const { inputs, targets } = batchOf(network, data);
    // features of zero, so that logits are 0 however large the heads' weights; slopes of about 1e36 times these overflow
    const heads = network.trainable.slice(-2 * graph.features.length);
    for (const variable of network.trainable) {
      const weights = valuesOf(variable as tf.Tensor);
      setWeight(variable, heads.includes(variable) ? weights.map((weight) => weight * 1e6) : weights.fill(0));
    }
    const error = await trainerOf(network)
      .step(inputs, targets, 1e-2)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TrainingError);
    expect((error as Error).message).toMatch(
      /^The gradient is (Infinity|NaN) in the trunk or a head, though it is finite at every task's logits \(the steepest is that of task /,
    );
    expect((error as TrainingError).facts.steepest).toBe(graph.tasks[1]?.path);
    network.dispose();
  });

  test("leaves no tensor behind", async () => {
    const { network, trainer, inputs, targets } = await afterThreeSteps();
    const before = counts();
    const bad = withAnswer(targets, 1, Number.POSITIVE_INFINITY);
    for (let i = 0; i < 3; i++) await expect(trainer.step(inputs, bad, 1e-2)).rejects.toThrow(TrainingError);
    expect(counts()).toEqual(before);
    network.dispose();
  });
});

describe("memory", () => {
  test.each(["wasm", "cpu"] as const)("after 100 steps holds as many tensors as after 10: %s", async (backend) => {
    await openBackend(backend);
    const network = Network.build(graph, INPUTS, richTrunk, 3);
    const trainer = trainerOf(network, { clipNorm: 1 });
    const run = async (steps: number) => {
      for (let i = 0; i < steps; i++) {
        const { inputs, targets } = batchOf(network, data, [i % 24, (i + 7) % 24]);
        await trainer.step(inputs, targets, 1e-3);
        if (i % 5 === 0) rowLogits(network, inputs, 2);
        if (i % 10 === 0) expect(network.model.outputNames.length).toBe(5);
      }
      return counts();
    };
    const afterTen = await run(10);
    expect(await run(90)).toEqual(afterTen);
    network.dispose();
    await openBackend("wasm");
  });
});
