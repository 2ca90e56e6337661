/** @file The overlap of regions as a loss: Milletari et al., "V-Net" (2016). */
import { f32At, f64At, u8At } from "../../arrays.js";
import type { BinarySpec, ClassificationSpec, TaskSpec } from "../../flow/graph.js";
import { sigmoid } from "../../decoding/activations.js";
import { isOverlapLoss } from "../cross-entropy.js";
import type { LogitView } from "../scored.js";

/** A spec whose loss is of the pixels of a picture together. */
export type OverlapSpec = BinarySpec | ClassificationSpec;

/** Whether the loss of a task is one of whole pictures, of which each has one. */
export function isOverlap(spec: TaskSpec): spec is OverlapSpec {
  return (spec.kind === "binary" || spec.kind === "classification") && isOverlapLoss(spec.loss);
}

/** The pixels of one picture. */
export interface PictureLabels {
  readonly answers: Float32Array;
  /** Pixels that count. */
  readonly mask: Uint8Array;
  readonly from: number;
  readonly to: number;
}

// one pixel: a class that is neither labelled nor answered overlaps wholly
const SMOOTH = 1;

/**
 * 1 − Dice, with Dice_c = (2 Σ p·g + 1) / (Σ p² + Σ g² + 1) over the pixels of one picture that count, the mean over the
 * classes; of a yes or no that of yes. `dice-cross-entropy` adds the mean cross entropy of these pixels.
 * @param gradient receives ∂loss/∂logits at the places of these pixels, if given
 * @returns 0 where no pixel counts
 */
export function overlapLoss(
  spec: OverlapSpec,
  view: LogitView,
  picture: PictureLabels,
  gradient: Float32Array | null,
): number {
  const classes = spec.kind === "binary" ? 1 : spec.classes.length;
  const shares = sharesOf(spec, view, picture, classes);
  if (shares.count === 0) return 0;
  const sums = sumsOf(picture, shares.values, classes, spec.kind === "binary");
  let loss = 0;
  for (let c = 0; c < classes; c++) loss += (1 - f64At(sums.overlap, c) / f64At(sums.size, c)) / classes;
  const withEntropy = spec.loss === "dice-cross-entropy";
  if (withEntropy) loss += shares.crossEntropy / shares.count;
  if (gradient !== null) addGradient(spec, view, picture, shares, sums, withEntropy, gradient);
  return loss;
}

interface Shares {
  /** [pixels of the picture, classes], after sigmoid or softmax. */
  readonly values: Float64Array;
  readonly count: number;
  /** Sum over the pixels that count. */
  readonly crossEntropy: number;
}

const isCounted = ({ answers, mask }: PictureLabels, pixel: number): boolean =>
  u8At(mask, pixel) === 1 && !Number.isNaN(f32At(answers, pixel));

function sharesOf({ kind }: OverlapSpec, view: LogitView, picture: PictureLabels, classes: number): Shares {
  const { from, to, answers } = picture;
  const values = new Float64Array((to - from) * classes);
  let [count, crossEntropy] = [0, 0];
  for (let pixel = from; pixel < to; pixel++) {
    if (!isCounted(picture, pixel)) continue;
    count++;
    const place = pixel * view.stride + view.offset;
    const own = (pixel - from) * classes;
    const truth = f32At(answers, pixel);
    if (kind === "binary") {
      const z = f32At(view.data, place);
      values[own] = sigmoid(z);
      crossEntropy += Math.max(z, 0) - z * truth + Math.log1p(Math.exp(-Math.abs(z)));
      continue;
    }
    let largest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, f32At(view.data, place + c));
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const exponential = Math.exp(f32At(view.data, place + c) - largest);
      values[own + c] = exponential;
      sum += exponential;
    }
    for (let c = 0; c < classes; c++) values[own + c] = f64At(values, own + c) / sum;
    crossEntropy += Math.log(sum) + largest - f32At(view.data, place + truth);
  }
  return { values, count, crossEntropy };
}

/** What a pixel's share of a class should be. */
function wanted(truth: number, c: number, isBinary: boolean): number {
  return isBinary ? truth : Number(truth === c);
}

interface Sums {
  /** 2 Σ p·g + 1 */
  readonly overlap: Float64Array;
  /** Σ p² + Σ g² + 1 */
  readonly size: Float64Array;
}

function sumsOf(picture: PictureLabels, shares: Float64Array, classes: number, isBinary: boolean): Sums {
  const overlap = new Float64Array(classes).fill(SMOOTH);
  const size = new Float64Array(classes).fill(SMOOTH);
  for (let pixel = picture.from; pixel < picture.to; pixel++) {
    if (!isCounted(picture, pixel)) continue;
    const truth = f32At(picture.answers, pixel);
    for (let c = 0; c < classes; c++) {
      const p = f64At(shares, (pixel - picture.from) * classes + c);
      const g = wanted(truth, c, isBinary);
      overlap[c] = f64At(overlap, c) + 2 * p * g;
      size[c] = f64At(size, c) + p * p + g * g;
    }
  }
  return { overlap, size };
}

function addGradient(
  { kind }: OverlapSpec,
  view: LogitView,
  picture: PictureLabels,
  { values, count }: Shares,
  { overlap, size }: Sums,
  withEntropy: boolean,
  gradient: Float32Array,
): void {
  const classes = overlap.length;
  const isBinary = kind === "binary";
  const slopes = new Float64Array(classes);
  for (let pixel = picture.from; pixel < picture.to; pixel++) {
    if (!isCounted(picture, pixel)) continue;
    const truth = f32At(picture.answers, pixel);
    const own = (pixel - picture.from) * classes;
    let mean = 0;
    for (let c = 0; c < classes; c++) {
      const p = f64At(values, own + c);
      const [o, s] = [f64At(overlap, c), f64At(size, c)];
      // ∂(1 − o/s)/∂p = −(2g·s − o·2p)/s²
      slopes[c] = -(2 * wanted(truth, c, isBinary) * s - 2 * p * o) / (s * s) / classes;
      mean += f64At(slopes, c) * p;
    }
    const place = pixel * view.stride + view.offset;
    for (let c = 0; c < classes; c++) {
      const p = f64At(values, own + c);
      const dice = isBinary ? f64At(slopes, c) * p * (1 - p) : p * (f64At(slopes, c) - mean);
      gradient[place + c] = dice + (withEntropy ? (p - wanted(truth, c, isBinary)) / count : 0);
    }
  }
}
