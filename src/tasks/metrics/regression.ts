/** @file Metrics of regression tasks: mean absolute errors. */
import type { BoundedRegressionSpec } from "../../flow/graph.js";
import { type MetricValue, type Scored, unitScaleAt } from "../behaviour.js";

/**
 * mean_absolute_error in label units, and mean_absolute_error_normalized, where 1 is the task's whole range.
 * Both are null without rows.
 */
export function regressionMetrics({ spec, labels, decoded, mask }: Scored<BoundedRegressionSpec>): MetricValue[] {
  const range = spec.max - spec.min;
  let count = 0;
  let errors = 0;
  let normalizedErrors = 0;
  for (let row = 0; row < mask.length; row++) {
    const label = labels.answers[row] as number;
    if (mask[row] === 0 || Number.isNaN(label)) continue;
    const error = Math.abs((decoded[row] as number) - label);
    count++;
    errors += error;
    normalizedErrors += error / (range * unitScaleAt(labels.unitScale, row));
  }
  const mean = (sum: number): number | null => (count === 0 ? null : sum / count);
  return [
    { name: "mean_absolute_error", value: mean(errors), count },
    { name: "mean_absolute_error_normalized", value: mean(normalizedErrors), count },
  ];
}
