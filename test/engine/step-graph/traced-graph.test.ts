/** @file A graph that TensorFlow refuses to load, and what computes instead. */
import { describe, expect, it } from "vitest";
import type { TensorflowBackend } from "../../../src/engine/backends/tensorflow/binding.js";
import { type ComputeLogits, whileTraceable } from "../../../src/engine/inference/compute-logits.js";
import { TracedGraph } from "../../../src/engine/step-graph/traced-graph.js";
import { UntraceableError } from "../../../src/engine/step-graph/untraceable.js";

/** A backend whose library loads no graph. */
function refusing(reason: string): TensorflowBackend {
  const loadSavedModel = (): number => {
    throw new Error(reason);
  };
  return { binding: { loadSavedModel } } as unknown as TensorflowBackend;
}

describe("a graph that TensorFlow refuses", () => {
  it("is an untraceable one, with the library's reason", () => {
    const graph = new TracedGraph(refusing("Op type not registered 'Roll'"), {});
    const grow = () => graph.grow(() => ({ outputs: [], placeholders: [] }));
    expect(grow).toThrow(UntraceableError);
    expect(grow).toThrow("TensorFlow refuses its graph: Op type not registered 'Roll'");
  });
});

describe("inference", () => {
  const numbers = (value: number) => ({
    sample: Float32Array.of(value),
    token: new Float32Array(0),
    masked: new Float32Array(0),
  });
  const byKernels: ComputeLogits = () => numbers(2);

  it("goes on kernel by kernel where there can be no graph, and does not ask for one again", () => {
    let asked = 0;
    const compute = whileTraceable(() => {
      asked++;
      throw new UntraceableError("TensorFlow refuses its graph");
    }, byKernels);
    expect([compute({}, 1, null).sample[0], compute({}, 1, null).sample[0], asked]).toEqual([2, 2, 1]);
  });

  it("takes the graph where there is one, and ends with what is wrong with more than the graph", () => {
    expect(whileTraceable(() => numbers(1), byKernels)({}, 1, null).sample[0]).toBe(1);
    const failing = whileTraceable(() => {
      throw new Error("out of memory");
    }, byKernels);
    expect(() => failing({}, 1, null)).toThrow("out of memory");
  });
});
