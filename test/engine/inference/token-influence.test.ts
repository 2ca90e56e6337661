/** @file Which tokens move a logit: against finite differences, and by what the layers reach. */
import { beforeAll, describe, expect, test } from "vitest";
import type { InputSpec } from "../../../src/data/dataset.js";
import { idCount, numeric, tokens } from "../../../src/data/inputs/inputs.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import { computeLogits } from "../../../src/engine/inference/compute-logits.js";
import { tokenInfluence } from "../../../src/engine/inference/token-influence.js";
import { maskPadding, poolTokens } from "../../../src/engine/model/token-layers.js";
import { defineTasks } from "../../../src/flow/define.js";
import type { TaskNode } from "../../../src/flow/graph.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary, classification } from "../../../src/tasks/index.js";
import { setWeight, valuesOf } from "../../support/small-project.js";

const text = tokens({ column: "text", vocabulary: ["a", "b", "c", "d", "e"], maxLength: 9 });
const INPUTS: Readonly<Record<string, InputSpec>> = { text };
const graph = traceFlow(
  defineTasks({
    features: ["words", "row"],
    tasks: { kind: classification({ classes: ["x", "y", "z"], per: "token" }), long: binary() },
  }).flow("all", (flow, x, out) => {
    out.add(flow.kind(x.words));
    out.add(flow.long(x.row));
  }),
  "all",
);
const [kind, long] = graph.tasks as [TaskNode, TaskNode];

const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) => layer.apply(x) as SymbolicTensor;
const trunk: TrunkFunction = ({ text: ids }, layers) => {
  const own = ids as SymbolicTensor;
  const embedded = apply(layers.embedding({ inputDim: idCount(text), outputDim: 4 }), own);
  const conv = layers.conv1d({ filters: 5, kernelSize: 3, padding: "same", activation: "tanh" });
  const words = apply(conv, maskPadding(layers, embedded, own));
  const pooled = [poolTokens(layers, words, own), poolTokens(layers, words, own, "max")];
  return { words, row: layers.concatenate().apply(pooled) as SymbolicTensor };
};

// each token once, so that a change of its embedding is a change at its place
const IDS = Int32Array.of(3, 1, 5, 2, 4);
const inputs = { text: IDS };

describe.each(["cpu", "wasm"] as const)("on %s", (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  test.each([
    { task: kind, position: 1, logit: 2 },
    { task: long, position: null, logit: 0 },
  ])("$task.path is moved by tokens as finite differences say", async ({ task, position, logit }) => {
    const network = Network.build(graph, INPUTS, trunk, 4);
    try {
      const [embedding] = network.trainable.filter(({ shape }) => shape[0] === idCount(text));
      if (embedding === undefined) throw new Error("no embedding");
      const weights = valuesOf(embedding);
      const at = () => {
        const { sample, token } = computeLogits(network, inputs, 1);
        return position === null ? (sample[logit] as number) : (token[position * 3 + logit] as number);
      };
      const slope = (i: number) => {
        const moved = [1e-3, -1e-3].map((change) => {
          setWeight(embedding, weights.with(i, (weights[i] as number) + change));
          return at();
        });
        setWeight(embedding, weights);
        return ((moved[0] as number) - (moved[1] as number)) / 2e-3;
      };
      const norms = Array.from(IDS, (id) => Math.hypot(...[0, 1, 2, 3].map((i) => slope(id * 4 + i))));
      const [found] = await tokenInfluence(network, inputs, "text", task, [{ position, logit }]);
      const largest = Math.max(...norms);
      expect(largest).toBeGreaterThan(0);
      norms.forEach((norm, token) => {
        expect(found?.influence[token]).toBeCloseTo(norm / largest, 2);
      });
    } finally {
      network.dispose();
    }
  });

  test("a window of three reaches the neighbours, pooling every token", async () => {
    const network = Network.build(graph, INPUTS, trunk, 4);
    try {
      const before = computeLogits(network, inputs, 1);
      const asked = [0, 1, 4].map((position) => ({ position, logit: 0 }));
      const fields = await tokenInfluence(network, inputs, "text", kind, asked);
      expect(fields.map(({ reachable }) => [...reachable])).toEqual([
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [0, 0, 0, 1, 1],
      ]);
      const [row] = await tokenInfluence(network, inputs, "text", long, [{ position: null, logit: 0 }]);
      expect([...(row?.reachable ?? [])]).toEqual([1, 1, 1, 1, 1]);
      // the layers are as they were
      expect(computeLogits(network, inputs, 1)).toEqual(before);
    } finally {
      network.dispose();
    }
  });
});

test("a trunk without an embedding of the tokens is told so", async () => {
  await openBackend("cpu");
  const plain: TrunkFunction = ({ text: ids, size }, layers) => {
    const words = apply(layers.permute({ dims: [2, 1] }), apply(layers.repeatVector({ n: 1 }), ids as SymbolicTensor));
    return { words, row: size as SymbolicTensor };
  };
  const sized = { text, size: numeric({ columns: ["n"] }) } as Readonly<Record<string, InputSpec>>;
  const network = Network.build(graph, sized, plain, 4);
  try {
    const both = { text: IDS, size: Float32Array.of(1) };
    await expect(tokenInfluence(network, both, "text", kind, [{ position: 0, logit: 0 }])).rejects.toThrow(
      'no layers.embedding of the trunk reads the input "text" itself',
    );
  } finally {
    network.dispose();
  }
});
