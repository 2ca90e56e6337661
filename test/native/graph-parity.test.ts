/** @file A step as one TensorFlow graph computes what an eager step does, for every kind of layer and task. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { GraphSteps } from "../../src/engine/step-graph/graph-step.js";
import { tensorflowBackend } from "../../src/engine/backends/tensorflow/binding.js";
import { parityCases } from "../parity/cases.js";
import { type Contender, compareBackends } from "../parity/compare.js";
import { needsTensorflow } from "./tensorflow.js";

needsTensorflow();

afterAll(() => tf.disposeVariables());

const warnings: string[] = [];

const graph: Contender = {
  backend: "tensorflow",
  engine(network, config) {
    const backend = tensorflowBackend();
    if (backend === null) throw new Error("not on TensorFlow");
    return new GraphSteps(backend, network, config, undefined, (warning) => warnings.push(warning));
  },
};

/** What no graph can do, and why steps are then eager. */
const eager: Readonly<Record<string, RegExp>> = {
  "custom tasks, with heads of their own": /the loss of "spot" is a function of its own/,
};

describe("a step as a graph is that on cpu", () => {
  test.each(parityCases)("$name", async (parityCase) => {
    warnings.length = 0;
    expect(await compareBackends({ backend: "cpu" }, graph, parityCase)).toEqual([]);
    const why = eager[parityCase.name];
    expect(warnings).toEqual(why === undefined ? [] : [expect.stringMatching(why)]);
  });
});
