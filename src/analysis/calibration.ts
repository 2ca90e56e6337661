/** @file Calibration: how often answers given with probability p are right. */
import { f32At, u8At } from "../arrays.js";
import type { RowMask } from "../flow/masks.js";
import { allLogits, behaviourOf, decodedScore } from "../tasks/index.js";
import type { ScoredTask } from "./score.js";

/** Yes-or-no questions and their probabilities: what PR curves and calibration are made of. */
export interface ScoredAnswers {
  /** The label of a multilabel task that they are about; null: the task itself. */
  readonly name: string | null;
  /** 1 where the answer is yes (for a classification: where the predicted class is the label). */
  readonly labels: Uint8Array;
  /** Probability of yes, in [0, 1]. */
  readonly scores: Float32Array;
}

export interface CalibrationBin {
  /** Probabilities in [lower, upper); the last bin includes 1. */
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
  /** Mean probability and share of yes in the bin; null where it is empty. */
  readonly meanScore: number | null;
  readonly shareOfYes: number | null;
}

export interface Calibration {
  readonly bins: readonly CalibrationBin[];
  readonly count: number;
  /** Σ over bins of count/total × |share of yes − mean probability|; null without answers. */
  readonly expectedCalibrationError: number | null;
}

/**
 * The known answers of a binary task, or of each label of a multilabel.
 * @param mask rows to take; default: those of the loss
 * @returns none for other kinds of tasks
 */
export function yesNoAnswers(scored: ScoredTask, mask: RowMask = scored.lossMask): ScoredAnswers[] {
  const { spec } = scored.task;
  const questions = behaviourOf(spec).questions(spec);
  return questions.map((name, i) => ({ name, ...column(scored, mask, questions.length, i) }));
}

function column(
  { labels, kept }: ScoredTask,
  mask: RowMask,
  width: number,
  offset: number,
): Omit<ScoredAnswers, "name"> {
  const { activated } = allLogits(kept);
  const known: number[] = [];
  mask.forEach((counted, row) => {
    const at = row * width + offset;
    if (counted === 1 && !Number.isNaN(labels.answers[at]) && !Number.isNaN(activated[at])) known.push(at);
  });
  return {
    labels: Uint8Array.from(known, (at) => (f32At(labels.answers, at) >= 0.5 ? 1 : 0)),
    scores: Float32Array.from(known, (at) => f32At(activated, at)),
  };
}

/** Whether the predicted class is right, with its probability: the top-label calibration of Guo et al. 2017. */
function topClass(classes: number, { labels, kept, decoded }: ScoredTask, mask: RowMask): ScoredAnswers {
  const score = (row: number): number => decodedScore(kept, classes, decoded, row);
  const rows = [...mask.keys()].filter((row) => mask[row] === 1 && !Number.isNaN(score(row)));
  return {
    name: null,
    labels: Uint8Array.from(rows, (row) => (labels.answers[row] === decoded[row] ? 1 : 0)),
    scores: Float32Array.from(rows, score),
  };
}

const BINS = 10;

/**
 * Calibration of a task's probabilities: of yes for a binary task, of every label for a multilabel (all its known
 * answers together), of the predicted class for a classification. The error is that of Guo et al., "On Calibration of
 * Modern Neural Networks", ICML 2017, over bins of equal width.
 * @param mask rows to take; default: those of the loss
 * @returns null for tasks without probabilities
 */
export function calibration(scored: ScoredTask, mask: RowMask = scored.lossMask, binCount = BINS): Calibration | null {
  const { spec } = scored.task;
  const choices = behaviourOf(spec).choices(spec);
  const answers = choices === null ? yesNoAnswers(scored, mask) : [topClass(choices.length, scored, mask)];
  return answers.length === 0 ? null : binned(answers, binCount);
}

function binned(answers: readonly ScoredAnswers[], binCount: number): Calibration {
  const sums = Array.from({ length: binCount }, () => ({ count: 0, scores: 0, yes: 0 }));
  for (const { labels, scores } of answers) {
    scores.forEach((score, i) => {
      const bin = sums[Math.min(binCount - 1, Math.floor(score * binCount))];
      if (bin === undefined) return;
      bin.count += 1;
      bin.scores += score;
      bin.yes += u8At(labels, i);
    });
  }
  const count = sums.reduce((total, bin) => total + bin.count, 0);
  const gaps = sums.reduce((total, bin) => total + Math.abs(bin.yes - bin.scores), 0);
  return {
    bins: sums.map((bin, i) => ({
      lower: i / binCount,
      upper: (i + 1) / binCount,
      count: bin.count,
      meanScore: bin.count === 0 ? null : bin.scores / bin.count,
      shareOfYes: bin.count === 0 ? null : bin.yes / bin.count,
    })),
    count,
    expectedCalibrationError: count === 0 ? null : gaps / count,
  };
}
