/** @file wasm computes the same steps as tfjs's plain JavaScript backend, for every kind of layer and task. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { conflictCases, parityCases } from "./cases.js";
import { compareBackends, compareGradients } from "./compare.js";

afterAll(() => tf.disposeVariables());

describe("a step on wasm is that on cpu", () => {
  test.each([...parityCases, ...conflictCases])("$name", async (parityCase) => {
    expect(await compareBackends({ backend: "cpu" }, { backend: "wasm" }, parityCase)).toEqual([]);
  });
});

describe("the slopes of the loss are those that cpu computes for", () => {
  const mended = parityCases.filter(({ name }) => /^averagePooling.*same$|dilated(?!.*relu)/.test(name));
  test.each(mended)("$name", async (parityCase) => {
    expect(await compareGradients({ backend: "cpu" }, parityCase)).toEqual([]);
  });
});
