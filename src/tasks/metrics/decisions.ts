/** @file Metrics of yes-or-no decisions, from four counts. */

/** How many answers were decided how. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** A ratio, 0 where nothing is divided: scikit-learn's `zero_division` default. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Metrics of decisions by name. Precision, recall and F1 are 0 where their denominator is 0. */
export const decisionMetrics = {
  accuracy: ({ truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn }: Confusion) =>
    ratio(tp + tn, tp + fp + fn + tn),
  f1_score: ({ truePositives: tp, falsePositives: fp, falseNegatives: fn }: Confusion) =>
    ratio(2 * tp, 2 * tp + fp + fn),
  precision: ({ truePositives: tp, falsePositives: fp }: Confusion) => ratio(tp, tp + fp),
  recall: ({ truePositives: tp, falseNegatives: fn }: Confusion) => ratio(tp, tp + fn),
} as const satisfies Readonly<Record<string, (counts: Confusion) => number>>;

export type DecisionMetric = keyof typeof decisionMetrics;

/** Metrics by which a threshold can be tuned. */
export const TUNABLE_METRICS: readonly DecisionMetric[] = Object.keys(decisionMetrics) as DecisionMetric[];

/** Counts decisions against truths; both hold 0 or 1. */
export function confusionOf(truths: Uint8Array, decisions: Uint8Array): Confusion {
  // indexed by truth * 2 + decision
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < truths.length; i++) {
    const cell = (truths[i] as number) * 2 + (decisions[i] as number);
    counts[cell] = (counts[cell] as number) + 1;
  }
  const [trueNegatives, falsePositives, falseNegatives, truePositives] = counts as [number, number, number, number];
  return { truePositives, falsePositives, falseNegatives, trueNegatives };
}
