/** @file Intervals of metrics of which nothing is known but how they are computed. */
import { i32At } from "../../arrays.js";
import type { RowMask } from "../../flow/masks.js";
import type { MetricValue } from "../../tasks/index.js";
import { studentQuantile } from "./quantiles.js";
import type { Interval, Units } from "./spread.js";

/** Parts of which one at a time is left out. */
const PARTS = 20;
/** With more rows, computing a metric twenty times takes long, and it has no interval. */
export const MOST_ROWS = 100_000;

/**
 * The delete-a-group jackknife (Kott, Journal of Official Statistics 17, 2001): the metric without each of twenty parts of
 * the rows, or of their groups, and from how these differ the standard error, value ± t₁₉·√(19/20·Σ(θ₋ₖ − mean)²).
 * @param metricsOf values on the rows of a mask
 * @returns by name of the metric; null where it is undefined without one of the parts
 */
export function jackknifeIntervals(
  mask: RowMask,
  { of }: Units,
  metricsOf: (mask: RowMask) => readonly MetricValue[],
): ReadonlyMap<string, Interval | null> {
  const counted = mask.reduce((sum, own) => sum + own, 0);
  if (counted < PARTS || counted > MOST_ROWS) return new Map();
  let next = 0;
  const partOf = new Uint8Array(mask.length);
  for (let place = 0; place < mask.length; place++) {
    if (mask[place] === 1) partOf[place] = (of === null ? next++ : i32At(of, place)) % PARTS;
  }
  const without = Array.from({ length: PARTS }, (_, part) =>
    metricsOf(mask.map((own, place) => (partOf[place] === part ? 0 : own))),
  );
  return new Map(
    metricsOf(mask).map(({ name, value }) => {
      const values = without.map((own) => own.find((metric) => metric.name === name)?.value ?? Number.NaN);
      const mean = values.reduce((sum, own) => sum + own, 0) / PARTS;
      const error = Math.sqrt(((PARTS - 1) / PARTS) * values.reduce((sum, own) => sum + (own - mean) ** 2, 0));
      const reach = studentQuantile(PARTS - 1) * error;
      return [name, value === null || !(reach > 0) ? null : [value - reach, value + reach]] as const;
    }),
  );
}
