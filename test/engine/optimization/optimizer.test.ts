/** @file Optimizers: every step equals that of torch.optim; state, clipping. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clipByGlobalNorm, globalNorm } from "../../../src/engine/optimization/clip.js";
import { createOptimizer, type OptimizerConfig } from "../../../src/engine/optimization/optimizer.js";
import type { OptimizerState } from "../../../src/engine/model/training-state.js";
import { StoreError } from "../../../src/errors.js";

interface TorchCase {
  readonly name: string;
  readonly config: OptimizerConfig;
  readonly start: readonly number[];
  /** [steps, parameters] */
  readonly gradients: readonly (readonly number[])[];
  readonly learningRates: readonly number[];
  /** Parameters after each step. */
  readonly expected: readonly (readonly number[])[];
}

const torch = JSON.parse(readFileSync(new URL("../../../fixtures/torch/optimizers.json", import.meta.url), "utf8")) as {
  readonly cases: readonly TorchCase[];
};

/** Parameters after each step; with `restartAt`, the optimizer is made anew from its state before that step. */
function train({ config, start, gradients, learningRates }: TorchCase, restartAt = -1): Float32Array[] {
  const parameters = Float32Array.from(start);
  let optimizer = createOptimizer(config, start.length);
  return gradients.map((gradient, step) => {
    if (step === restartAt) optimizer = createOptimizer(config, start.length, copy(optimizer.state));
    optimizer.apply(parameters, Float32Array.from(gradient), learningRates[step] as number);
    return parameters.slice();
  });
}

function copy(state: OptimizerState): OptimizerState {
  return structuredClone(state);
}

describe("each step equals that of torch.optim", () => {
  test.each(torch.cases.map((torchCase) => [torchCase.name, torchCase] as const))("%s", (_, torchCase) => {
    const actual = train(torchCase);
    expect(actual.length).toBe(12);
    torchCase.expected.forEach((expected, step) => {
      expected.forEach((value, i) => {
        // SGD's largest parameters are in the tens: a millionth of them
        const tolerance = 1e-6 * Math.max(1, Math.abs(value));
        expect(Math.abs((actual[step]?.[i] as number) - value)).toBeLessThanOrEqual(tolerance);
      });
    });
  });
});

describe("an optimizer", () => {
  test.each(torch.cases.map((torchCase) => [torchCase.name, torchCase] as const))(
    "goes on from its state bit by bit: %s",
    (_, torchCase) => {
      expect(train(torchCase, 5)).toEqual(train(torchCase));
    },
  );

  test("does not change the gradient", () => {
    for (const { config } of torch.cases) {
      const gradient = Float32Array.of(1, -2);
      createOptimizer(config, 2).apply(Float32Array.of(3, 4), gradient, 0.1);
      expect([...gradient]).toEqual([1, -2]);
    }
  });

  test("keeps its own copy of the state it starts from", () => {
    const config = { kind: "sgd", learningRate: 1, momentum: 0.5, nesterov: false, weightDecay: 0 } as const;
    const state = { updates: 3, slots: { velocity: Float32Array.of(4) } };
    const parameters = Float32Array.of(0);
    createOptimizer(config, 1, state).apply(parameters, Float32Array.of(1), 1);
    expect([...parameters]).toEqual([-3]);
    expect([...state.slots.velocity]).toEqual([4]);
  });

  test("refuses a state of another size or kind", () => {
    const [adamw] = torch.cases as [TorchCase];
    const ofSgd = { updates: 1, slots: { velocity: new Float32Array(2) } };
    expect(() => createOptimizer(adamw.config, 2, ofSgd)).toThrow(StoreError);
    const ofThree = createOptimizer(adamw.config, 3).state;
    expect(() => createOptimizer(adamw.config, 2, ofThree)).toThrow(/holds 3 numbers of "mean" for 2 parameters/);
  });
});

describe("clipping by the global norm", () => {
  test("scales a longer gradient to the norm and tells the norm before", () => {
    const gradient = Float32Array.of(3, 0, -4);
    expect(clipByGlobalNorm(gradient, 2.5)).toBe(5);
    expect([...gradient]).toEqual([1.5, 0, -2]);
  });

  test("leaves a shorter gradient alone, and every gradient without a limit", () => {
    const gradient = Float32Array.of(3, 0, -4);
    expect(clipByGlobalNorm(gradient, 5)).toBe(5);
    expect(clipByGlobalNorm(gradient, null)).toBe(5);
    expect([...gradient]).toEqual([3, 0, -4]);
  });

  test("the norm of large and of tiny gradients does not overflow or vanish", () => {
    expect(globalNorm(Float32Array.of(3e30, 4e30))).toBeCloseTo(5e30, -25);
    expect(globalNorm(Float32Array.of(3e-30, 4e-30)) / 5e-30).toBeCloseTo(1, 6);
    expect(globalNorm(new Float32Array(4))).toBe(0);
  });
});
