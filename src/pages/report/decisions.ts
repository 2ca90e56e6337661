/** @file What a question's answers come to at one of its candidate thresholds. */
import type { ThresholdReport } from "../../reporting/document.js";
import { type Confusion, decisionMetrics } from "../../tasks/metrics/decisions.js";

export interface Decided extends Confusion {
  readonly threshold: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly accuracy: number;
}

export function decidedAt(report: ThresholdReport, candidate: number): Decided {
  const truePositives = report.true_positives[candidate] ?? 0;
  const falsePositives = report.false_positives[candidate] ?? 0;
  const counts = {
    truePositives,
    falsePositives,
    falseNegatives: report.positives - truePositives,
    trueNegatives: report.negatives - falsePositives,
  };
  return {
    ...counts,
    threshold: report.candidates[candidate] ?? Number.NaN,
    precision: decisionMetrics.precision(counts),
    recall: decisionMetrics.recall(counts),
    f1: decisionMetrics.f1_score(counts),
    accuracy: decisionMetrics.accuracy(counts),
  };
}

/** Place of the threshold on record among the candidates. */
export function recordedCandidate({ candidates, threshold }: ThresholdReport): number {
  const nearest = candidates.reduce(
    (found, candidate, i) =>
      Math.abs(candidate - threshold) < Math.abs((candidates[found] ?? Number.POSITIVE_INFINITY) - threshold)
        ? i
        : found,
    0,
  );
  return nearest;
}
