/** @file The network: heads merged and apart, what layers do in training and inference, errors of the trunk. */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { InputSpec } from "../../src/data/dataset.js";
import { openBackend } from "../../src/engine/backend.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../src/engine/network.js";
import { forward, predictLogits, splitTasks } from "../../src/engine/predict.js";
import { readInputs } from "../../src/engine/trainer.js";
import { ConfigError, InterruptedError, UnknownNameError } from "../../src/errors.js";
import { defineTasks, traceFlow } from "../../src/flow/define.js";
import { binary } from "../../src/tasks/index.js";
import {
  batchOf,
  counts,
  dropoutTrunk,
  graph,
  IMAGE,
  INPUTS,
  layout,
  makeData,
  plainTrunk,
  richTrunk,
  trainerOf,
  trunkWith,
  valuesOf,
  weightsOf,
} from "./small-project.js";

const data = makeData(24);

beforeAll(async () => {
  await openBackend("wasm");
});
afterAll(() => tf.disposeVariables());

/** The images as the saved model takes them. */
function imageTensor(network: Network, rows: ArrayLike<number>): tf.Tensor {
  const { image } = readInputs(network, data, rows);
  return tf.tensor(
    Float32Array.from(image as Uint8Array, (byte) => byte / 255),
    [rows.length, 8, 8, 3],
  );
}

function predictPlainly(network: Network, rows: ArrayLike<number>): Float32Array[] {
  return tf.tidy(() => {
    const outputs = network.model.predict(imageTensor(network, rows)) as tf.Tensor[];
    return outputs.map(valuesOf);
  });
}

function largestDifference(actual: readonly Float32Array[], expected: readonly Float32Array[]): number {
  expect(actual.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  return Math.max(
    ...actual.flatMap((values, i) => [...values].map((value, k) => Math.abs(value - (expected[i]?.[k] as number)))),
  );
}

/** Logits in training mode, as the step of that seed sees them. */
function trainingLogits(network: Network, rows: ArrayLike<number>): Float32Array {
  const inputs = readInputs(network, data, rows);
  return tf.tidy(() => valuesOf(network.logits(inputs, rows.length, true)));
}

describe("heads", () => {
  test("merged into one product per feature say the same as the model's own dense layers, before and after steps", () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1);
    const trainer = trainerOf(network);
    const { inputs, targets } = batchOf(network, data);
    for (let step = 0; step < 3; step++) {
      const merged = splitTasks(layout, forward(network, inputs, 24));
      expect(largestDifference(predictPlainly(network, data.rows), merged)).toBeLessThan(1e-5);
      trainer.step(inputs, targets, 1e-2);
    }
    network.dispose();
  });

  test("are one dense layer per task, named by its path, in the order of the flow", () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1);
    const paths = ["present", "person.x", "person.colors", "person.shirt", "person.y"];
    expect(network.model.outputNames).toEqual(paths);
    expect(network.model.outputs.map(({ shape }) => shape)).toEqual([
      [null, 1],
      [null, 1],
      [null, 3],
      [null, 4],
      [null, 1],
    ]);
    expect(network.model.inputNames).toEqual(["image"]);
    network.dispose();
  });
});

describe("layers with a mode", () => {
  test("dropout drops in training and not in inference", () => {
    const [network, plain] = [dropoutTrunk, plainTrunk].map((trunk) => Network.build(graph, INPUTS, trunk, 1)) as [
      Network,
      Network,
    ];
    const { inputs } = batchOf(network, data);
    // the same weights: dropout draws nothing when it is built
    expect(weightsOf(network)).toEqual(weightsOf(plain));
    expect(forward(network, inputs, 24)).toEqual(forward(plain, inputs, 24));
    const first = trainingLogits(network, data.rows);
    expect(first).not.toEqual(forward(network, inputs, 24));
    expect(first).not.toEqual(trainingLogits(network, data.rows));
    for (const each of [network, plain]) each.dispose();
  });

  test("batch normalization takes the batch's statistics in training and its moving averages in inference", () => {
    const momentum = 0.75;
    const epsilon = 0.1;
    const trunk: TrunkFunction = ({ image }, layers) => {
      const normalized = layers.batchNormalization({ momentum, epsilon }).apply(image as SymbolicTensor);
      const pooled = layers.globalAveragePooling2d({}).apply(normalized as SymbolicTensor) as SymbolicTensor;
      return { common: pooled, place: pooled };
    };
    const network = Network.build(graph, INPUTS, trunk, 1);
    const { inputs } = batchOf(network, data);
    const pixels = Float64Array.from(inputs["image"] as Uint8Array, (byte) => byte / 255);
    const channels = [0, 1, 2].map((channel) => {
      const values = pixels.filter((_, i) => i % 3 === channel);
      const mean = values.reduce((a, b) => a + b) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return { mean, variance };
    });

    trainingLogits(network, data.rows);
    const [movingMean, movingVariance] = network.statistics.map((variable) => valuesOf(variable as tf.Tensor));
    channels.forEach(({ mean, variance }, channel) => {
      // they start at 0 and 1
      expect(movingMean?.[channel]).toBeCloseTo((1 - momentum) * mean, 5);
      expect(movingVariance?.[channel]).toBeCloseTo(momentum + (1 - momentum) * variance, 5);
    });

    const before = weightsOf(network);
    const inference = forward(network, inputs, 24);
    expect(weightsOf(network)).toEqual(before);
    // logit of `present` on row 0 by hand
    const [kernel, bias] = network.model.getLayer("present").getWeights().map(valuesOf) as [Float32Array, Float32Array];
    const pooled = channels.map((_, channel) => {
      const values = pixels.subarray(0, 192).filter((_, i) => i % 3 === channel);
      const mean = values.reduce((a, b) => a + b) / values.length;
      return (mean - (movingMean?.[channel] as number)) / Math.sqrt((movingVariance?.[channel] as number) + epsilon);
    });
    const expected = pooled.reduce((sum, value, i) => sum + value * (kernel[i] as number), bias[0] as number);
    expect(inference[layout.columns[0]?.offset as number]).toBeCloseTo(expected, 4);
    network.dispose();
  });

  test("inference on a row does not depend on the rows beside it", async () => {
    const network = Network.build(graph, INPUTS, richTrunk, 1);
    const read = (rows: Int32Array) => readInputs(network, data, rows);
    const whole = await predictLogits(network, data.rows, read, { batchSize: 24 });
    const progress: number[][] = [];
    const pieces = await predictLogits(network, data.rows, read, {
      batchSize: 7,
      onProgress: (done, total) => progress.push([done, total]),
    });
    expect(largestDifference(pieces, whole)).toBeLessThan(1e-5);
    expect(progress).toEqual([
      [7, 24],
      [14, 24],
      [21, 24],
      [24, 24],
    ]);
    expect(await predictLogits(network, new Int32Array(0), read)).toEqual(
      layout.columns.map(() => new Float32Array(0)),
    );
    network.dispose();
  });

  test("a signal stops prediction between batches", async () => {
    const network = Network.build(graph, INPUTS, plainTrunk, 1);
    const controller = new AbortController();
    const predicting = predictLogits(network, data.rows, (rows) => readInputs(network, data, rows), {
      batchSize: 8,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(predicting).rejects.toThrow(InterruptedError);
    network.dispose();
  });
});

describe("weights", () => {
  test("follow the seed", () => {
    const [first, same, other] = [1, 1, 2].map((seed) => Network.build(graph, INPUTS, richTrunk, seed)) as [
      Network,
      Network,
      Network,
    ];
    expect(weightsOf(same)).toEqual(weightsOf(first));
    expect(weightsOf(other)).not.toEqual(weightsOf(first));
    for (const network of [first, same, other]) network.dispose();
  });

  test("are all freed by dispose", () => {
    const before = counts();
    const network = Network.build(graph, INPUTS, richTrunk, 1);
    forward(network, batchOf(network, data).inputs, 24);
    expect(network.model.outputNames.length).toBe(5);
    expect(counts().tensors).toBeGreaterThan(before.tensors);
    network.dispose();
    expect(counts()).toEqual(before);
  });
});

describe("features and inputs", () => {
  const two = defineTasks({ features: ["a", "b"], tasks: { first: binary(), second: binary() } }).flow(
    "two",
    (flow, x, out) => {
      out.add(flow.first(x.a));
      out.add(flow.second(x.b));
    },
  );
  const twoGraph = traceFlow(two, "two");
  const flatten = (layers: typeof tfl.layers, x: SymbolicTensor | undefined) =>
    layers.flatten().apply(x as SymbolicTensor) as SymbolicTensor;

  test("two features may be the same tensor", () => {
    const warn = vi.spyOn(console, "warn");
    const network = Network.build(
      twoGraph,
      INPUTS,
      ({ image }, layers) => {
        const both = flatten(layers, image);
        return { a: both, b: both };
      },
      1,
    );
    const [first, second] = predictPlainly(network, [0, 1]);
    const logits = forward(network, readInputs(network, data, [0, 1]), 2);
    expect(logits[0]).toBeCloseTo(first?.[0] as number, 5);
    expect(logits[1]).toBeCloseTo(second?.[0] as number, 5);
    expect(logits[0]).not.toBeCloseTo(logits[1] as number, 5);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
    network.dispose();
  });

  test("a feature that no task reads does not have to be computed", () => {
    const one = traceFlow(
      defineTasks({ features: ["a", "unread"], tasks: { first: binary() } }).flow("one", (flow, x, out) => {
        out.add(flow.first(x.a));
      }),
      "one",
    );
    const trunk: TrunkFunction = ({ image }, layers) => {
      const a = flatten(layers, image);
      return { a, unread: layers.dense({ units: 3, name: "unread_dense" }).apply(a) as SymbolicTensor };
    };
    const network = Network.build(one, INPUTS, trunk, 1);
    expect(network.trainable.map(({ shape }) => shape)).toEqual([[192, 1], [1]]);
    expect(network.model.layers.map(({ name }) => name)).not.toContain("unread_dense");
    network.dispose();
  });

  test("several image inputs each reach their own branch", () => {
    const inputs = { left: IMAGE, right: { ...IMAGE, size: [4, 2], channels: 1 } } as const;
    const trunk: TrunkFunction = ({ right, left }, layers) => ({ a: flatten(layers, left), b: flatten(layers, right) });
    const network = Network.build(twoGraph, inputs, trunk, 1);
    const logits = (left: number, right: number) => {
      const batch = { right: new Uint8Array(2 * 8).fill(right), left: new Uint8Array(2 * 192).fill(left) };
      return forward(network, batch, 2);
    };
    const [base, otherLeft, otherRight] = [logits(9, 9), logits(200, 9), logits(9, 200)];
    expect(otherLeft[0]).not.toBe(base[0]);
    expect(otherLeft[1]).toBe(base[1]);
    expect(otherRight[0]).toBe(base[0]);
    expect(otherRight[1]).not.toBe(base[1]);
    network.dispose();
  });

  test("numbers, categories and ids reach the trunk as they are", () => {
    const inputs: Record<string, InputSpec> = {
      ages: {
        kind: "numeric",
        columns: ["age", "height"],
        listLength: null,
        standardize: false,
        missing: "error",
        statistics: null,
      },
      words: {
        kind: "tokens",
        column: "t",
        vocabulary: ["a", "b"],
        maxLength: 9,
        unknown: "error",
        split: "whitespace",
      },
    };
    const trunk: TrunkFunction = ({ ages, words }, layers, specs) => {
      expect(specs).toBe(inputs);
      const embedded = layers.embedding({ inputDim: 3, outputDim: 2 }).apply(words as SymbolicTensor);
      return {
        a: ages as SymbolicTensor,
        b: layers.globalAveragePooling1d({}).apply(embedded as SymbolicTensor) as SymbolicTensor,
      };
    };
    const network = Network.build(twoGraph, inputs, trunk, 1);
    const [kernel] = network.model.getLayer("first").getWeights().map(valuesOf) as [Float32Array];
    const batch = { ages: Float32Array.of(3, -4), words: Int32Array.of(2, 1, 0, 2) };
    const logits = forward(network, batch, 1);
    expect(logits[0]).toBeCloseTo(3 * (kernel[0] as number) - 4 * (kernel[1] as number), 5);
    // the mean over four ids does not change with their order, but with their values
    const shuffled = forward(network, { ...batch, words: Int32Array.of(0, 1, 2, 2) }, 1);
    expect(shuffled[1]).toBeCloseTo(logits[1] as number, 6);
    expect(forward(network, { ...batch, words: Int32Array.of(1) }, 1)[1]).not.toBeCloseTo(logits[1] as number, 6);
    network.dispose();
  });

  const wrong: readonly (readonly [string, TrunkFunction, new (...args: never[]) => Error, RegExp])[] = [
    [
      "a missing feature",
      ({ image }, layers) => ({ a: flatten(layers, image) }),
      ConfigError,
      /returns no "b", which is declared in features\. It returns a\./,
    ],
    [
      "an excess feature",
      ({ image }, layers) => {
        const a = flatten(layers, image);
        return { a, b: a, bb: a };
      },
      UnknownNameError,
      /No feature named "bb" in the trunk's outputs\. Did you mean "b"\?/,
    ],
    [
      "an unknown input",
      ({ imag }, layers) => ({ a: flatten(layers, imag), b: flatten(layers, imag) }),
      UnknownNameError,
      /No input named "imag" in the trunk function\. Did you mean "image"\?/,
    ],
    [
      "a feature of the wrong rank",
      ({ image }, layers) => ({ a: flatten(layers, image), b: image as SymbolicTensor }),
      ConfigError,
      /"b" has shape \[batch, 8, 8, 3\], but heads read \[batch, n\]\. End it with layers\.flatten\(\)/,
    ],
    [
      "a layer instead of its output",
      ({ image }, layers) => ({ a: flatten(layers, image), b: layers.flatten() as unknown as SymbolicTensor }),
      ConfigError,
      /"b" is not the output of a layer\. Apply the layer/,
    ],
    ["nothing", () => undefined as never, ConfigError, /returns undefined instead of its features\. Return \{ a, b \}/],
    ["a promise", async () => ({}), ConfigError, /returns a promise instead of its features/],
    [
      "an error of its own",
      () => {
        throw new TypeError("x is not a function");
      },
      ConfigError,
      /^The trunk function fails: x is not a function/,
    ],
    [
      "a window larger than the image",
      ({ image }, layers) => {
        const conv = layers.conv2d({ filters: 2, kernelSize: 9, name: "wide" }).apply(image as SymbolicTensor);
        const a = flatten(layers, conv as SymbolicTensor);
        return { a, b: a };
      },
      ConfigError,
      /layer "wide" puts out \[batch, 0, 0, 2\]: its window is larger than its input/,
    ],
    [
      "a layer named as a task",
      ({ image }, layers) => {
        const a = layers.dense({ units: 2, name: "first" }).apply(flatten(layers, image)) as SymbolicTensor;
        return { a, b: a };
      },
      ConfigError,
      /do not make a network: The name "first" is used 2 times/,
    ],
    [
      "a constraint on weights",
      ({ image }, layers) => {
        const a = layers
          .dense({ units: 2, kernelConstraint: "nonNeg", name: "positive" })
          .apply(flatten(layers, image));
        return { a: a as SymbolicTensor, b: a as SymbolicTensor };
      },
      ConfigError,
      /layer "positive" has a constraint on its weights, which training does not apply/,
    ],
  ];
  test.each(wrong)("%s is an error that says what to change", (_, trunk, kind, message) => {
    const building = () => Network.build(twoGraph, INPUTS, trunk, 1);
    expect(building).toThrow(kind);
    expect(building).toThrow(message);
  });

  test("an input that reaches no task is an error", () => {
    const trunk: TrunkFunction = ({ left }, layers) => ({ a: flatten(layers, left), b: flatten(layers, left) });
    const building = () => Network.build(twoGraph, { left: IMAGE, right: IMAGE }, trunk, 1);
    expect(building).toThrow(/input "right" reaches no task\. Use it in the trunk, or remove it from data\.inputs/);
  });
});

describe("frozen layers", () => {
  test("are no part of what a step changes, but of the model", () => {
    const trunk = trunkWith((layers) => [
      layers.conv2d({ filters: 4, kernelSize: 1, trainable: false, name: "frozen" }),
    ]);
    const network = Network.build(graph, INPUTS, trunk, 1);
    const before = network.model.getLayer("frozen").getWeights().map(valuesOf);
    const trainer = trainerOf(network);
    const { inputs, targets } = batchOf(network, data);
    const others = weightsOf(network);
    trainer.step(inputs, targets, 1e-2);
    expect(network.model.getLayer("frozen").getWeights().map(valuesOf)).toEqual(before);
    expect(weightsOf(network)).not.toEqual(others);
    network.dispose();
  });
});
