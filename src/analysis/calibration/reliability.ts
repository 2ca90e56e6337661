/** @file Calibration: how often answers given with probability p are right. */
import { f32At, u8At } from "../../arrays.js";
import type { RowMask } from "../../flow/masks.js";
import { allLogits, behaviourOf, decodedScore } from "../../tasks/index.js";
import { sortByScore } from "../../tasks/metrics/sort.js";
import type { ScoredTask } from "../score.js";

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
  /** Probabilities in [lower, upper), the last bin includes 1; of bins of equal mass the lowest and highest in it. */
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

/** Bins of equal width over [0, 1]. */
export function binned(answers: readonly ScoredAnswers[], binCount = BINS): Calibration {
  const sums = Array.from({ length: binCount }, (_, i) => emptyBin(i / binCount, (i + 1) / binCount));
  for (const { labels, scores } of answers) {
    scores.forEach((score, i) => {
      const bin = sums[Math.min(binCount - 1, Math.floor(score * binCount))];
      if (bin !== undefined) addTo(bin, score, u8At(labels, i));
    });
  }
  const bins = sums.map(finished);
  return {
    bins,
    count: bins.reduce((total, bin) => total + bin.count, 0),
    expectedCalibrationError: errorOf(bins),
  };
}

/**
 * Bins of equally many answers, in the order of their scores. Equal scores stay together, so that a bin has more where
 * they do not come out even.
 * @param scores [answers] in [0, 1], no NaN
 * @param labels [answers], 0 or 1
 */
export function equalMassBins(scores: Float32Array, labels: Uint8Array, binCount = BINS): CalibrationBin[] {
  const ranked = sortByScore(scores, labels);
  const bins: BinSums[] = [];
  let bin = emptyBin(Number.NaN, Number.NaN);
  // where the bin ends, in answers from the first
  let end = scores.length / binCount;
  for (let i = 0; i < scores.length; i++) {
    const score = f32At(ranked.scores, i);
    if (bin.count === 0) bin.lower = score;
    bin.upper = score;
    addTo(bin, score, u8At(ranked.truths, i));
    const done = i + 1;
    if (done < scores.length && (done < end || ranked.scores[done] === score)) continue;
    bins.push(bin);
    end = (Math.floor((done * binCount) / scores.length + 1) * scores.length) / binCount;
    bin = emptyBin(Number.NaN, Number.NaN);
  }
  return bins.map(finished);
}

/** Σ over bins of count/total × |share of yes − mean probability|; null without answers. */
export function errorOf(bins: readonly CalibrationBin[]): number | null {
  const count = bins.reduce((total, bin) => total + bin.count, 0);
  const gap = ({ count: own, meanScore, shareOfYes }: CalibrationBin): number =>
    own * Math.abs((shareOfYes ?? 0) - (meanScore ?? 0));
  return count === 0 ? null : bins.reduce((total, bin) => total + gap(bin), 0) / count;
}

interface BinSums {
  lower: number;
  upper: number;
  count: number;
  scores: number;
  yes: number;
}

function emptyBin(lower: number, upper: number): BinSums {
  return { lower, upper, count: 0, scores: 0, yes: 0 };
}

function addTo(bin: BinSums, score: number, yes: number): void {
  bin.count += 1;
  bin.scores += score;
  bin.yes += yes;
}

function finished({ lower, upper, count, scores, yes }: BinSums): CalibrationBin {
  const isEmpty = count === 0;
  return { lower, upper, count, meanScore: isEmpty ? null : scores / count, shareOfYes: isEmpty ? null : yes / count };
}
