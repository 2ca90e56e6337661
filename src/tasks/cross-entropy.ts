/** @file Cross entropies with weights, smoothed labels and focus: losses of answers that are yes or no, or a choice. */
import { f32At } from "../arrays.js";
import type { CrossEntropyOptions, ElementTaskOptions, OverlapLoss } from "../flow/graph.js";
import { type OptionRule, oneOf } from "../options.js";
import { sigmoid } from "../decoding/activations.js";
import { type LogitView, type LossForm, sigmoidCrossEntropy, softmaxCrossEntropy } from "./behaviour.js";

/** What a focal loss is focused by unless it says so: the value of Lin et al. (2017). */
const DEFAULT_FOCUS = 2;

/** What a logit's activation should be, and how much that counts. */
interface SoftTarget {
  readonly target: number;
  readonly weight: number;
}

/** Whether a loss is (also) of the overlap of regions, and not of pixels one by one. */
export function isOverlapLoss(loss: string | undefined): loss is OverlapLoss {
  return loss === "dice" || loss === "dice-cross-entropy";
}

/** Exponent of the focal loss; 0: it is a plain cross entropy. */
function focusOf({ loss, focus = DEFAULT_FOCUS }: CrossEntropyOptions<string>): number {
  return loss === "focal" ? focus : 0;
}

/** The same loss as tensor ops can compute it. */
export function crossEntropyForm(activation: "sigmoid" | "softmax", options: CrossEntropyOptions<string>): LossForm {
  const isSmooth = (options.labelSmoothing ?? 0) > 0;
  return { activation, cost: { kind: "cross entropy", focus: focusOf(options), isSmooth } };
}

/**
 * A yes-or-no label, smoothed towards one half and weighted where it is yes: weight · CE(z, target) is the loss
 * (1 − y)·softplus(z) + w·y·softplus(−z) of torch's binary_cross_entropy_with_logits with pos_weight w, for the smoothed
 * y.
 */
export function softTruth(
  { labelSmoothing = 0 }: CrossEntropyOptions<string>,
  positiveWeight: number,
  y: number,
): SoftTarget {
  const smoothed = y + labelSmoothing * (0.5 - y);
  const weight = 1 + (positiveWeight - 1) * smoothed;
  return { weight, target: positiveWeight === 1 ? smoothed : (positiveWeight * smoothed) / weight };
}

/**
 * Loss of one yes-or-no label.
 * @param gradient receives ∂/∂z at `at`, if given
 */
export function sigmoidLoss(
  options: CrossEntropyOptions<string>,
  positiveWeight: number,
  z: number,
  y: number,
  gradient: Float32Array | null,
  at: number,
): number {
  const { target, weight } = softTruth(options, positiveWeight, y);
  const focus = focusOf(options);
  if (focus === 0) {
    if (gradient !== null) gradient[at] = weight * (sigmoid(z) - target);
    return weight * sigmoidCrossEntropy(z, target);
  }
  const loss = sigmoidCrossEntropy(z, y);
  // of the wrong answer
  const doubt = sigmoid(y >= 0.5 ? -z : z);
  if (gradient !== null) gradient[at] = weight * focalFactor(focus, loss, doubt) * (sigmoid(z) - y);
  return weight * doubt ** focus * loss;
}

/**
 * What a row's softmax over `classes` should be in one class, and how much the row counts: weight · Σ −target·log p is
 * the loss of torch's cross_entropy with these weights and label_smoothing.
 */
export function softClass(
  { labelSmoothing = 0 }: CrossEntropyOptions<string>,
  weights: readonly number[] | null,
  classes: number,
  y: number,
  c: number,
): SoftTarget {
  const own = (1 - labelSmoothing) * (weights?.[y] ?? 1);
  const shared = labelSmoothing / classes;
  const weight = own + shared * (weights === null ? classes : weights.reduce((sum, one) => sum + one, 0));
  return { weight, target: ((c === y ? own : 0) + shared * (weights?.[c] ?? 1)) / weight };
}

/**
 * Loss of one choice.
 * @param weights of the classes; null: all count alike
 * @param gradient receives ∂/∂z of the row, if given
 */
export function softmaxLoss(
  options: CrossEntropyOptions<string>,
  weights: readonly number[] | null,
  view: LogitView,
  row: number,
  classes: number,
  y: number,
  gradient: Float32Array | null,
): number {
  const loss = softmaxCrossEntropy(view, row, classes, y, gradient);
  const focus = focusOf(options);
  const smooth = (options.labelSmoothing ?? 0) > 0;
  if (focus === 0 && weights === null && !smooth) return loss;
  const at = row * view.stride + view.offset;
  if (smooth)
    return smoothedSoftmaxLoss(
      options,
      weights,
      view.data.subarray(at, at + classes),
      y,
      loss,
      gradient?.subarray(at) ?? null,
    );
  // 1 − p, without cancellation
  const doubt = -Math.expm1(-loss);
  const weight = weights?.[y] ?? 1;
  if (gradient !== null) {
    const factor = weight * (focus === 0 ? 1 : focalFactor(focus, loss, doubt));
    for (let i = at; i < at + classes; i++) gradient[i] = f32At(gradient, i) * factor;
  }
  return weight * doubt ** focus * loss;
}

/** @param gradient that of the loss without smoothing, to be changed */
function smoothedSoftmaxLoss(
  options: CrossEntropyOptions<string>,
  weights: readonly number[] | null,
  logits: Float32Array,
  y: number,
  loss: number,
  gradient: Float32Array | null,
): number {
  const logSum = loss + f32At(logits, y);
  let sum = 0;
  for (let c = 0; c < logits.length; c++) {
    const { target, weight } = softClass(options, weights, logits.length, y, c);
    sum += weight * target * (logSum - f32At(logits, c));
    if (gradient !== null) gradient[c] = weight * (f32At(gradient, c) + (c === y ? 1 : 0) - target);
  }
  return sum;
}

/**
 * What the focus makes of a cross entropy's gradient: that of (1 − p)^γ · −log p is
 * ((1 − p)^γ − γ·(1 − p)^(γ−1)·p·log p) times it.
 * @param loss −log p
 * @param doubt 1 − p
 */
function focalFactor(focus: number, loss: number, doubt: number): number {
  // log p ÷ (1 − p), which is −1 where p is 1
  const ratio = doubt === 0 ? -1 : -loss / doubt;
  return doubt ** focus * (1 - focus * (1 - doubt) * ratio);
}

/** Whether the loss is another than a plain cross entropy: then no constant of least loss is known beforehand. */
export function hasOwnLoss(
  spec: CrossEntropyOptions<string> & { readonly positiveWeight?: unknown; readonly classWeights?: unknown },
) {
  const { loss, labelSmoothing, positiveWeight, classWeights } = spec;
  return [loss, labelSmoothing, positiveWeight, classWeights].some((option) => option !== undefined);
}

const isWeight = (value: unknown): boolean => typeof value === "number" && value > 0 && value < Infinity;

/** Rules of the options that cross entropies take. */
export const CROSS_ENTROPY_OPTIONS: { readonly [K in keyof CrossEntropyOptions]-?: OptionRule } = {
  loss: oneOf("cross-entropy", "focal"),
  focus: {
    accepts: (value) => typeof value === "number" && value >= 0 && value <= 10,
    expected: "a number from 0 to 10",
  },
  labelSmoothing: {
    accepts: (value) => typeof value === "number" && value >= 0 && value < 1,
    expected: "a number from 0 to 1, less than 1",
  },
};

/** The same of kinds that may be asked of pixels. */
export const REGION_OPTIONS: typeof CROSS_ENTROPY_OPTIONS = {
  ...CROSS_ENTROPY_OPTIONS,
  loss: oneOf("cross-entropy", "focal", "dice", "dice-cross-entropy"),
};

/** A weight, or "balanced". */
export const WEIGHT: OptionRule = {
  accepts: (value) => value === "balanced" || isWeight(value),
  expected: 'a number above 0, or "balanced"',
};

/** Weights, one of each class or label, or "balanced". */
export const WEIGHTS: OptionRule = {
  accepts: (value) => value === "balanced" || (Array.isArray(value) && value.every(isWeight)),
  expected: 'a list of numbers above 0, or "balanced"',
};

/** A weight for all, or weights, one of each label, or "balanced". */
export const WEIGHT_OR_WEIGHTS: OptionRule = {
  accepts: (value) => WEIGHT.accepts(value) || WEIGHTS.accepts(value),
  expected: 'a number above 0, a list of them, or "balanced"',
};

/** Problem with options that do not go together, in words that follow the task's name; null if none. */
export function problemWithLoss({
  loss,
  focus,
  labelSmoothing = 0,
  per,
}: CrossEntropyOptions<string> & ElementTaskOptions): string | null {
  if (focus !== undefined && loss !== "focal") {
    return `has a focus, which is that of the loss "focal", but its loss is "${loss ?? "cross-entropy"}"; remove the focus, or add loss: "focal"`;
  }
  if (isOverlapLoss(loss) && (per !== "pixel" || labelSmoothing > 0)) {
    return per === "pixel"
      ? `has both loss: "${loss}" and labelSmoothing; take one of them`
      : `has the loss "${loss}", which is that of regions of a picture; add per: "pixel", or take another loss`;
  }
  if (loss === "focal" && labelSmoothing > 0) {
    return 'has both loss: "focal" and labelSmoothing, which undo each other; take one of them';
  }
  return null;
}

/** Problem with a list of weights of another length than that of the names. */
export function problemWithWeights(option: string, weights: unknown, names: readonly string[]): string | null {
  if (!Array.isArray(weights) || weights.length === names.length) return null;
  return `has ${names.length} names but ${weights.length} ${option}; give one per name, in their order`;
}

/** Negatives per positive, so that both count alike; 1 where there is none of one of them. */
export function balancedPositiveWeight(negatives: number, positives: number): number {
  return negatives === 0 || positives === 0 ? 1 : negatives / positives;
}

/**
 * Weights of classes that make each count alike, n / (k · n of the class) over the k classes that occur, as scikit-learn
 * balances them; 1 of a class that does not.
 */
export function balancedClassWeights(counts: readonly number[]): readonly number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const occurring = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 1 : all / (occurring * count)));
}

/** Weights that "balanced" stands for. @throws Error, a fault of the caller, where the labels have not been read */
export function fittedWeights(weights: readonly number[] | undefined): readonly number[] {
  if (weights === undefined) throw new Error("balanced weights are known once the labels have been read");
  return weights;
}
