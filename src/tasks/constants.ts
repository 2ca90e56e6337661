/** @file What a predictor that always says the same may say: logits learnt from labels alone, to measure networks by. */
import { at, f32At, f64At, i32At, u8At } from "../arrays.js";
import { CoolError } from "../errors.js";
import type { TaskSpec } from "../flow/graph.js";
import type { RowMask } from "../flow/masks.js";
import type { Labels, LogitView } from "./scored.js";

/** Logits that are the same in every row, [logitWidth]. */
export type ConstantLogits = readonly number[];

// probabilities of single precision: further towards 0 or 1 the logistic function rounds to it
const EPSILON = 2 ** -23;

/** Logit of a probability, which is kept within [ε, 1 − ε] so that a class that never occurs has a finite loss. */
export function logitOf(probability: number): number {
  const p = Math.min(Math.max(probability, EPSILON), 1 - EPSILON);
  return Math.log(p / (1 - p));
}

/** Logit of a softmax whose shares are these probabilities. */
export function logShareOf(probability: number): number {
  return Math.log(Math.max(probability, EPSILON));
}

/** Logit of an answer that is surely yes; that of no is its negative. */
export const SURELY = logitOf(1);

/** Rows of the mask. */
export function rowsOf(mask: RowMask): Int32Array {
  let count = 0;
  for (let row = 0; row < mask.length; row++) count += u8At(mask, row);
  const rows = new Int32Array(count);
  count = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] === 1) rows[count++] = row;
  return rows;
}

/**
 * Numbers of the rows of a mask, without those that are NaN.
 * @param numberAt of a row
 */
export function knownNumbers(mask: RowMask, numberAt: (row: number) => number): Float64Array {
  const rows = rowsOf(mask);
  const numbers = new Float64Array(rows.length);
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const number = numberAt(i32At(rows, i));
    if (!Number.isNaN(number)) numbers[count++] = number;
  }
  return numbers.subarray(0, count);
}

/** The middle of some numbers, or the mean of the two in the middle; NaN of none. */
export function median(values: ArrayLike<number>): number {
  // typed arrays sort by number; 0 and −0 are not told apart by a comparison, and make no difference here
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? at(sorted, Math.floor(middle))
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += at(values, i);
  return sum / values.length;
}

/** What `leastLoss` asks of a kind of task. */
interface Loss<Spec extends TaskSpec> {
  logitWidth(spec: Spec): number;
  lossTerms(spec: Spec, labels: Labels, row: number): number;
  lossSum(spec: Spec, logits: LogitView, labels: Labels, row: number, gradient: Float32Array | null): number;
}

/** A constant needs no more rows than this: its error falls with their root. */
const MOST_ROWS = 2000;
const STEPS = 200;
// iRprop−: its authors' factors
const [GROW, SHRINK] = [1.2, 0.5];
const [FIRST_STEP, LEAST_STEP, LARGEST_STEP] = [0.1, 1e-6, 50];

/**
 * The constant of least loss, for kinds whose loss has no such constant in closed form: from zero downhill by the signs
 * of the gradient (iRprop−: Igel & Hüsken 2000, Improving the Rprop learning algorithm), over at most 2000 rows.
 * @returns none where no row is labelled
 */
export function leastLoss<Spec extends TaskSpec>(
  kind: Loss<Spec>,
  spec: Spec,
  labels: Labels,
  mask: RowMask,
): ConstantLogits[] {
  const labelled = rowsOf(mask).filter((row) => kind.lossTerms(spec, labels, row) > 0);
  if (labelled.length === 0) return [];
  const spacing = Math.max(1, labelled.length / MOST_ROWS);
  const count = Math.min(labelled.length, MOST_ROWS);
  const rows = Array.from({ length: count }, (_, i) => at(labelled, Math.floor(i * spacing)));
  const width = kind.logitWidth(spec);
  let logits = new Float32Array(width);
  let best = { loss: Number.POSITIVE_INFINITY, logits };
  let steps = new Float64Array(width).fill(FIRST_STEP);
  let before = new Float64Array(width);
  for (let step = 0; step < STEPS; step++) {
    const found = lossOver(kind, spec, labels, rows, logits);
    if (found === null) {
      // beyond what the loss can be computed of: half the way back
      if (!Number.isFinite(best.loss)) return [];
      logits = logits.map((z, i) => (z + f32At(best.logits, i)) / 2);
      steps = steps.map((size) => Math.max(size * SHRINK, LEAST_STEP));
      continue;
    }
    if (found.loss < best.loss) best = { loss: found.loss, logits };
    const slopes = found.gradient.map((slope, i) => (slope * f64At(before, i) < 0 ? 0 : slope));
    steps = steps.map((size, i) => {
      const turned = f64At(found.gradient, i) * f64At(before, i);
      const factor = turned > 0 ? GROW : turned < 0 ? SHRINK : 1;
      return Math.min(Math.max(size * factor, LEAST_STEP), LARGEST_STEP);
    });
    logits = logits.map((z, i) => z - Math.sign(f64At(slopes, i)) * f64At(steps, i));
    before = slopes;
  }
  return [Array.from(best.logits)];
}

/** null where the loss of these logits is not finite. */
function lossOver<Spec extends TaskSpec>(
  kind: Loss<Spec>,
  spec: Spec,
  labels: Labels,
  rows: ArrayLike<number>,
  logits: Float32Array,
): { readonly loss: number; readonly gradient: Float64Array<ArrayBuffer> } | null {
  const own = new Float32Array(logits.length);
  const gradient = new Float64Array(logits.length);
  let loss = 0;
  try {
    // with a stride of 0 every row reads the same logits
    const view = { data: logits, stride: 0, offset: 0 };
    for (let k = 0; k < rows.length; k++) {
      own.fill(0);
      loss += kind.lossSum(spec, view, labels, at(rows, k), own);
      for (let i = 0; i < own.length; i++) gradient[i] = f64At(gradient, i) + f32At(own, i);
    }
  } catch (error) {
    // a loss of the user's own says so where it cannot be computed
    if (error instanceof CoolError) return null;
    throw error;
  }
  return Number.isFinite(loss) && gradient.every(Number.isFinite) ? { loss, gradient } : null;
}
