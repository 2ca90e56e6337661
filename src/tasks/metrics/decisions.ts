/** @file Metrics of yes-or-no decisions, from four counts. */

import { at, u8At } from "../../arrays.js";

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
  matthews_correlation: (counts: Confusion) => matthewsCorrelation(bothSides(counts)),
  cohen_kappa: (counts: Confusion) => cohenKappa(bothSides(counts)),
} as const satisfies Readonly<Record<string, (counts: Confusion) => number>>;

export type DecisionMetric = keyof typeof decisionMetrics;

/** Thresholds can be tuned by each of them: they are functions of the four counts. */
export const DECISION_METRICS = (Object.keys(decisionMetrics) as DecisionMetric[]).map((name) => ({
  name,
  higherIsBetter: true,
  tunable: true,
  onDemand: name === "matthews_correlation" || name === "cohen_kappa",
  bestOfConstants: name === "recall",
}));

/** The classes "no" and "yes" of one question, each against the other. */
export function bothSides(yes: Confusion): readonly [no: Confusion, yes: Confusion] {
  const no = {
    truePositives: yes.trueNegatives,
    falsePositives: yes.falseNegatives,
    falseNegatives: yes.falsePositives,
    trueNegatives: yes.truePositives,
  };
  return [no, yes];
}

/**
 * Matthews correlation coefficient of answers among two classes or more: Gorodkin, "Comparing two K-category
 * assignments by a K-category correlation coefficient" (2004). 0 where all labels, or all answers, are of one class.
 * @param classes each against the rest, over the same answers
 */
export function matthewsCorrelation(classes: readonly Confusion[]): number {
  const { answers, correct, product, labelledSquares, predictedSquares } = marginsOf(classes);
  const variances = (answers ** 2 - labelledSquares) * (answers ** 2 - predictedSquares);
  return ratio(correct * answers - product, Math.sqrt(variances));
}

/**
 * Cohen's kappa, agreement beyond chance: Cohen, "A Coefficient of Agreement for Nominal Scales" (1960). NaN where
 * labels and answers are all of the same class.
 * @param classes each against the rest, over the same answers
 */
export function cohenKappa(classes: readonly Confusion[]): number {
  const { answers, correct, product } = marginsOf(classes);
  return 1 - (answers - correct) / (answers - product / answers);
}

/** Sums of a confusion matrix: its diagonal, and the products and squares of its margins. */
function marginsOf(classes: readonly Confusion[]) {
  const sums = { answers: 0, correct: 0, product: 0, labelledSquares: 0, predictedSquares: 0 };
  for (const { truePositives: tp, falsePositives: fp, falseNegatives: fn } of classes) {
    sums.answers += tp + fn;
    sums.correct += tp;
    sums.product += (tp + fn) * (tp + fp);
    sums.labelledSquares += (tp + fn) ** 2;
    sums.predictedSquares += (tp + fp) ** 2;
  }
  return sums;
}

/** Counts decisions against truths; both hold 0 or 1. */
export function confusionOf(truths: Uint8Array, decisions: Uint8Array): Confusion {
  // indexed by truth * 2 + decision
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < truths.length; i++) {
    const cell = u8At(truths, i) * 2 + u8At(decisions, i);
    counts[cell] = at(counts, cell) + 1;
  }
  const [trueNegatives, falsePositives, falseNegatives, truePositives] = counts as [number, number, number, number];
  return { truePositives, falsePositives, falseNegatives, trueNegatives };
}
