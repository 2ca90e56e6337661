/** @file Tasks per token in the engine: gradients, padding, masked tokens. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { readInputs } from "../../../src/engine/batches/batch-reader.js";
import { batchLoss, countTerms } from "../../../src/engine/optimization/losses.js";
import { matricesOf } from "../../../src/engine/model/layout.js";
import { MaskedCounter, maskedTask } from "../../../src/engine/batches/mask-tokens.js";
import { Network, type SymbolicTensor, type TrunkFunction } from "../../../src/engine/model/network.js";
import { predictLogits } from "../../../src/engine/inference/predict.js";
import { Trainer } from "../../../src/engine/optimization/trainer.js";
import { ConfigError } from "../../../src/errors.js";
import { defineTasks } from "../../../src/flow/define.js";
import { axisOf, type FlowGraph } from "../../../src/flow/graph.js";
import { answerWidth } from "../../../src/flow/masks.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { binary } from "../../../src/tasks/index.js";
import { ADAMW, latestGradient, setWeight, splitWeights, valuesOf } from "../../support/small-project.js";
import {
  apply,
  batchOf,
  data,
  graph,
  INPUTS,
  layout,
  masked,
  masker,
  tokenwise,
  VOCABULARY,
  windowed,
} from "../../support/token-project.js";

/** Logits of all parts, one after the other. */
function flatLogits(network: Network, { inputs, targets }: ReturnType<typeof batchOf>): Float32Array {
  return tf.tidy(() => {
    const tensors = network.inputTensors(inputs, targets.rows);
    const { sample, token, masked } = network.logitsByAxis(tensors, true, targets.masked ?? new Int32Array(0));
    return valuesOf(tf.concat([sample, token, masked].map((part) => tf.reshape(part as tf.Tensor, [-1]))));
  });
}

describe.each(["cpu", "wasm"] as const)("on %s", (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  test.each([
    ["token by token", tokenwise],
    ["with a window", windowed],
    ["with a window, without padding", masked],
  ])("a step's gradient is that of finite differences: %s", async (_, trunk) => {
    const network = Network.build(graph, INPUTS, trunk, 3);
    try {
      const batch = batchOf(network);
      const loss = () => batchLoss(layout, flatLogits(network, batch), batch.targets, null).total;
      const variables = network.trainable;
      const before = variables.map((variable) => valuesOf(variable as tf.Tensor));
      const trainer = new Trainer(network, { optimizer: ADAMW, batchSize: 12, clipNorm: null, seed: 5 });
      const expected = loss();
      expect((await trainer.step(batch.inputs, batch.targets, 0)).loss.total).toBeCloseTo(expected, 5);
      const gradient = splitWeights(latestGradient(trainer), network);
      const step = 1e-2;
      for (const [v, variable] of variables.entries()) {
        const weights = before[v] as Float32Array;
        setWeight(variable, weights);
        // a few weights of each variable
        for (let i = 0; i < weights.length; i += Math.max(1, Math.floor(weights.length / 7))) {
          const at = (change: number) => {
            setWeight(variable, weights.with(i, (weights[i] as number) + change));
            return loss();
          };
          const slope = (at(step) - at(-step)) / (2 * step);
          setWeight(variable, weights);
          expect(gradient[v]?.[i]).toBeCloseTo(slope, 2);
        }
      }
    } finally {
      network.dispose();
    }
  });

  test("the same rows in batches with other padding have the same logits, where tokens do not see each other", async () => {
    const network = Network.build(graph, INPUTS, tokenwise, 3);
    try {
      const read = (rows: Int32Array) => readInputs(network, data, rows);
      const together = await predictLogits(network, data.rows, read, { batchSize: 12 });
      const apart = await predictLogits(network, data.rows, read, { batchSize: 1 });
      for (const { spec, index } of graph.tasks) {
        const lines = axisOf(spec) === "token" ? (data.offsets.at(-1) as number) : 12;
        const width = layout.columns[index]?.width ?? 0;
        // masked tokens are guessed in training alone; a mean over a row reads its padding too
        const length = spec.kind === "maskedLanguageModeling" ? 0 : lines * width;
        expect(together[index]?.length).toBe(length);
        if (axisOf(spec) === "sample") continue;
        together[index]?.forEach((value, i) => {
          expect(apart[index]?.[i]).toBeCloseTo(value, 5);
        });
      }
    } finally {
      network.dispose();
    }
  });

  test.each([
    ["with a window", windowed],
    ["with a window, without padding", masked],
  ])("answers do not depend on which rows are asked together: %s", async (_, trunk) => {
    const network = Network.build(graph, INPUTS, trunk, 3);
    try {
      const read = (rows: Int32Array) => readInputs(network, data, rows);
      const lengths = [data.inputs.text.lengths];
      const together = await predictLogits(network, data.rows, read, { batchSize: 12, lengths });
      for (const row of data.rows) {
        const alone = await predictLogits(network, Int32Array.of(row), read);
        for (const { spec, index } of graph.tasks) {
          const [from, to] = axisOf(spec) === "sample" ? [row, row + 1] : [data.offsets[row], data.offsets[row + 1]];
          const width = spec.kind === "maskedLanguageModeling" ? 0 : (layout.columns[index]?.width ?? 0);
          const own = together[index]?.subarray((from as number) * width, (to as number) * width) ?? [];
          expect(alone[index]?.length).toBe(own.length);
          own.forEach((value, i) => {
            expect(alone[index]?.[i]).toBeCloseTo(value, 5);
          });
        }
      }
    } finally {
      network.dispose();
    }
  });

  test("in a padded batch, too, where padding is masked and not pooled; and only there", () => {
    const differences = [windowed, masked].map((trunk) => {
      const network = Network.build(graph, INPUTS, trunk, 3);
      const { width, tokenWidth } = layout;
      const logitsOf = (rows: readonly number[]) => {
        const inputs = readInputs(network, data, rows);
        return tf.tidy(() => {
          const parts = network.logitsByAxis(network.inputTensors(inputs, rows.length), false, null);
          return { sample: valuesOf(parts.sample as tf.Tensor), token: valuesOf(parts.token as tf.Tensor) };
        });
      };
      try {
        const together = logitsOf([...data.rows]);
        const padded = together.token.length / data.rows.length;
        return Math.max(
          ...[...data.rows].flatMap((row) => {
            const alone = logitsOf([row]);
            const count = (data.inputs.text.lengths[row] as number) * tokenWidth;
            const apart = [
              [alone.sample, together.sample.subarray(row * width, (row + 1) * width)],
              [alone.token.subarray(0, count), together.token.subarray(row * padded, row * padded + count)],
            ] as const;
            return apart.flatMap(([a, b]) => Array.from(a, (value, i) => Math.abs(value - (b[i] as number))));
          }),
        );
      } finally {
        network.dispose();
      }
    });
    expect(differences[0]).toBeGreaterThan(0.01);
    expect(differences[1]).toBeLessThan(1e-5);
  });

  test("a batch without any token is a step without gradient", async () => {
    const network = Network.build(graph, INPUTS, tokenwise, 3);
    try {
      const trainer = new Trainer(network, { optimizer: ADAMW, batchSize: 1, clipNorm: null, seed: 5 });
      const { inputs, targets } = batchOf(network, [2]);
      expect(targets.masked).toEqual(new Int32Array(0));
      const none = { ...targets, masks: targets.masks.map((mask) => new Uint8Array(mask.length)) };
      const { loss, gradientNorm } = await trainer.step(inputs, none, 0.1);
      expect([loss.total, gradientNorm]).toEqual([0, 0]);
    } finally {
      network.dispose();
    }
  });
});

describe("padding", () => {
  test("counts in no loss and gets no gradient, whatever its logits are", async () => {
    await openBackend("cpu");
    const network = Network.build(graph, INPUTS, windowed, 3);
    const batch = batchOf(network);
    const logits = flatLogits(network, batch);
    network.dispose();
    const { token } = matricesOf(layout, batch.targets);
    const wild = logits.slice();
    const length = batch.targets.length as number;
    const isPadding = (line: number) => {
      const row = Math.floor(line / length);
      return line % length >= (data.offsets[row + 1] as number) - (data.offsets[row] as number);
    };
    for (let line = 0; line < token.rows; line++) {
      const at = token.start + line * token.stride;
      if (isPadding(line)) wild.fill(Number.NaN, at, at + token.stride);
    }
    const gradient = new Float32Array(logits.length);
    expect(batchLoss(layout, wild, batch.targets, gradient)).toEqual(batchLoss(layout, logits, batch.targets, null));
    for (let line = 0; line < token.rows; line++) {
      const at = token.start + line * token.stride;
      if (isPadding(line)) expect(gradient.subarray(at, at + token.stride).every((slope) => slope === 0)).toBe(true);
    }
    // each task's terms are its known numbers at the active positions
    const terms = countTerms(layout, batch.targets);
    for (const { index, spec } of graph.tasks.filter((task) => task.spec.kind !== "maskedLanguageModeling")) {
      const width = answerWidth(spec);
      let known = 0;
      data.masks[index]?.forEach((active, line) => {
        const own = data.labels[index]?.answers.subarray(line * width, (line + 1) * width) ?? [];
        if (active === 1) known += [...own].filter((answer) => !Number.isNaN(answer)).length;
      });
      expect(terms[index]).toBe(known);
    }
  });
});

describe("masked tokens", () => {
  const length = 20;
  const rows = Int32Array.from({ length: 500 }, (_, row) => row);
  const size = rows.length * length;
  const original = Int32Array.from({ length: size }, (_, i) => 1 + (i % VOCABULARY.length));
  const index = maskedTask(graph)?.index as number;
  const draw = (epoch: number | string, allowed = new Uint8Array(size).fill(1), some = rows) => {
    const ids = original.slice(0, some.length * length);
    const masks = graph.tasks.map((_, i) => (i === index ? allowed : new Uint8Array(size)));
    const labels = graph.tasks.map(() => ({ answers: new Float32Array(0), unitScale: null }));
    const targets = masker(epoch, some, { text: ids }, { rows: some.length, length, labels, masks });
    return { ids, targets, masked: targets.masked as Int32Array };
  };

  test("are maskRate of each row; eight in ten are the mask, one is random, one stays", () => {
    const { ids, masked, targets } = draw(1);
    expect(masked.length).toBe(rows.length * 6);
    const became = { mask: 0, other: 0, same: 0 };
    const known = new Set(masked);
    masked.forEach((at, line) => {
      expect(targets.labels[index]?.answers[line]).toBe((original[at] as number) - 1);
      const id = ids[at] as number;
      if (id === VOCABULARY.length + 1) became.mask++;
      else if (id === original[at]) became.same++;
      else became.other++;
    });
    // three deviations of the binomial; a random token is the same one in six
    const within = (count: number, share: number) =>
      expect(Math.abs(count / masked.length - share)).toBeLessThan(
        3 * Math.sqrt((share * (1 - share)) / masked.length),
      );
    within(became.mask, 0.8);
    within(became.other, 0.1 * (5 / 6));
    within(became.same, 0.1 * (7 / 6));
    original.forEach((id, at) => {
      if (!known.has(at)) expect(ids[at]).toBe(id);
    });
  });

  test("follow the seed, the epoch and the row alone", () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(2).masked).not.toEqual(draw(1).masked);
    const alone = draw(1, undefined, rows.subarray(0, 1));
    expect([...alone.masked]).toEqual([...draw(1).masked].slice(0, 6));
    expect(alone.ids).toEqual(draw(1).ids.slice(0, length));
  });

  test("are at least one of a row's tokens, and none where the task is not asked", () => {
    const allowed = new Uint8Array(size);
    allowed[3] = 1;
    expect([...draw(1, allowed).masked]).toEqual([3]);
  });

  test("are counted with their loss and the hits", () => {
    const counter = new MaskedCounter(maskedTask(graph) as NonNullable<ReturnType<typeof maskedTask>>);
    const { targets } = draw(1, undefined, rows.subarray(0, 1));
    const hidden = targets.labels[index]?.answers as Float32Array;
    const logits = new Float32Array(6 * VOCABULARY.length);
    // the first three are certain and right, the others know nothing: the first word of the vocabulary is taken
    for (let line = 0; line < 3; line++) logits[line * VOCABULARY.length + (hidden[line] as number)] = 100;
    counter.add(logits, targets);
    const guessed = [...hidden.subarray(3)].filter((token) => token === 0).length;
    expect(counter.tally).toEqual({ lossSum: expect.closeTo(3 * Math.log(6), 5), count: 6, hits: 3 + guessed });
  });
});

describe("a trunk that does not fit tasks per token", () => {
  const build =
    (trunk: TrunkFunction, of: FlowGraph = graph) =>
    () =>
      Network.build(of, INPUTS, trunk, 3);

  test("is refused with the feature's shape", () => {
    const pooled: TrunkFunction = (inputs, layers, specs) => {
      const { row } = tokenwise(inputs, layers, specs) as { row: SymbolicTensor };
      return { tokens: row, row };
    };
    expect(build(pooled)).toThrow(ConfigError);
    expect(build(pooled)).toThrow(
      `The trunk's "tokens" has shape [batch, 5], but heads of tasks per token read [batch, length, n]. Take it before the sequence is flattened or pooled.`,
    );
  });

  test("is refused where one feature is read per row and per token", () => {
    const mixed = defineTasks({ features: ["f"], tasks: { a: binary(), b: binary({ per: "token" }) } });
    const flow = mixed.flow("main", (use, x, out) => {
      out.add(use.a(x.f));
      out.add(use.b(x.f));
    });
    const trunk: TrunkFunction = (inputs, layers, specs) => ({
      f: tokenwise(inputs, layers, specs).row as SymbolicTensor,
    });
    expect(build(trunk, traceFlow(flow, "main"))).toThrow(
      'The feature "f" is read by "a", once per row, and by "b", once per token.',
    );
  });

  test("is refused where it has not one place per token", () => {
    const strided: TrunkFunction = (inputs, layers, specs) => {
      const { tokens: words, row } = tokenwise(inputs, layers, specs) as Record<"tokens" | "row", SymbolicTensor>;
      return { tokens: apply(layers.maxPooling1d({ poolSize: 2, padding: "same" }), words), row };
    };
    const network = build(strided)();
    const { inputs } = batchOf(network);
    const logits = () => network.logitsByAxis(network.inputTensors(inputs, 12), false, null).token as tf.Tensor;
    expect(() => tf.tidy(logits)).toThrow("has 4 positions where the sequence has 8 tokens. Keep one per token");
    network.dispose();
  });
});
