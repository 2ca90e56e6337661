/** @file Metrics of regression tasks: absolute and squared errors. */
import type { BoundedRegressionSpec } from "../../flow/graph.js";
import { type MetricValue, type Scored, unitScaleAt } from "../behaviour.js";

/** Sums over the rows that count. */
interface ErrorSums {
  count: number;
  absolute: number;
  absoluteNormalized: number;
  squared: number;
  squaredNormalized: number;
}

const ON_DEMAND = {
  root_mean_squared_error: ({ squared, count }) => Math.sqrt(squared / count),
  root_mean_squared_error_normalized: ({ squaredNormalized, count }) => Math.sqrt(squaredNormalized / count),
  r2: ({ squared, count }, scored) => determination(squared, count, scored),
} as const satisfies Readonly<
  Record<string, (sums: ErrorSums, scored: Scored<BoundedRegressionSpec>) => number | null>
>;

/** Computed where they are asked for. */
export const ON_DEMAND_REGRESSION_METRICS = Object.keys(ON_DEMAND) as readonly (keyof typeof ON_DEMAND)[];

/**
 * mean_absolute_error in label units, and mean_absolute_error_normalized, where 1 is the task's whole range. On demand
 * root_mean_squared_error in both, and r2, the coefficient of determination in label units. All are null without rows.
 */
export function regressionMetrics(
  scored: Scored<BoundedRegressionSpec>,
  further: readonly string[] = [],
): MetricValue[] {
  const sums = sumErrors(scored);
  const { count, absolute, absoluteNormalized } = sums;
  const mean = (sum: number): number | null => (count === 0 ? null : sum / count);
  return [
    { name: "mean_absolute_error", value: mean(absolute), count },
    { name: "mean_absolute_error_normalized", value: mean(absoluteNormalized), count },
    ...ON_DEMAND_REGRESSION_METRICS.filter((name) => further.includes(name)).map((name) => ({
      name,
      value: count === 0 ? null : ON_DEMAND[name](sums, scored),
      count,
    })),
  ];
}

function sumErrors({ spec, labels, decoded, mask }: Scored<BoundedRegressionSpec>): ErrorSums {
  const range = spec.max - spec.min;
  const sums: ErrorSums = { count: 0, absolute: 0, absoluteNormalized: 0, squared: 0, squaredNormalized: 0 };
  for (let row = 0; row < mask.length; row++) {
    const label = labels.answers[row] as number;
    if (mask[row] === 0 || Number.isNaN(label)) continue;
    const error = Math.abs((decoded[row] as number) - label);
    const normalized = error / (range * unitScaleAt(labels.unitScale, row));
    sums.count++;
    sums.absolute += error;
    sums.absoluteNormalized += normalized;
    sums.squared += error * error;
    sums.squaredNormalized += normalized * normalized;
  }
  return sums;
}

/**
 * R² = 1 − Σ (label − answer)² / Σ (label − mean label)². As in scikit-learn, null for one row, and where all labels are
 * equal 1 if every answer is right, else 0.
 */
function determination(squared: number, count: number, scored: Scored<BoundedRegressionSpec>): number | null {
  if (count < 2) return null;
  const { labels, mask } = scored;
  const counts = (row: number): boolean => mask[row] !== 0 && !Number.isNaN(labels.answers[row]);
  let sum = 0;
  for (let row = 0; row < mask.length; row++) if (counts(row)) sum += labels.answers[row] as number;
  const mean = sum / count;
  let spread = 0;
  // a second pass: sums of squares would cancel where labels are far from 0
  for (let row = 0; row < mask.length; row++) if (counts(row)) spread += ((labels.answers[row] as number) - mean) ** 2;
  if (spread === 0) return squared === 0 ? 1 : 0;
  return 1 - squared / spread;
}
