/** @file point: one place on the picture. Sigmoids of its coordinates; smooth L1. */
import { f32At } from "../../arrays.js";
import { sigmoid } from "../../decoding/activations.js";
import { decoders } from "../../decoding/decoders.js";
import { placeOnPicture, readPlace, writePlace } from "../../decoding/figures.js";
import type { PointSpec } from "../../flow/graph.js";
import { checkOptions, LIST, oneOf, POSITIVE } from "../../options.js";
import { isMissing, type TaskBehaviour, UNFITTED, UNMIXED, UNWEIGHTED } from "../behaviour.js";
import { leastLoss, logitOf, mean, median, rowsOf } from "../constants.js";
import { costOf, type ErrorCost, slopeOf } from "../error-cost.js";
import { type Answered, endToEndFigure } from "../end-to-end.js";
import { meanOfProbabilities } from "../ensembles.js";
import { numberCell, problemWithColumns } from "../figure-cells.js";
import { distanceAt, pointMetrics } from "../metrics.js";

/** Options of {@link point}. */
export interface PointOptions extends Partial<Omit<PointSpec, "kind" | "column" | "scale" | "framed">> {
  /** Two columns: x and y. */
  readonly columns: PointSpec["column"];
  /** `image`: labels are pixels of the row's original image; default: fractions of its width and height. */
  readonly scale?: "image";
}

/**
 * A place on the row's picture: two numbers in two columns, together one label. With `scale: "image"` they are pixels of
 * the original image. Augmentation moves the point with the picture.
 * @param options.beta error, as a fraction of the picture, at which the smooth L1 loss becomes linear; default 1/9
 */
export function point(options: PointOptions): PointSpec {
  checkOptions<PointOptions>("point", options, {
    columns: LIST,
    scale: oneOf("image"),
    beta: POSITIVE,
    lossWeight: null,
  });
  const { columns, scale = null, ...rest } = options;
  return { kind: "point", column: columns, scale, ...rest };
}

const NUMBERS = ["x", "y"] as const;

function costFor({ beta = 1 / 9 }: PointSpec): ErrorCost {
  return { kind: "huber", delta: beta, factor: 1 / beta };
}

const TOLERANCE = 1e-3;

/** Whether a point is no farther from the labelled one than a share of the picture's diagonal, which is drawn square. */
function isNear({ spec, decoded, labels }: Answered<PointSpec>, row: number, tolerance: number): boolean {
  const [x, y] = placeOnPicture(spec, decoded, row, labels.unitScale);
  const [labelX, labelY] = placeOnPicture(spec, labels.answers, row, labels.unitScale);
  return Math.hypot(x - labelX, y - labelY) <= tolerance * Math.SQRT2;
}

export const pointBehaviour: TaskBehaviour<PointSpec> = {
  head: () => "dense",
  ...decoders.point,
  logitNames: () => NUMBERS,
  classes: () => null,
  choices: () => null,
  options: () => ({}),
  problemWith: ({ column }) => problemWithColumns(column, NUMBERS),
  parseLabel(_spec, cells, scales, out, at) {
    out.fill(Number.NaN, at, at + 2);
    const numbers = cells.map(numberCell);
    const wrong = numbers.find((number) => typeof number === "string");
    if (typeof wrong === "string") return wrong;
    for (const [i, number] of numbers.entries()) {
      const fraction = Number(number) / (scales[i] ?? 1);
      if (fraction < -TOLERANCE || fraction > 1 + TOLERANCE) {
        return `is outside the picture, from 0 to ${scales[i] ?? 1}; correct the label, or the task's scale`;
      }
    }
    // a point without one of its numbers is none
    if (cells.length === 2 && !cells.some(isMissing)) out.set(numbers as number[], at);
    return null;
  },
  onPicture: () => "moves",
  ...UNMIXED,
  figure: { kind: "point", read: readPlace, onPicture: placeOnPicture, write: writePlace },
  ...UNFITTED,
  ...UNWEIGHTED,
  lossTerms: (_spec, labels, row) => (Number.isNaN(labels.answers[row * 2]) ? 0 : 2),
  lossSum(spec, logits, labels, row, gradient) {
    const at = row * logits.stride + logits.offset;
    const cost = costFor(spec);
    return readPlace(spec, labels.answers, row, labels.unitScale).reduce((sum, target, i) => {
      if (Number.isNaN(target)) return sum;
      const p = sigmoid(f32At(logits.data, at + i));
      if (gradient !== null) gradient[at + i] = slopeOf(cost, p - target) * p * (1 - p);
      return sum + costOf(cost, p - target);
    }, 0);
  },
  lossForm: (spec) => ({ activation: "sigmoid", cost: costFor(spec) }),
  target: (spec, labels, row, i) => readPlace(spec, labels.answers, row, labels.unitScale)[i] ?? Number.NaN,
  // fractions of the picture are no scores
  scoreNames: () => [],
  questions: () => [],
  tuner: () => null,
  constants(spec, labels, mask) {
    const places = Array.from(rowsOf(mask))
      .map((row) => readPlace(spec, labels.answers, row, labels.unitScale))
      .filter((place) => !place.some(Number.isNaN));
    if (places.length === 0) return [];
    const each = (of: (values: readonly number[]) => number): number[] =>
      [0, 1].map((i) => logitOf(of(places.map((place) => place[i] ?? Number.NaN))));
    return [each(median), each(mean), ...leastLoss(pointBehaviour, spec, labels, mask)];
  },
  // the mean of their answers
  ensemble: (_spec, members) => meanOfProbabilities(members),
  isEvaluated: () => true,
  metrics: pointMetrics,
  headlineMetric: () => "mean_distance",
  endToEnd: endToEndFigure("within_tolerance", isNear),
  judgement: {
    name: "distance",
    isDecision: false,
    higherIsBetter: false,
    ranksSamples: true,
    valueAt: ({ decoded, labels }, row) => distanceAt(decoded, labels.answers, row),
  },
  likelihood: () => "categorical",
  answerType: () => "numbers",
};
