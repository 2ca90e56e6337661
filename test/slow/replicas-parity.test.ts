/** @file A step on two replicas computes what one network does, for every kind of layer and task. */
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, describe, expect, test } from "vitest";
import { ReplicaGroup } from "../../src/engine/replicas/group.js";
import { ReplicaSteps } from "../../src/engine/replicas/steps.js";
import { parityCases } from "../parity/cases.js";
import { type Contender, compareBackends } from "../parity/compare.js";

afterAll(() => tf.disposeVariables());

const replicas: Contender = {
  backend: "cpu",
  async engine(network, config) {
    const group = await ReplicaGroup.open(network, { replicas: 2, transport: "threads", backend: "cpu" });
    const steps = new ReplicaSteps(network, config, group);
    return Object.assign(steps, { dispose: () => group.close() });
  },
};

/** Functions that only this process has. */
const OWN = "own tasks, with heads of their own";

describe("a step on replicas is that of one network", () => {
  test.each(parityCases.filter(({ name }) => name !== OWN))("$name", async (parityCase) => {
    // cpu is right about itself
    const { cpuIsWrong: _, ...comparable } = parityCase;
    const differences = await compareBackends({ backend: "cpu" }, replicas, comparable);
    // logits of tokens stay with the replicas
    expect(differences.filter((words) => !/^(token|masked) logits/.test(words))).toEqual([]);
  });
});
