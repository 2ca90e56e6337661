/** @file What every candidate threshold of a yes-or-no question comes to, from one sort of its scores. */
import { at, f32At, u8At } from "../arrays.js";
import { type ScoredAnswers, yesNoAnswers } from "../analysis/calibration/reliability.js";
import type { ScoredTask } from "../analysis/score.js";
import { sortByScore } from "../tasks/metrics/sort.js";
import type { Split } from "../tasks/evaluation.js";
import type { ThresholdReport } from "./document.js";

/** Of every question of a task that has known answers. @param most candidates of each */
export function thresholdReports(scored: ScoredTask, split: Split, most: number): ThresholdReport[] {
  return yesNoAnswers(scored).flatMap((answers, i) =>
    answers.scores.length === 0 ? [] : [thresholdReport(answers, at(scored.thresholds, i), split, most)],
  );
}

export function thresholdReport(
  { name, labels, scores }: ScoredAnswers,
  threshold: number,
  split: Split,
  most: number,
): ThresholdReport {
  const ranked = sortByScore(scores, labels);
  const candidates = candidatesOf(ranked.scores, threshold, most);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const trues: number[] = [];
  const falses: number[] = [];
  // answers below the candidate, and those of them that are yes by their labels
  let [below, missed] = [0, 0];
  for (const candidate of candidates) {
    for (; below < scores.length && f32At(ranked.scores, below) < candidate; below++) {
      missed += u8At(ranked.truths, below);
    }
    trues.push(positives - missed);
    falses.push(scores.length - positives - (below - missed));
  }
  return {
    ...{ split, label: name, threshold, positives, negatives: labels.length - positives },
    ...{ candidates, true_positives: trues, false_positives: falses },
  };
}

/**
 * Even steps over [0, 1], which a hand on a slider expects, and the scores themselves, evenly by rank, where many answers
 * lie close together.
 * @param sorted ascending
 */
function candidatesOf(sorted: Float32Array, threshold: number, most: number): number[] {
  const steps = Math.max(2, Math.floor(most / 2));
  const even = Array.from({ length: steps + 1 }, (_, i) => i / steps);
  const ranks = Math.min(sorted.length, steps);
  const byRank = Array.from({ length: ranks }, (_, i) => f32At(sorted, Math.floor((i * sorted.length) / ranks)));
  return [...new Set([...even, ...byRank, threshold])].sort((a, b) => a - b);
}
