/** @file Curves of the objective, as pruning compares them. Lower is better. */

/** By ascending epoch; undefined values are left out. */
export type ValueCurve = readonly { readonly epoch: number; readonly value: number }[];

/** The best value up to an epoch, which is what the run would have come to; null where it has none. */
export function bestUntil(curve: ValueCurve, epoch: number): number | null {
  const values = curve
    .filter((point) => point.epoch <= epoch && Number.isFinite(point.value))
    .map(({ value }) => value);
  return values.length === 0 ? null : Math.min(...values);
}
