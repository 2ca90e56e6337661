/** @file From numbers of a network to scores, and from scores to decisions. */
import { f32At } from "../arrays.js";

/** Numerically stable logistic function. */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const e = Math.exp(z);
  return e / (1 + e);
}

/**
 * Softmax of each row, with its largest logit taken out so that it cannot overflow.
 * @param logits [rows, classes]
 * @returns [rows, classes]
 */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const activated = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += classes) {
    const row = logits.subarray(at, at + classes);
    const max = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((a, z) => a + Math.exp(z - max), 0);
    for (let c = 0; c < classes; c++) activated[at + c] = Math.exp(f32At(row, c) - max) / sum;
  }
  return activated;
}

/** Yes from the threshold up; of a score that is NaN nothing is known. */
export function decide(score: number, threshold: number): number {
  return Number.isNaN(score) ? Number.NaN : Number(score >= threshold);
}

/**
 * The class of highest score in each row, among equal ones the first; NaN where a score is NaN.
 * @param scores [rows, classes]
 * @returns [rows]
 */
export function largestOf(scores: Float32Array, classes: number): Float32Array {
  const decoded = new Float32Array(scores.length / classes);
  for (let row = 0; row < decoded.length; row++) {
    let [best, isScored] = [0, true];
    for (let c = 0; c < classes; c++) {
      const score = f32At(scores, row * classes + c);
      if (Number.isNaN(score)) isScored = false;
      if (score > f32At(scores, row * classes + best)) best = c;
    }
    decoded[row] = isScored ? best : Number.NaN;
  }
  return decoded;
}
