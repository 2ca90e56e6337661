/** @file How strange an answer is to the network, and the answers that are not too strange. */
import { f32At } from "../../arrays.js";
import type { TaskSpec } from "../../flow/graph.js";
import { answerSpaceOf, type NumberSpace } from "../../tasks/answer-space.js";
import { allLogits } from "../../tasks/index.js";
import type { ScoredTask } from "../score.js";

/**
 * Of the labelled answer of one row: 1 − its score, as Sadinle, Lei & Wasserman, "Least Ambiguous Set-Valued Classifiers
 * with Bounded Error Levels" (2019) have it; of several labels that of the strangest; of numbers the largest distance, in
 * units that are the same for all rows.
 * @returns NaN where the label is not known in all its parts, or the network says NaN
 */
export function strangenessOf({ task: { spec }, kept, decoded, labels }: ScoredTask, row: number): number {
  const space = answerSpaceOf<TaskSpec>(spec);
  if (space === null) return Number.NaN;
  const count = space.form === "choice" ? 1 : space.count(spec);
  let most = 0;
  for (let i = 0; i < count; i++) {
    const label = f32At(labels.answers, row * count + i);
    // NaN wins every Math.max
    if (Number.isNaN(label)) return label;
    if (space.form === "numbers") {
      const error = Math.abs(label - f32At(decoded, row * count + i));
      most = Math.max(most, error / space.scale(spec, labels.unitScale, row, i));
      continue;
    }
    const { activated } = allLogits(kept);
    const score =
      space.form === "choice"
        ? space.probability(spec, activated, row, label)
        : yesOrNo(space.probability(spec, activated, row, i), label >= 0.5);
    most = Math.max(most, 1 - score);
  }
  return most;
}

function yesOrNo(yes: number, isYes: boolean): number {
  return isYes ? yes : 1 - yes;
}

/** The answers to one question about one row that are within a limit of strangeness. */
export type AnswersWithin =
  /** Of each choice whether it is. */
  | { readonly form: "choice"; readonly within: readonly boolean[] }
  /** Of each label whether "there" is, and whether "not there" is. */
  | { readonly form: "labels"; readonly yes: readonly boolean[]; readonly no: readonly boolean[] }
  /** Of each number from where to where, in label units. */
  | { readonly form: "numbers"; readonly low: readonly number[]; readonly high: readonly number[] };

/**
 * All answers that are no stranger than the limit. There is always one: the likeliest, or the decoded number. Of choices
 * in an order also those between two of them.
 * @returns null of tasks whose answers nothing is known of
 */
export function answersWithin(scored: ScoredTask, row: number, limit: number): AnswersWithin | null {
  const { spec } = scored.task;
  const space = answerSpaceOf<TaskSpec>(spec);
  if (space === null) return null;
  if (space.form === "numbers") return numbersWithin(space, scored, row, limit);
  const { activated } = allLogits(scored.kept);
  const scores = Array.from({ length: space.count(spec) }, (_, i) => space.probability(spec, activated, row, i));
  if (space.form === "choice") return { form: "choice", within: choicesWithin(scores, limit, space.isOrdered) };
  return {
    form: "labels",
    yes: scores.map((yes) => isWithin(yes, limit) || yes >= 0.5),
    no: scores.map((yes) => isWithin(1 - yes, limit) || yes < 0.5),
  };
}

/** Of a score that is NaN nothing is known, so that nothing is ruled out. */
function isWithin(score: number, limit: number): boolean {
  return Number.isNaN(score) || 1 - score <= limit;
}

function choicesWithin(scores: readonly number[], limit: number, isOrdered: boolean): boolean[] {
  const best = scores.reduce((top, score, i) => (score > (scores[top] ?? 0) ? i : top), 0);
  const within = scores.map((score, i) => isWithin(score, limit) || i === best);
  if (!isOrdered) return within;
  const [first, last] = [within.indexOf(true), within.lastIndexOf(true)];
  return within.map((_, i) => i >= first && i <= last);
}

function numbersWithin(
  space: NumberSpace<TaskSpec>,
  { task: { spec }, decoded, labels }: ScoredTask,
  row: number,
  limit: number,
): AnswersWithin {
  const count = space.count(spec);
  const [least, greatest] = space.bounds(spec, labels.unitScale, row);
  const ends = Array.from({ length: count }, (_, i) => {
    const answer = f32At(decoded, row * count + i);
    const reach = limit * space.scale(spec, labels.unitScale, row, i);
    if (Number.isNaN(answer)) return [least, greatest] as const;
    return [Math.max(least, answer - reach), Math.min(greatest, answer + reach)] as const;
  });
  return { form: "numbers", low: ends.map(([low]) => low), high: ends.map(([, high]) => high) };
}
