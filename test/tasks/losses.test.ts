/** @file Losses against their textbook formulas, and their gradients against finite differences. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TaskSpec } from "../../src/flow/graph.js";
import { answerWidth } from "../../src/flow/masks.js";
import { defineTask } from "../../src/project/define-task.js";
import type { Labels } from "../../src/tasks/behaviour.js";
import {
  behaviourOf,
  binary,
  boundedRegression,
  box,
  classification,
  maskedLanguageModeling,
  multilabel,
  ordinal,
  point,
  regression,
} from "../../src/tasks/index.js";

interface Case {
  readonly spec: TaskSpec;
  /** One row; NaN = missing. */
  readonly answers: readonly number[];
  readonly unitScale: number;
  readonly logits: readonly number[];
}

const logit = fc.double({ min: -12, max: 12, noNaN: true });
const truth = fc.constantFrom(0, 1, Number.NaN);
const logitsOf = (width: number) => fc.array(logit, { minLength: width, maxLength: width });

// without a gradient of its own: it is taken by differences
const distance = defineTask({
  name: "distance",
  width: 2,
  answerWidth: 2,
  parse: () => [0, 0],
  loss: ([a = 0, b = 0], [x = 0, y = 0]) => (a - x) ** 2 + (b - y) ** 2,
  activation: (logits) => logits,
  decoder: { parameters: [], decode: ([a = 0, b = 0]) => [a, b] },
  metrics: {},
});

const NO_BOX = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];

/** Every kind that has a loss. */
type LossKind = Exclude<TaskSpec["kind"], "known">;

const cases: Readonly<Record<LossKind, fc.Arbitrary<Case>>> = {
  binary: fc.record({
    spec: fc.constant(binary()),
    answers: fc.tuple(truth),
    unitScale: fc.constant(1),
    logits: logitsOf(1),
  }),
  classification: fc.record({
    spec: fc.constant(classification({ classes: ["a", "b", "c", "d"] })),
    answers: fc.tuple(fc.constantFrom(0, 1, 2, 3, Number.NaN)),
    unitScale: fc.constant(1),
    logits: logitsOf(4),
  }),
  maskedLanguageModeling: fc.record({
    spec: fc.constant({ ...maskedLanguageModeling({ input: "text" }), vocabulary: ["a", "b", "c", "d"] }),
    answers: fc.tuple(fc.constantFrom(0, 1, 2, 3, Number.NaN)),
    unitScale: fc.constant(1),
    logits: logitsOf(4),
  }),
  regression: fc.record({
    spec: fc.constantFrom("squared", "absolute", "huber", "log-cosh").map((loss) => ({
      ...regression({ loss, ...(loss === "huber" ? { delta: 1.5 } : {}) }),
      statistics: { mean: 3, deviation: 2 },
    })),
    answers: fc.tuple(fc.constantFrom(-2, 0, 1.5, 6, Number.NaN)),
    unitScale: fc.constant(1),
    logits: logitsOf(1),
  }),
  ordinal: fc.record({
    spec: fc.constant(ordinal({ levels: ["none", "mild", "moderate", "severe"] })),
    answers: fc.tuple(fc.constantFrom(0, 1, 2, 3, Number.NaN)),
    unitScale: fc.constant(1),
    logits: logitsOf(3),
  }),
  box: fc.record({
    spec: fc
      .constantFrom("smooth-l1", "giou")
      .map((loss) => box({ columns: ["a", "b", "c", "d"], format: "cxcywh", loss })),
    answers: fc.constantFrom([0.41, 0.53, 0.31, 0.17], [0.71, 0.23, 0.13, 0.37], NO_BOX),
    unitScale: fc.constant(1),
    logits: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 4, maxLength: 4 }),
  }),
  point: fc.record({
    spec: fc.constant(point({ columns: ["a", "b"], beta: 0.2 })),
    answers: fc.constantFrom([0.4, 0.5], [0, 1], [Number.NaN, Number.NaN]),
    unitScale: fc.constant(1),
    logits: logitsOf(2),
  }),
  multilabel: fc.record({
    spec: fc.constant(multilabel({ labels: ["a", "b", "c"] })),
    answers: fc.tuple(truth, truth, truth),
    unitScale: fc.constant(1),
    logits: logitsOf(3),
  }),
  boundedRegression: fc.record({
    spec: fc.constant(boundedRegression({ min: -1, max: 3 })),
    answers: fc.tuple(fc.constantFrom(-2, 0, 1.5, 6, Number.NaN)),
    unitScale: fc.constantFrom(1, 2),
    logits: logitsOf(1),
  }),
  custom: fc.record({
    spec: fc.constant(distance()),
    answers: fc.constantFrom([0.5, -2], [3, 4], [Number.NaN, Number.NaN]),
    unitScale: fc.constant(1),
    logits: logitsOf(2),
  }),
};

/** One unit scale per row; none of figures, which have one for each side of the picture. */
function scaleOf(spec: TaskSpec, ...rows: readonly number[]): Float32Array | null {
  return behaviourOf(spec).figure === null ? Float32Array.from(rows) : null;
}

// double precision, so that differences measure the formula and not the rounding
function lossOf({ spec, answers, unitScale }: Case, logits: readonly number[], gradient: Float64Array | null): number {
  const labels: Labels = { answers: Float32Array.from(answers), unitScale: scaleOf(spec, unitScale) };
  const view = { data: Float64Array.from(logits) as unknown as Float32Array, stride: logits.length, offset: 0 };
  return behaviourOf(spec).lossSum(spec, view, labels, 0, gradient as unknown as Float32Array | null);
}

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));
const crossEntropy = (z: number, y: number): number => -Math.log(y === 1 ? sigmoid(z) : 1 - sigmoid(z));

function smoothL1(own: readonly number[], targets: readonly number[], beta: number): number {
  return own.reduce((sum, number, i) => {
    const error = Math.abs(number - Math.fround(targets[i] as number));
    return sum + (error < beta ? (0.5 * error ** 2) / beta : error - beta / 2);
  }, 0);
}

/** Of centres and sizes: IoU − (C − U) / C. */
function generalizedIou(own: readonly number[], label: readonly number[]): number {
  const along = (axis: number): { shared: number; around: number } => {
    const [a, b] = [own, label].map((box) => [box[axis] as number, box[axis + 2] as number] as const) as [
      readonly [number, number],
      readonly [number, number],
    ];
    const starts = [a[0] - a[1] / 2, b[0] - b[1] / 2];
    const ends = [a[0] + a[1] / 2, b[0] + b[1] / 2];
    return {
      shared: Math.max(0, Math.min(...ends) - Math.max(...starts)),
      around: Math.max(...ends) - Math.min(...starts),
    };
  };
  const [x, y] = [along(0), along(1)];
  const area = (box: readonly number[]): number => (box[2] as number) * (box[3] as number);
  const intersection = x.shared * y.shared;
  const union = area(own) + area(label) - intersection;
  return intersection / union - (x.around * y.around - union) / (x.around * y.around);
}

/** The definition, without care for overflow. */
function textbookLoss({ spec, answers, unitScale, logits }: Case): number {
  const [answer = Number.NaN] = answers;
  switch (spec.kind) {
    case "binary":
    case "multilabel":
      return logits.reduce((sum, z, i) => {
        const y = answers[i] as number;
        return Number.isNaN(y) ? sum : sum + crossEntropy(z, y);
      }, 0);
    case "maskedLanguageModeling":
    case "classification": {
      const normalizer = logits.reduce((sum, z) => sum + Math.exp(z), 0);
      return Number.isNaN(answer) ? 0 : -Math.log(Math.exp(logits[answer] as number) / normalizer);
    }
    case "boundedRegression": {
      const target = (answer / unitScale - spec.min) / (spec.max - spec.min);
      return Number.isNaN(answer) ? 0 : (sigmoid(logits[0] as number) - target) ** 2;
    }
    case "regression": {
      const error = (logits[0] as number) - (answer - 3) / 2;
      if (Number.isNaN(answer)) return 0;
      const huber = Math.abs(error) <= 1.5 ? 0.5 * error ** 2 : 1.5 * (Math.abs(error) - 0.75);
      return { squared: error ** 2, absolute: Math.abs(error), huber, "log-cosh": Math.log(Math.cosh(error)) }[
        spec.loss
      ];
    }
    case "box": {
      const own = logits.map(sigmoid);
      if (Number.isNaN(answer)) return 0;
      return spec.loss === "giou" ? 1 - generalizedIou(own, answers) : smoothL1(own, answers, 1 / 9);
    }
    case "point":
      return Number.isNaN(answer) ? 0 : smoothL1(logits.map(sigmoid), answers, 0.2);
    case "ordinal":
      return Number.isNaN(answer) ? 0 : logits.reduce((sum, z, i) => sum + crossEntropy(z, answer > i ? 1 : 0), 0);
    case "custom": {
      const [first = Number.NaN, second = Number.NaN] = answers;
      if (Number.isNaN(first)) return 0;
      return ((logits[0] as number) - first) ** 2 + ((logits[1] as number) - second) ** 2;
    }
    case "known":
      return 0;
    default:
      return spec satisfies never;
  }
}

/** Where a loss bends, differences to both sides are the mean of two slopes. */
function isAtKink({ spec, answers, logits }: Case): boolean {
  if (spec.kind === "box" && spec.loss === "giou") {
    const edgesOf = (box: readonly number[]): number[] =>
      [0, 1].flatMap((axis) => [-0.5, 0.5].map((half) => (box[axis] as number) + half * (box[axis + 2] as number)));
    const [own, label] = [edgesOf(logits.map(sigmoid)), edgesOf(answers)];
    return own.some((edge) => label.some((other) => Math.abs(edge - other) < 1e-4));
  }
  if (spec.kind !== "regression") return false;
  const [answer = 0] = answers;
  const [logit = 0] = logits;
  const size = Math.abs(logit - (answer - 3) / 2);
  return [0, 1.5].some((bend) => Math.abs(size - bend) < 1e-4);
}

const kinds = Object.keys(cases) as LossKind[];

describe.each(kinds)("the loss of %s", (kind) => {
  it("is the textbook formula, without missing labels", () => {
    fc.assert(
      fc.property(cases[kind], (row) => {
        // of boxes torchvision adds an epsilon of 1e-7 to areas
        expect(lossOf(row, row.logits, null)).toBeCloseTo(textbookLoss(row), kind === "box" ? 5 : 9);
      }),
    );
  });

  it("has the gradient of finite differences", () => {
    const step = 1e-5;
    fc.assert(
      fc.property(cases[kind], (row) => {
        const gradient = new Float64Array(row.logits.length);
        if (isAtKink(row)) return;
        lossOf(row, row.logits, gradient);
        row.logits.forEach((_, i) => {
          const at = (change: number) => lossOf(row, row.logits.with(i, (row.logits[i] as number) + change), null);
          expect(gradient[i]).toBeCloseTo((at(step) - at(-step)) / (2 * step), 7);
        });
      }),
    );
  });

  it("has a term per known number, an own one and a GIoU a term per known label", () => {
    fc.assert(
      fc.property(cases[kind], ({ spec, answers }) => {
        const labels: Labels = { answers: Float32Array.from(answers), unitScale: null };
        const numbers = answers.filter((answer) => !Number.isNaN(answer)).length;
        const isWhole = spec.kind === "custom" || (spec.kind === "box" && spec.loss === "giou");
        const known = isWhole ? Math.min(1, numbers) : numbers;
        expect(behaviourOf(spec).lossTerms(spec, labels, 0)).toBe(known);
      }),
    );
  });

  it("reads and writes only its own columns of a shared matrix", () => {
    fc.assert(
      fc.property(cases[kind], ({ spec, answers, logits, unitScale }) => {
        const width = logits.length;
        const stride = width + 3;
        // the second of two rows, behind two foreign columns
        const data = new Float32Array(2 * stride).fill(Number.NaN);
        data.set(logits, stride + 2);
        const gradient = new Float32Array(2 * stride).fill(7);
        const labels: Labels = {
          answers: Float32Array.of(...new Array<number>(answerWidth(spec)).fill(Number.NaN), ...answers),
          unitScale: scaleOf(spec, 1, unitScale),
        };
        const loss = behaviourOf(spec).lossSum(spec, { data, stride, offset: 2 }, labels, 1, gradient);
        expect(loss).toBeCloseTo(
          lossOf({ spec, answers, logits, unitScale }, Array.from(Float32Array.from(logits)), null),
          9,
        );
        gradient.fill(7, stride + 2, stride + 2 + width);
        expect(gradient.every((value) => value === 7)).toBe(true);
      }),
    );
  });
});

describe("losses of extreme logits", () => {
  it("stay finite, and a logit that is not a number makes the loss one", () => {
    const far = Float32Array.of(1e4, -1e4, 0, 0);
    for (const spec of [
      binary(),
      multilabel({ labels: ["a", "b"] }),
      classification({ classes: ["a", "b", "c", "d"] }),
    ]) {
      const behaviour = behaviourOf(spec);
      const labels: Labels = { answers: Float32Array.of(0, 1), unitScale: null };
      const view = { stride: behaviour.logitWidth(spec), offset: 0 };
      expect(Number.isFinite(behaviour.lossSum(spec, { data: far, ...view }, labels, 0, null))).toBe(true);
      const broken = Float32Array.of(Number.NaN, 0, 0, 0);
      expect(behaviour.lossSum(spec, { data: broken, ...view }, labels, 0, null)).toBeNaN();
    }
  });
});
