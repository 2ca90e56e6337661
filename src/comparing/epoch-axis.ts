/** @file Whether curves can stand over epochs. */
import type { MetricPoint } from "../tasks/evaluation.js";

/** Whether each point has an epoch of its own: those of one that logs by step would stand above each other. */
export function haveOwnEpochs(points: readonly MetricPoint[]): boolean {
  return points.every(({ epoch }, i) => epoch !== null && epoch > (points[i - 1]?.epoch ?? Number.NEGATIVE_INFINITY));
}
