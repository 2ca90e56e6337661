/** @file Metrics of an order of scores: the areas under the ROC and the precision-recall curve. */
import { u8At } from "../../arrays.js";
import type { RankedAnswers } from "./sort.js";

export interface RankingMetrics {
  /** null where all answers are of one class. */
  readonly rocAuc: number | null;
  /** 0 where no answer is truly yes, as in scikit-learn. */
  readonly averagePrecision: number;
}

/**
 * Both areas in one walk from the highest score down; equal scores count as one step of either curve.
 * ROC AUC: the chance that a yes is ranked above a no, ties counting half (Fawcett 2006, An introduction to ROC
 * analysis). Average precision: Σ (Rₙ − Rₙ₋₁)·Pₙ without interpolation, as `sklearn.metrics.average_precision_score`.
 */
export function rankingMetrics({ scores, truths }: RankedAnswers): RankingMetrics {
  let positives = 0;
  let negatives = 0;
  let orderedPairs = 0;
  let precisionSum = 0;
  for (let i = scores.length - 1; i >= 0; ) {
    const score = scores[i];
    let tiedPositives = 0;
    let tied = 0;
    for (; i >= 0 && scores[i] === score; i--) {
      tiedPositives += u8At(truths, i);
      tied++;
    }
    const tiedNegatives = tied - tiedPositives;
    orderedPairs += tiedNegatives * (positives + tiedPositives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
    precisionSum += tiedPositives * (positives / (positives + negatives));
  }
  return {
    rocAuc: positives === 0 || negatives === 0 ? null : orderedPairs / (positives * negatives),
    averagePrecision: positives === 0 ? 0 : precisionSum / positives,
  };
}
