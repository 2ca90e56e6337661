/** @file Weighted, smoothed and focal cross entropies: values and gradients of torch, in JavaScript and as tensor ops. */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { at } from "../../src/arrays.js";
import { fitTasks } from "../../src/data/labels/fit-tasks.js";
import { openBackend } from "../../src/engine/backends/choose.js";
import { layOutHeads } from "../../src/engine/model/layout.js";
import { batchLoss } from "../../src/engine/optimization/losses.js";
import { gradientFeeds, isCompact, logitGradient } from "../../src/engine/step-graph/logit-gradient.js";
import { defineTasks } from "../../src/flow/define.js";
import type { FlowGraph, TaskSpec } from "../../src/flow/graph.js";
import { traceFlow } from "../../src/flow/trace.js";
import { behaviourOf, binary, classification, multilabel } from "../../src/tasks/index.js";

interface TorchLoss {
  readonly kind: "binary" | "classification" | "multilabel";
  readonly options: Readonly<Record<string, never>>;
  readonly logits: readonly (readonly number[])[];
  readonly answers: readonly (readonly (number | null)[])[];
  readonly loss: number;
  readonly terms: number;
  readonly gradient: readonly (readonly number[])[];
}
const { losses } = JSON.parse(readFileSync(new URL("../../fixtures/torch/recipes.json", import.meta.url), "utf8")) as {
  readonly losses: readonly TorchLoss[];
};

const NAMES = ["a", "b", "c", "d"] as const;

function specOf({ kind, options }: TorchLoss): TaskSpec {
  switch (kind) {
    case "binary":
      return binary(options);
    case "classification":
      return classification({ classes: NAMES, ...options });
    case "multilabel":
      return multilabel({ labels: NAMES, ...options });
    default:
      return kind satisfies never;
  }
}

function graphOf(spec: TaskSpec): FlowGraph {
  const definitions = defineTasks({ features: ["f"], tasks: { asked: spec } }).flow("main", (flow, x, out) => {
    out.add((flow as unknown as { asked(feature: unknown): never }).asked(x.f));
  });
  return traceFlow(definitions, "main");
}

function batchOf({ answers }: TorchLoss) {
  const labels = { answers: Float32Array.from(answers.flat(), (answer) => answer ?? Number.NaN), unitScale: null };
  const mask = Uint8Array.from(answers, (row) => (row.every((answer) => answer === null) ? 0 : 1));
  return { rows: answers.length, labels: [labels], masks: [mask] };
}

beforeAll(() => openBackend("cpu"));

describe.each(losses.map((torch) => [`${torch.kind} ${JSON.stringify(torch.options)}`, torch] as const))(
  "%s",
  (_, torch) => {
    const layout = layOutHeads(graphOf(specOf(torch)));
    const batch = batchOf(torch);
    const logits = Float32Array.from(torch.logits.flat());
    const expected = torch.gradient.flat();

    test("has the loss and the gradient of torch", () => {
      const gradient = new Float32Array(logits.length);
      const { total, tasks } = batchLoss(layout, logits, batch, gradient);
      expect(total).toBeCloseTo(torch.loss, 5);
      expect(tasks[0]?.terms).toBeCloseTo(torch.terms, 6);
      for (const [i, value] of expected.entries()) expect(gradient[i]).toBeCloseTo(value, 6);
    });

    test("has the same gradient as tensor ops", () => {
      const [rows, width] = [batch.rows, layout.width];
      const compact = isCompact(layout, "sample");
      const feed = at(gradientFeeds(layout, "sample", batch, rows, [1]), 0);
      const gradient = tf.tidy(() => {
        const wanted = compact ? tf.tensor1d(feed.targets, "int32") : tf.tensor2d(feed.targets, [rows, width]);
        const weights = tf.tensor2d(feed.weights, [rows, compact ? 1 : width]);
        return logitGradient(layout, "sample", tf.tensor2d(logits, [rows, width]), wanted, weights).dataSync();
      });
      for (const [i, value] of expected.entries()) expect(gradient[i]).toBeCloseTo(value, 6);
    });
  },
);

test("tasks of different losses lie side by side in one matrix", () => {
  const focal = binary({ loss: "focal", positiveWeight: 2 });
  const definitions = defineTasks({
    features: ["f"],
    tasks: { focal, plain: binary(), choice: classification({ classes: NAMES, labelSmoothing: 0.1 }) },
  }).flow("main", (flow, x, out) => {
    out.add(flow.focal(x.f));
    out.add(flow.plain(x.f));
    out.add(flow.choice(x.f));
  });
  const layout = layOutHeads(traceFlow(definitions, "main"));
  const rows = 5;
  const labels = [
    Float32Array.of(0, 1, 1, Number.NaN, 0),
    Float32Array.of(1, 1, 0, 0, Number.NaN),
    Float32Array.of(3, Number.NaN, 0, 1, 2),
  ].map((answers) => ({ answers, unitScale: null }));
  const masks = labels.map(({ answers }) => Uint8Array.from(answers, (answer) => (Number.isNaN(answer) ? 0 : 1)));
  const batch = { rows, labels, masks };
  const logits = Float32Array.from({ length: rows * layout.width }, (_, i) => 4 * Math.sin(i * 7.7));
  const expected = new Float32Array(logits.length);
  batchLoss(layout, logits, batch, expected);
  const feed = at(gradientFeeds(layout, "sample", batch, rows, [1, 1, 1]), 0);
  const gradient = tf.tidy(() => {
    const shape: [number, number] = [rows, layout.width];
    const parts = [tf.tensor2d(logits, shape), tf.tensor2d(feed.targets, shape), tf.tensor2d(feed.weights, shape)];
    const [z, y, w] = parts as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    return logitGradient(layout, "sample", z, y, w).dataSync();
  });
  for (const [i, value] of expected.entries()) expect(gradient[i]).toBeCloseTo(value, 6);
});

describe("balanced weights", () => {
  const fittedSpec = (spec: TaskSpec, answers: Float32Array, train: number[]) => {
    const labels = [{ answers, unitScale: null }];
    const none = new Int32Array(0);
    const rows = 6;
    const splits = { train: Int32Array.from(train), valid: none, test: none };
    return fitTasks(graphOf(spec), { rows, labels, splits, offsets: null }).tasks[0]?.spec;
  };
  const { NaN: none } = Number;

  test("of yes are its negatives per positive, of the labelled rows of train alone", () => {
    const spec = fittedSpec(
      binary({ positiveWeight: "balanced" }),
      Float32Array.of(0, 0, 0, 1, none, 1),
      [0, 1, 2, 3, 4],
    );
    expect(spec).toMatchObject({ fittedWeights: [3] });
    expect(behaviourOf(spec as TaskSpec).declared(spec as TaskSpec)).toEqual(binary({ positiveWeight: "balanced" }));
  });

  test("of classes are n / (k · n of the class), as scikit-learn's", () => {
    const answers = Float32Array.of(0, 0, 0, 2, none, 3);
    const spec = fittedSpec(classification({ classes: NAMES, classWeights: "balanced" }), answers, [0, 1, 2, 3, 4, 5]);
    // five labels of three classes; b does not occur
    expect(spec).toMatchObject({ fittedWeights: [5 / 9, 1, 5 / 3, 5 / 3] });
  });

  test("of labels are those of each", () => {
    const flags = [1, 0, none, 1, 0, 0, 0, 0, 0, 0, 0, 1];
    const answers = Float32Array.from({ length: 24 }, (_, i) => flags[i % 12] as number);
    const spec = fittedSpec(multilabel({ labels: NAMES, positiveWeight: "balanced" }), answers, [0, 1, 2]);
    expect(spec).toMatchObject({ fittedWeights: [2, 1, 1, 0.5] });
  });
});

describe("options of losses", () => {
  test.each([
    [() => binary({ positiveWeight: 0 }), 'positiveWeight" is 0; expected a number above 0, or "balanced"'],
    [() => binary({ labelSmoothing: 1 }), 'labelSmoothing" is 1; expected a number from 0 to 1'],
    [() => binary({ loss: "focus" as never }), 'expected "cross-entropy" or "focal"'],
    [() => classification({ classes: ["a", "b"], classWeights: [1, -1] }), "expected a list of numbers above 0"],
  ])("%s", (make, message) => {
    expect(make).toThrow(message);
  });

  test.each([
    [classification({ classes: ["a", "b"], classWeights: [1] }), "has 2 names but 1 classWeights"],
    [multilabel({ labels: ["a"], positiveWeight: [1, 2] }), "has 1 names but 2 positiveWeight"],
    [binary({ focus: 2 }), 'has a focus, which is that of the loss "focal"'],
    [binary({ loss: "focal", labelSmoothing: 0.1 }), "which undo each other"],
  ])("%j do not go together", (spec, problem) => {
    expect(behaviourOf<TaskSpec>(spec).problemWith(spec)).toContain(problem);
  });
});
