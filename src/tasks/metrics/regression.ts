/** @file Metrics of regression tasks: absolute and squared errors. */
import type { BoundedRegressionSpec, RegressionSpec } from "../../flow/graph.js";
import { f32At } from "../../arrays.js";
import { unitScaleAt } from "../../decoding/decoders.js";
import type { Scored } from "../scored.js";
import { type Metric, type MetricTable, metricTable } from "./table.js";

type TaskAnswers = Pick<Scored, "labels" | "decoded" | "mask">;

/** Sums over the rows that count. */
interface ErrorSums {
  count: number;
  absolute: number;
  absoluteNormalized: number;
  squared: number;
  squaredNormalized: number;
}

interface ErrorContext {
  readonly count: number;
  readonly sums: ErrorSums;
  readonly scored: TaskAnswers;
}

const error = (name: string, onDemand: boolean, of: (sums: ErrorSums) => number): Metric<ErrorContext> => ({
  name,
  higherIsBetter: false,
  tunable: false,
  onDemand,
  compute: ({ sums }) => of(sums),
});

const R2: Metric<ErrorContext> = {
  name: "r2",
  higherIsBetter: true,
  tunable: false,
  onDemand: true,
  compute: ({ sums, scored }) => determination(sums.squared, sums.count, scored),
};

const ROWS: readonly Metric<ErrorContext>[] = [
  error("mean_absolute_error", false, ({ absolute, count }) => absolute / count),
  error("mean_absolute_error_normalized", false, ({ absoluteNormalized, count }) => absoluteNormalized / count),
  error("root_mean_squared_error", true, ({ squared, count }) => Math.sqrt(squared / count)),
  error("root_mean_squared_error_normalized", true, ({ squaredNormalized, count }) =>
    Math.sqrt(squaredNormalized / count),
  ),
  R2,
];

const UNBOUNDED: readonly Metric<ErrorContext>[] = [
  error("mean_absolute_error", false, ({ absolute, count }) => absolute / count),
  error("root_mean_squared_error", false, ({ squared, count }) => Math.sqrt(squared / count)),
  { ...R2, onDemand: false },
];

/**
 * mean_absolute_error in label units, and mean_absolute_error_normalized, where 1 is the task's whole range. On demand
 * root_mean_squared_error in both, and r2, the coefficient of determination in label units. All are null without rows,
 * and where an answer is NaN.
 */
export const regressionMetrics: MetricTable<BoundedRegressionSpec> = metricTable(
  () => ROWS,
  (scored) => {
    const { spec, labels } = scored;
    return contextOf(scored, (row) => (spec.max - spec.min) * unitScaleAt(labels.unitScale, row));
  },
);

/**
 * mean_absolute_error and root_mean_squared_error in label units, and r2. All are null without rows, and where an answer
 * is NaN.
 */
export const unboundedMetrics: MetricTable<RegressionSpec> = metricTable(
  () => UNBOUNDED,
  (scored) => contextOf(scored, () => 1),
);

/** @param rangeAt what an error of a row is divided by where it is normalized */
function contextOf(scored: TaskAnswers, rangeAt: (row: number) => number): ErrorContext {
  const sums = sumErrors(scored, rangeAt);
  return { count: sums.count, sums, scored };
}

function sumErrors({ labels, decoded, mask }: TaskAnswers, rangeAt: (row: number) => number): ErrorSums {
  const sums: ErrorSums = { count: 0, absolute: 0, absoluteNormalized: 0, squared: 0, squaredNormalized: 0 };
  for (let row = 0; row < mask.length; row++) {
    const label = f32At(labels.answers, row);
    if (mask[row] === 0 || Number.isNaN(label)) continue;
    const error = Math.abs(f32At(decoded, row) - label);
    const normalized = error / rangeAt(row);
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
function determination(squared: number, count: number, scored: TaskAnswers): number | null {
  if (count < 2 || Number.isNaN(squared)) return null;
  const { labels, mask } = scored;
  const counts = (row: number): boolean => mask[row] !== 0 && !Number.isNaN(labels.answers[row]);
  let sum = 0;
  for (let row = 0; row < mask.length; row++) if (counts(row)) sum += f32At(labels.answers, row);
  const mean = sum / count;
  let spread = 0;
  // a second pass: sums of squares would cancel where labels are far from 0
  for (let row = 0; row < mask.length; row++) if (counts(row)) spread += (f32At(labels.answers, row) - mean) ** 2;
  if (spread === 0) return squared === 0 ? 1 : 0;
  return 1 - squared / spread;
}
