/** @file boundedRegression: a number in [min, max]. Sigmoid, a cost of the error of the normalized value. */
import { f32At } from "../../arrays.js";
import { sigmoid } from "../../decoding/activations.js";
import { decoders, denormalize, unitScaleAt } from "../../decoding/decoders.js";
import type { BoundedRegressionSpec, ImageScale, TaskNode } from "../../flow/graph.js";
import { checkOptions, NUMBER, oneOf, POSITIVE } from "../../options.js";
import { isMissing, type TaskBehaviour, UNFITTED, UNWEIGHTED } from "../behaviour.js";
import { leastLoss, logitOf, mean, median, rowsOf } from "../constants.js";
import { costNamed, costOf, ERROR_LOSSES, type ErrorCost, problemWithDelta, slopeOf } from "../error-cost.js";
import { meanOfProbabilities } from "../ensembles.js";
import { endToEndBounded } from "../end-to-end.js";
import { byAbsoluteError } from "../judgements.js";
import { regressionMetrics } from "../metrics.js";
import { COMMON_OPTIONS, problemWithAxis } from "../names.js";

/** Options of {@link boundedRegression}: `max` or `scale` must be given. */
export type BoundedRegressionOptions = Pick<
  BoundedRegressionSpec,
  "column" | "lossWeight" | "measures" | "per" | "loss" | "delta"
> & {
  /** Lower bound, default 0. */
  readonly min?: number;
} & (
    | { readonly max: number; readonly scale?: number | ImageScale }
    /** `max` defaults to 1. */
    | { readonly max?: number; readonly scale: number | ImageScale }
  );

/**
 * A number in [min, max]. With `scale` a label cell is that number × scale: a constant, or the width or height of
 * the row's original image, so that `boundedRegression({ scale: "image-width" })` takes pixels of the original.
 * @param options.loss of the error as a fraction of the range: `squared` (default), `absolute`, `huber` (½·e² up to
 *   `delta`, linear beyond) or `log-cosh`
 * @param options.delta of `huber`, as a fraction of the range; default 0.1
 */
export function boundedRegression(options: BoundedRegressionOptions): BoundedRegressionSpec {
  checkOptions<BoundedRegressionOptions>("boundedRegression", options, {
    ...COMMON_OPTIONS,
    min: NUMBER,
    max: NUMBER,
    scale: SCALE,
    measures: oneOf("x", "y", "width", "height", "none"),
    loss: oneOf(...ERROR_LOSSES),
    delta: POSITIVE,
  });
  const { scale = 1, min = 0, max = 1, ...rest } = options;
  return typeof scale === "number"
    ? { kind: "boundedRegression", min: min * scale, max: max * scale, scale: null, ...rest }
    : { kind: "boundedRegression", min, max, scale, ...rest };
}

const SCALE = {
  accepts: (value: unknown) =>
    value === "image-width" || value === "image-height" || (typeof value === "number" && value > 0 && value < Infinity),
  expected: 'a number above 0, "image-width" or "image-height"',
};

/** A task that measures a place or an extent on the picture. */
export type MeasureNode = TaskNode & { readonly spec: BoundedRegressionSpec };

export function isMeasure(task: TaskNode): task is MeasureNode {
  const { spec } = task;
  return spec.kind === "boundedRegression" && boundedRegressionBehaviour.onPicture(spec) === "moves";
}

/** Label units → [0, 1]. */
export function normalize(spec: BoundedRegressionSpec, value: number, unitScale: number): number {
  return (value / unitScale - spec.min) / (spec.max - spec.min);
}

/** What an error costs, as a fraction of the range. */
function costFor({ loss = "squared", delta = 0.1 }: BoundedRegressionSpec): ErrorCost {
  return costNamed(loss, delta);
}

// labels are single precision and boxes are often rounded outwards: a thousandth beyond the bound is still on it
const TOLERANCE = 1e-3;

export const boundedRegressionBehaviour: TaskBehaviour<BoundedRegressionSpec> = {
  ...decoders.boundedRegression,
  head: () => "dense",
  logitNames: () => null,
  classes: () => null,
  choices: () => null,
  options: ({ min, max }) => ({ min, max }),
  problemWith(spec) {
    if (!(spec.min < spec.max)) return `has min ${spec.min} and max ${spec.max}; min must be below max`;
    if (spec.per === "token" && (spec.scale !== null || spec.measures !== undefined)) {
      return "is asked per token, so it measures nothing on a picture; remove its scale and measures";
    }
    return problemWithDelta(spec.loss ?? "squared", spec.delta) ?? problemWithAxis(spec);
  },
  parseLabel(spec, [cell], [unitScale = 1], out, at) {
    out[at] = Number.NaN;
    if (isMissing(cell)) return null;
    const value = typeof cell === "number" ? cell : Number(String(cell).trim());
    if (!Number.isFinite(value)) return "is not a number; write a number or leave it empty";
    const fraction = normalize(spec, value, unitScale);
    if (fraction < -TOLERANCE || fraction > 1 + TOLERANCE) {
      const [low, high] = [denormalize(spec, 0, unitScale), denormalize(spec, 1, unitScale)];
      return `is outside [${low}, ${high}]; correct the label, or the task's min, max or scale`;
    }
    out[at] = value;
    return null;
  },
  onPicture({ scale, measures }) {
    if (measures === undefined) return scale === null ? "stays" : "unsaid";
    return measures === "none" ? "stays" : "moves";
  },
  // what is in two places has no place; what a patch of a picture is worth, nobody knows
  mixedBy: (spec) => (boundedRegressionBehaviour.onPicture(spec) === "stays" ? ["mixup"] : []),
  // one number of a figure that several tasks make together
  figure: null,
  ...UNFITTED,
  lossTerms: (_spec, labels, row) => (Number.isNaN(labels.answers[row]) ? 0 : 1),
  lossSum(spec, logits, labels, row, gradient) {
    const label = f32At(labels.answers, row);
    if (Number.isNaN(label)) return 0;
    const at = row * logits.stride + logits.offset;
    const p = sigmoid(f32At(logits.data, at));
    const error = p - normalize(spec, label, unitScaleAt(labels.unitScale, row));
    const cost = costFor(spec);
    if (gradient !== null) gradient[at] = slopeOf(cost, error) * p * (1 - p);
    return costOf(cost, error);
  },
  ...UNWEIGHTED,
  lossForm: (spec) => ({ activation: "sigmoid", cost: costFor(spec) }),
  target: (spec, labels, row) => normalize(spec, f32At(labels.answers, row), unitScaleAt(labels.unitScale, row)),
  // a fraction of the range is no score
  scoreNames: () => [],
  questions: () => [],
  tuner: () => null,
  constants(spec, labels, mask) {
    const { answers, unitScale } = labels;
    const labelled = rowsOf(mask).filter((row) => !Number.isNaN(answers[row]));
    const fractions = Float64Array.from(labelled, (row) =>
      normalize(spec, f32At(answers, row), unitScaleAt(unitScale, row)),
    );
    if (fractions.length === 0) return [];
    // the best of absolute and of squared errors
    const plain = [median(fractions), mean(fractions)].map((fraction) => [logitOf(fraction)]);
    const isPlain = spec.loss === undefined || spec.loss === "squared" || spec.loss === "absolute";
    return isPlain ? plain : [...plain, ...leastLoss(boundedRegressionBehaviour, spec, labels, mask)];
  },
  // the mean of their answers
  ensemble: (_spec, members) => meanOfProbabilities(members),
  isEvaluated: () => true,
  metrics: regressionMetrics,
  headlineMetric: () => "mean_absolute_error_normalized",
  endToEnd: endToEndBounded,
  judgement: byAbsoluteError,
  likelihood: ({ loss = "squared" }) => (loss === "squared" ? "gaussian" : "categorical"),
  answerType: () => "number",
};
