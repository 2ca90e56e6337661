/** @file Smoothing of curves, as TensorBoard's slider does it. */

/**
 * Exponential moving average without the pull of its start (the debiasing of Adam, Kingma & Ba 2015): at each point
 * `Σ weight^(n−i) · value_i / Σ weight^(n−i)` over the points so far. What is no finite number stays as it is and
 * counts for nothing.
 * @param values a curve's values in order; null where it is undefined
 * @param weight of the past, in [0, 1); 0 changes nothing
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let [sum, total] = [0, 0];
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return value;
    sum = sum * weight + value;
    total = total * weight + 1;
    return sum / total;
  });
}
