/** @file The trunk: features and inputs that fit the flow, and errors that say what to change where they do not. */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { InputSpec } from "../../../src/data/dataset.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { readInputs } from "../../../src/engine/batches/batch-reader.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";

import { rowLogits } from "../../support/row-logits.js";
import { ConfigError, UnknownNameError } from "../../../src/errors.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary } from "../../../src/tasks/index.js";
import { IMAGE, INPUTS, makeData, predictPlainly, valuesOf } from "../../support/small-project.js";

const data = makeData(24);

beforeAll(async () => {
  await openBackend("wasm");
});
afterAll(() => tf.disposeVariables());

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
    const [first, second] = predictPlainly(network, data, [0, 1]);
    const logits = rowLogits(network, readInputs(network, data, [0, 1]), 2);
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
      return rowLogits(network, batch, 2);
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
    const logits = rowLogits(network, batch, 1);
    expect(logits[0]).toBeCloseTo(3 * (kernel[0] as number) - 4 * (kernel[1] as number), 5);
    // the mean over four ids does not change with their order, but with their values
    const shuffled = rowLogits(network, { ...batch, words: Int32Array.of(0, 1, 2, 2) }, 1);
    expect(shuffled[1]).toBeCloseTo(logits[1] as number, 6);
    expect(rowLogits(network, { ...batch, words: Int32Array.of(1) }, 1)[1]).not.toBeCloseTo(logits[1] as number, 6);
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
    [
      "a promise",
      (async () => ({})) as unknown as TrunkFunction,
      ConfigError,
      /returns a promise instead of its features/,
    ],
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
