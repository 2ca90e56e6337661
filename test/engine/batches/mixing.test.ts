/** @file Mixup and cutmix: pictures, and the losses of what they are to be. */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { at } from "../../../src/arrays.js";
import type { AugmentSettings } from "../../../src/data/augment.js";
import { drawBeta, drawMixture, mixPictures, type Mixture } from "../../../src/data/augmentation/mixing.js";
import { createRandom } from "../../../src/data/rng.js";
import { openBackend } from "../../../src/engine/backends/choose.js";
import { createBatchAugmenter } from "../../../src/engine/batches/augment.js";
import { mixTargets } from "../../../src/engine/batches/mix-targets.js";
import { joinLogits, partsOfBatch } from "../../../src/engine/batches/shards.js";
import type { BatchTargets } from "../../../src/engine/batches/targets.js";
import { layOutHeads } from "../../../src/engine/model/layout.js";
import { batchLoss, countTerms } from "../../../src/engine/optimization/losses.js";
import { gradientFeeds, isCompact, logitGradient } from "../../../src/engine/step-graph/logit-gradient.js";
import { defineTasks } from "../../../src/flow/define.js";
import type { FlowGraph, TaskSpec } from "../../../src/flow/graph.js";
import { traceFlow } from "../../../src/flow/trace.js";
import {
  binary,
  boundedRegression,
  box,
  classification,
  multilabel,
  ordinal,
  regression,
} from "../../../src/tasks/index.js";

interface MixedLoss {
  readonly kind: "binary" | "classification" | "multilabel" | "ordinal";
  readonly options: Readonly<Record<string, never>>;
  readonly share: number;
  readonly partners: readonly number[];
  readonly answers: readonly (number | readonly (number | null)[] | null)[];
  readonly logits: readonly (readonly number[])[];
  readonly loss: number;
  readonly terms: number;
  readonly gradient: readonly (readonly number[])[];
}
interface Shares {
  readonly alpha: number;
  readonly places: readonly number[];
  readonly below: readonly number[];
}
const fixture = JSON.parse(readFileSync("fixtures/torch/mixing.json", "utf8")) as {
  readonly losses: readonly MixedLoss[];
  readonly shares: readonly Shares[];
};
const NAMES = ["a", "b", "c", "d"] as const;
const SHAPE = { height: 6, width: 9, channels: 2 };
const rows = Int32Array.of(12, 3, 44, 5, 61);
const drawn = { seed: 5, epoch: 2, rows };

beforeAll(() => openBackend("cpu"));

describe("a draw", () => {
  test.each(fixture.shares)("of shares is of Beta(α, α), by scipy: α = $alpha", ({ alpha, places, below }) => {
    const random = createRandom("shares");
    const shares = Array.from({ length: 4000 }, () => drawBeta(random, alpha));
    for (const [i, place] of places.entries()) {
      const found = shares.filter((share) => share <= place).length / shares.length;
      // four standard deviations of a share of 4000
      expect(Math.abs(found - at(below, i))).toBeLessThan(4 * Math.sqrt(0.25 / 4000));
    }
  });

  test("of a tiny α is a number, nearly 0 or 1", () => {
    const random = createRandom("tiny");
    for (let i = 0; i < 100; i++) {
      const share = drawBeta(random, 1e-4);
      expect(Math.min(share, 1 - share)).toBeLessThan(1e-6);
    }
  });

  test("is that of the seed, the epoch and the rows, gives each row a partner, and leaves it half of its picture", () => {
    const mixture = drawMixture({ mixup: 1 }, drawn, SHAPE);
    expect(drawMixture({ mixup: 1 }, { ...drawn, rows: rows.slice() }, SHAPE)).toEqual(mixture);
    for (const other of [{ seed: 6 }, { epoch: 3 }, { rows: rows.toReversed() }]) {
      expect(drawMixture({ mixup: 1 }, { ...drawn, ...other }, SHAPE)).not.toEqual(mixture);
    }
    for (let epoch = 0; epoch < 50; epoch++) {
      const { share, partners } = drawMixture({ mixup: 0.3, cutmix: 1 }, { ...drawn, epoch }, SHAPE) as Mixture;
      expect(share).toBeGreaterThanOrEqual(0.5);
      expect([...partners].sort()).toEqual([0, 1, 2, 3, 4]);
    }
  });

  test("leaves alone single rows, what is not asked for, and the share of batches that it is to leave", () => {
    expect(drawMixture({ mixup: 1 }, { ...drawn, rows: rows.subarray(0, 1) }, SHAPE)).toBeNull();
    expect(drawMixture({}, drawn, SHAPE)).toBeNull();
    const epochs = Array.from({ length: 400 }, (_, epoch) => epoch);
    const mixed = epochs.filter((epoch) => drawMixture({ mixup: 1, mixShare: 0.25 }, { ...drawn, epoch }, SHAPE));
    expect(mixed.length / 400).toBeCloseTo(0.25, 1);
  });
});

describe("pictures", () => {
  const before = Uint8Array.from({ length: 5 * 6 * 9 * 2 }, (_, i) => (i * 37) % 256);
  const size = 6 * 9 * 2;

  test("are faded into each other by their shares", () => {
    const mixture = drawMixture({ mixup: 1 }, drawn, SHAPE) as Mixture;
    const pixels = before.slice();
    mixPictures(pixels, SHAPE, mixture, SHAPE);
    for (const [i, value] of pixels.entries()) {
      const [row, place] = [Math.floor(i / size), i % size];
      const other = at(before, at(mixture.partners, row) * size + place);
      expect(value).toBe(Math.floor(at(before, i) * mixture.share + other * (1 - mixture.share) + 0.5));
    }
  });

  test("are cut and pasted: what is another picture's is as large as its share", () => {
    for (let epoch = 0; epoch < 40; epoch++) {
      const mixture = drawMixture({ cutmix: 1 }, { ...drawn, epoch }, SHAPE) as Mixture;
      const own = Uint8Array.from({ length: 5 * size }, (_, i) => Math.floor(i / size) + 10);
      mixPictures(own, SHAPE, mixture, SHAPE);
      for (let row = 0; row < 5; row++) {
        const picture = own.subarray(row * size, (row + 1) * size);
        const pasted = picture.filter((value) => value !== row + 10);
        if (at(mixture.partners, row) === row) continue;
        expect(pasted.length / size).toBeCloseTo(1 - mixture.share, 12);
        expect(pasted.every((value) => value === at(mixture.partners, row) + 10)).toBe(true);
      }
    }
  });

  test("of another size get a part of the same place and extent", () => {
    const mixture: Mixture = {
      mixing: "cutmix",
      partners: Int32Array.of(1, 0),
      share: 0.5,
      pasted: { left: 1, top: 0, right: 2, bottom: 2 },
    };
    const pixels = Uint8Array.of(...new Array(16).fill(1), ...new Array(16).fill(2));
    mixPictures(pixels, { height: 4, width: 4, channels: 1 }, mixture, { height: 2, width: 2, channels: 1 });
    expect([...pixels.subarray(0, 16)]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2]);
  });
});

function singleTask(spec: TaskSpec): FlowGraph {
  const definitions = defineTasks({ features: ["f"], tasks: { asked: spec } }).flow("main", (flow, x, out) => {
    out.add((flow as unknown as { asked(feature: unknown): never }).asked(x.f));
  });
  return traceFlow(definitions, "main");
}

function specOf({ kind, options }: MixedLoss): TaskSpec {
  switch (kind) {
    case "binary":
      return binary(options);
    case "classification":
      return classification({ classes: NAMES, ...options });
    case "multilabel":
      return multilabel({ labels: NAMES, ...options });
    case "ordinal":
      return ordinal({ levels: NAMES, ...options });
    default:
      return kind satisfies never;
  }
}

describe.each(fixture.losses.map((torch) => [`${torch.kind} ${JSON.stringify(torch.options)}`, torch] as const))(
  "the loss of mixed labels: %s",
  (_, torch) => {
    const graph = singleTask(specOf(torch));
    const layout = layOutHeads(graph);
    const logits = Float32Array.from(torch.logits.flat());
    const expected = torch.gradient.flat();
    const batch = (): BatchTargets => {
      const width = torch.kind === "multilabel" ? NAMES.length : 1;
      const answers = torch.answers.flatMap((answer) => answer ?? new Array<null>(width).fill(null));
      const targets: BatchTargets = {
        rows: torch.answers.length,
        labels: [{ answers: Float32Array.from(answers, (answer) => answer ?? Number.NaN), unitScale: null }],
        masks: [Uint8Array.from(torch.answers, (answer) => (answer === null ? 0 : 1))],
      };
      const partners = Int32Array.from(torch.partners);
      return mixTargets(graph, targets, { mixing: "mixup", partners, share: torch.share, pasted: null });
    };

    test("is torch's of soft targets, with its gradient", () => {
      const gradient = new Float32Array(logits.length);
      const { total, tasks } = batchLoss(layout, logits, batch(), gradient);
      expect(total).toBeCloseTo(torch.loss, 5);
      expect(tasks[0]?.terms).toBeCloseTo(torch.terms, 6);
      for (const [i, value] of expected.entries()) expect(gradient[i]).toBeCloseTo(value, 6);
    });

    test("has the same gradient as tensor ops", () => {
      const [rowCount, width] = [torch.answers.length, layout.width];
      const compact = isCompact(layout, "sample");
      const gradient = tf.tidy(() => {
        const parts = gradientFeeds(layout, "sample", batch(), rowCount, [1]).map(({ targets, weights }) =>
          logitGradient(
            layout,
            "sample",
            tf.tensor2d(logits, [rowCount, width]),
            compact ? tf.tensor1d(targets, "int32") : tf.tensor2d(targets as Float32Array, [rowCount, width]),
            tf.tensor2d(weights, [rowCount, compact ? 1 : width]),
          ),
        );
        expect(parts).toHaveLength(2);
        return parts.reduce<tf.Tensor>((sum, part) => tf.add(sum, part), tf.zerosLike(at(parts, 0))).dataSync();
      });
      for (const [i, value] of expected.entries()) expect(gradient[i]).toBeCloseTo(value, 6);
    });

    test("is the sum of those of a batch's parts", () => {
      const whole = batch();
      const denominators = countTerms(layout, whole);
      const parts = partsOfBatch(layout, { x: logits }, whole, 3).map(({ inputs, targets }) => {
        const own = inputs.x as Float32Array;
        const gradient = new Float32Array(own.length);
        const { total } = batchLoss(layout, own, targets, gradient, denominators);
        return { total, sample: gradient, token: gradient.subarray(0, 0), masked: gradient.subarray(0, 0) };
      });
      expect(parts.reduce((sum, { total }) => sum + total, 0)).toBeCloseTo(torch.loss, 5);
      const { sample } = joinLogits(parts);
      for (const [i, value] of expected.entries()) expect(sample[i]).toBeCloseTo(value, 6);
    });
  },
);

describe("a batch of conditional tasks", () => {
  const graph = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: {
        person: binary(),
        shirt: classification({ classes: NAMES }),
        age: regression({ loss: "squared" }),
        place: box({ columns: ["x", "y", "w", "h"] }),
        edge: boundedRegression({ max: 10, measures: "x" }),
      },
    }).flow("main", (flow, x, out) => {
      out.add(flow.person(x.f));
      out.add(flow.shirt(x.f).given(out.person));
      out.add(flow.age(x.f).given(out.person));
      out.add(flow.place(x.f).given(out.person));
      out.add(flow.edge(x.f).given(out.person));
    }),
    "main",
  );
  const statistics = { mean: 0, deviation: 1 };
  const fitted = {
    ...graph,
    tasks: graph.tasks.map((task) =>
      task.spec.kind === "regression" ? { ...task, spec: { ...task.spec, statistics } } : task,
    ),
  };
  const layout = layOutHeads(fitted);
  const numbers = (...answers: readonly number[]) => ({ answers: Float32Array.from(answers), unitScale: null });
  const NONE = Number.NaN;
  const make = (): BatchTargets => ({
    rows: 3,
    labels: [
      numbers(1, 0, 1),
      numbers(2, NONE, 0),
      numbers(30, NONE, 50),
      numbers(1, 1, 2, 2, NONE, NONE, NONE, NONE, 3, 3, 1, 1),
      numbers(4, NONE, 5),
    ],
    // the last age is not known to be asked
    masks: [
      Uint8Array.of(1, 1, 1),
      Uint8Array.of(1, 0, 1),
      Uint8Array.of(1, 0, 0),
      Uint8Array.of(1, 0, 1),
      Uint8Array.of(1, 0, 1),
    ],
    weights: Float32Array.of(1, 2, 3),
  });
  const mixture: Mixture = { mixing: "mixup", partners: Int32Array.of(1, 2, 0), share: 0.75, pasted: null };

  test("counts each label by its share of the picture, where its own row is active and labelled", () => {
    const plain = countTerms(layout, make());
    const [person, shirt, age, place, edge] = countTerms(layout, mixTargets(fitted, make(), mixture));
    // every label counts as much as without mixing
    expect([person, shirt, age]).toEqual(plain.slice(0, 3));
    // what stands in one of two pictures has no place in both
    expect([place, edge]).toEqual([0, 0]);
    const { mixed } = mixTargets(fitted, make(), mixture);
    expect(mixed?.masks.slice(0, 3).map((mask) => [...mask])).toEqual([
      [1, 1, 1],
      [0, 1, 1],
      [0, 0, 1],
    ]);
    expect([...(mixed?.weights ?? [])]).toEqual([2, 3, 1]);
    expect([...(mixed?.labels[1]?.answers ?? [])]).toEqual([NONE, 0, 2]);
  });

  test("adds up the losses of both pictures' labels", () => {
    const logits = Float32Array.from({ length: 3 * layout.width }, (_, i) => Math.sin(i * 2.3));
    const targets = mixTargets(fitted, make(), mixture);
    const { tasks } = batchLoss(layout, logits, targets, null);
    const z = (row: number, i: number) => at(logits, row * layout.width + at(layout.columns, 2).offset + i);
    // the age of row 0 by itself, with the weight of row 0, in its own picture and in that of row 2
    expect(tasks[2]?.sum).toBeCloseTo(0.75 * (z(0, 0) - 30) ** 2 + 0.25 * (z(2, 0) - 30) ** 2, 2);
    expect(tasks[2]?.terms).toBe(1);
  });

  test("teaches no number where a part is pasted, since nobody knows what the part is worth", () => {
    const [person, shirt, age] = countTerms(layout, mixTargets(fitted, make(), { ...mixture, mixing: "cutmix" }));
    expect([person, shirt, age]).toEqual([6, 4, 0]);
  });

  test("is mixed with its pictures, the same each time", () => {
    const settings: AugmentSettings = {
      ...{ flipHorizontal: 0, flipVertical: 0, shift: 0, scale: [1, 1], brightness: 0, contrast: 0, saturation: 0 },
      ...{ rotate: 0, crop: [1, 1], perspective: 0, blur: 0, noise: 0, erase: 0, mixup: 1 },
    };
    const picture = { kind: "image", column: "img", size: [2, 2], channels: 1 } as const;
    const augment = createBatchAugmenter(fitted, { picture }, settings, 3);
    const change = (epoch: number) => {
      const pixels = Uint8Array.of(0, 0, 0, 0, 100, 100, 100, 100, 200, 200, 200, 200);
      return augment(epoch, Int32Array.of(7, 8, 9), { picture: pixels }, make()) as {
        readonly inputs: { readonly picture: Uint8Array };
        readonly targets: BatchTargets;
      };
    };
    expect(change(1)).toEqual(change(1));
    const { inputs, targets } = change(1);
    const drawnHere = drawMixture(
      settings,
      { seed: 3, epoch: 1, rows: Int32Array.of(7, 8, 9) },
      { height: 2, width: 2, channels: 1 },
    );
    const { share, partners } = drawnHere as Mixture;
    expect(targets.mixed?.share).toBe(share);
    const faded = [0, 1, 2].map((row) => Math.floor(100 * (row * share + at(partners, row) * (1 - share)) + 0.5));
    expect([...inputs.picture]).toEqual(faded.flatMap((value) => [value, value, value, value]));
  });
});
