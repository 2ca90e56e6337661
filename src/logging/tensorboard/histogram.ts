/** @file Numbers → buckets of equal width, as TensorBoard's histogram plugin stores them. */
import { CoolError } from "../../errors.js";
import type { Tensor } from "./tensor.js";

/**
 * Buckets of equal width from the smallest to the largest value; the last one is closed on both sides
 * (`histogram_pb` in TensorBoard's `plugins/histogram/summary_v2.py`). NaN and infinities have no place on the axis
 * and are left out. Without values all is zero; with a single distinct value the last bucket holds it.
 *
 * @returns [bucketCount, 3]: left edge, right edge, count
 * @throws CoolError if `bucketCount` is no positive integer
 */
export function histogramTensor(values: ArrayLike<number>, bucketCount: number): Tensor {
  if (!Number.isSafeInteger(bucketCount) || bucketCount < 1) {
    throw new CoolError(`A histogram needs a positive whole number of buckets, not ${bucketCount}.`, { bucketCount });
  }
  const finite = Float64Array.from(values).filter(Number.isFinite);
  const counts = new Float64Array(bucketCount);
  const { min, max } = extent(finite);
  const width = (max - min) / bucketCount;
  for (const value of finite) {
    const bucket = max === min ? bucketCount - 1 : Math.min(Math.floor((value - min) / width), bucketCount - 1);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  const edge = (index: number) => (index === bucketCount ? max : min + index * width);
  const rows = new Float64Array(bucketCount * 3);
  counts.forEach((count, i) => {
    rows.set([edge(i), edge(i + 1), count], i * 3);
  });
  return { shape: [bucketCount, 3], values: rows };
}

function extent(values: Float64Array): { min: number; max: number } {
  if (values.length === 0) return { min: 0, max: 0 };
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}
