/** @file Fewer points of a curve that look the same: no peak and no hole is lost. */

/**
 * Indices of at most `limit` points: the first and the last one, and the lowest and the highest of each of equally long
 * stretches between them, so that peaks stay where they are. A stretch without a finite value keeps its first point.
 * @param values null, NaN and the infinities are holes
 * @param limit at least 4
 */
export function decimate(values: readonly (number | null)[], limit: number): number[] {
  const { length } = values;
  if (length <= limit) return values.map((_, i) => i);
  const stretches = Math.max(1, Math.floor((limit - 2) / 2));
  const kept = [0];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = 1 + Math.floor((stretch * (length - 2)) / stretches);
    const to = 1 + Math.floor(((stretch + 1) * (length - 2)) / stretches);
    kept.push(...extremes(values, from, to));
  }
  kept.push(length - 1);
  return kept;
}

/** Places of the lowest and the highest value in [from, to), in their order; of equal ones the first. */
function extremes(values: readonly (number | null)[], from: number, to: number): number[] {
  let [low, high] = [-1, -1];
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < to; i++) {
    const value = values[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    if (value < lowest) [low, lowest] = [i, value];
    if (value > highest) [high, highest] = [i, value];
  }
  if (low < 0) return [from];
  return low === high ? [low] : [Math.min(low, high), Math.max(low, high)];
}
