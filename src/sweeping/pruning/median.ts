/** @file The median stopping rule (Golovin et al., Google Vizier, KDD 2017, § 3.2.1). */
import { bestUntil, type ValueCurve } from "./curves.js";

export interface MedianConfig {
  readonly kind: "median";
  /** Runs that are never pruned: before so many have come this far there is no median to speak of. */
  readonly startup: number;
  /** Epochs of each run before it is judged. */
  readonly minEpochs: number;
}

/**
 * Whether a run ends: its best value so far is worse than the median, over the others that have come as far, of their
 * mean value up to this epoch.
 * @param own lower is better
 */
export function prunedByMedian(
  { startup, minEpochs }: MedianConfig,
  epoch: number,
  own: ValueCurve,
  others: readonly ValueCurve[],
): boolean {
  if (epoch < minEpochs) return false;
  const means = others.flatMap((curve) => {
    if ((curve.at(-1)?.epoch ?? 0) < epoch) return [];
    const values = curve.filter((point) => point.epoch <= epoch).map(({ value }) => value);
    return values.length === 0 ? [] : [values.reduce((sum, value) => sum + value, 0) / values.length];
  });
  if (means.length < startup) return false;
  return (bestUntil(own, epoch) ?? Number.POSITIVE_INFINITY) > medianOf(means);
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
