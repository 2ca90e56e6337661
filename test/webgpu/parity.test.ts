/** @file The webgpu backend computes the same steps as tfjs's plain JavaScript backend. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { conflictCases, parityCases } from "../parity/cases.js";
import { compareBackends } from "../parity/compare.js";
import { needsWebgpu } from "./device.js";

needsWebgpu();
afterAll(() => tf.disposeVariables());

describe("a step on webgpu is that on cpu", () => {
  test.each([...parityCases, ...conflictCases])("$name", async (parityCase) => {
    expect(await compareBackends({ backend: "cpu" }, { backend: "webgpu" }, parityCase)).toEqual([]);
  });
});
