/** @file Thresholds that are tried: the gaps between scores, or as many of them as there is room for. */
import { at, f32At, f64At, u8At } from "../../arrays.js";
import type { FlowGraph } from "../../flow/graph.js";
import { behaviourOf, type Thresholds } from "../../tasks/index.js";
import { sortByScore } from "../../tasks/metrics/sort.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import { middleOf } from "../threshold.js";

/** Thresholds tried of each question. */
export const MOST_CANDIDATES = 64;

/** Bin of a score that is NaN: nothing is decided, whatever the threshold. */
export const NO_SCORE = 255;

/** One yes-or-no question, whose threshold is chosen together with all others. */
export interface ChainQuestion {
  readonly task: number;
  /** Which of the task's questions. */
  readonly place: number;
  /** Its name; null: the task itself. */
  readonly label: string | null;
  /** Ascending, at most {@link MOST_CANDIDATES}. */
  readonly candidates: Float64Array;
  /** Of each row (token), how many candidates its score reaches: the i-th decides yes where it is above i. */
  readonly bins: Uint8Array;
  /** Place of the threshold that the split was scored with. */
  readonly start: number;
}

/** Whether the thresholds of a task are those of its yes-or-no questions, one for each number of its answer. */
function isDecided({ task: { spec }, kept }: ScoredTask): boolean {
  const behaviour = behaviourOf(spec);
  return behaviour.answeredBy === "network" && kept.kind === "logits" && behaviour.questions(spec).length > 0;
}

/** All questions of a flow, in its order. @param scored with the thresholds to begin with, which are candidates */
export function chainQuestions(graph: FlowGraph, scored: ScoredSplit): ChainQuestion[] {
  return graph.tasks.flatMap(({ index, spec }): ChainQuestion[] => {
    const task = at(scored.tasks, index);
    if (!isDecided(task)) return [];
    const names = behaviourOf(spec).questions(spec);
    return names.map((label, place) => {
      const scores = scoresOf(task, place, names.length);
      const start = at(task.thresholds, place);
      const candidates = candidatesOf(scores, dueOf(task, scores), start);
      const bins = binsOf(scores, candidates);
      return { task: index, place, label, candidates, bins, start: candidates.indexOf(start) };
    });
  });
}

function scoresOf({ kept }: ScoredTask, place: number, width: number): Float32Array {
  if (kept.kind !== "logits") return new Float32Array(0);
  const { activated } = kept;
  return Float32Array.from({ length: activated.length / width }, (_, row) => f32At(activated, row * width + place));
}

/** Where the question is due and labelled its threshold matters most; where that is nowhere, all scores are alike. */
function dueOf({ lossMask }: ScoredTask, scores: Float32Array): Float32Array {
  const due = scores.filter((score, row) => u8At(lossMask, row) === 1 && !Number.isNaN(score));
  return due.length > 0 ? due : scores.filter((score) => !Number.isNaN(score));
}

/** Below all scores, above all, and the middles between neighbours: of too many, those at equal distances in rank. */
function candidatesOf(all: Float32Array, due: Float32Array, start: number): Float64Array {
  const { scores } = sortByScore(due, new Uint8Array(due.length));
  const distinct = scores.filter((score, i) => i === 0 || score !== scores[i - 1]);
  // biome-ignore lint/complexity/useMathMinMax: the largest of numbers and NaN is NaN, which no score must become
  const highest = all.reduce((most, score) => (score > most ? score : most), 0);
  const room = MOST_CANDIDATES - 3;
  const gaps = Math.max(0, distinct.length - 1);
  const taken = Math.min(gaps, room);
  const middles = Array.from({ length: taken }, (_, i) => {
    const gap = gaps <= room ? i : gapAtRank(distinct, scores, (i + 1) / (taken + 1));
    return middleOf({ low: f32At(distinct, gap), high: f32At(distinct, gap + 1) });
  });
  const never = middleOf({ low: highest, high: Math.max(1, highest) });
  return Float64Array.from(new Set([0, ...middles, never, start])).sort();
}

/** The gap below the score of a rank among all scores. @param share of the ranks, from 0 to 1 */
function gapAtRank(distinct: Float32Array, scores: Float32Array, share: number): number {
  const score = f32At(scores, Math.floor(share * (scores.length - 1)));
  let [low, high] = [0, distinct.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (f32At(distinct, middle) < score) low = middle + 1;
    else high = middle;
  }
  return Math.min(low, distinct.length - 2);
}

function binsOf(scores: Float32Array, candidates: Float64Array): Uint8Array {
  return Uint8Array.from(scores, (score) => {
    if (Number.isNaN(score)) return NO_SCORE;
    let [low, high] = [0, candidates.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (score >= f64At(candidates, middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

/** The thresholds of all tasks with those of the questions put in. @param choice place among each question's candidates */
export function chosenThresholds(
  thresholds: readonly Thresholds[],
  questions: readonly ChainQuestion[],
  choice: readonly number[],
): Thresholds[] {
  const chosen = thresholds.map((own) => [...own]);
  questions.forEach(({ task, place, candidates }, i) => {
    at(chosen, task)[place] = f64At(candidates, at(choice, i));
  });
  return chosen;
}
