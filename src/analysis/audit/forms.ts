/** @file What an audit has to know of a task's answers: which values there are, and how likely the network finds each. */
import { f32At } from "../../arrays.js";
import { unitScaleAt } from "../../decoding/decoders.js";
import { isPerElement, type TaskSpec } from "../../flow/graph.js";
import type { AnswerColumn } from "../../flow/masks.js";
import { allLogits, behaviourOf, type Labels } from "../../tasks/index.js";
import type { ScoredTask } from "../score.js";

/** How answers of a task are audited. */
export type AnswerForm =
  /** One of several values, 0 to `values` − 1. */
  | { readonly kind: "choice"; readonly values: number }
  /** Several yes-or-no questions, or one. */
  | { readonly kind: "questions"; readonly width: number }
  /** Numbers, of which errors have a size. */
  | { readonly kind: "numbers"; readonly width: number };

/**
 * null where nobody knows which answers are right (tasks of the project's own), where the table answers, and for tasks
 * per token, which are not audited.
 */
export function answerForm(spec: TaskSpec): AnswerForm | null {
  const behaviour = behaviourOf(spec);
  if (behaviour.answeredBy !== "network" || behaviour.endToEnd === null || isPerElement(spec)) return null;
  const classes = behaviour.classes(spec);
  if (classes !== null) return { kind: "choice", values: classes.length };
  const questions = behaviour.questions(spec);
  if (questions.length > 0) return { kind: "questions", width: questions.length };
  return { kind: "numbers", width: behaviour.figure === null ? 1 : behaviour.figure.kind === "box" ? 4 : 2 };
}

/** Probability of each value of a choice, in one row. */
export function choiceProbabilities({ task: { spec }, kept }: ScoredTask, values: number, row: number): number[] {
  const { activated } = allLogits(kept);
  if (behaviourOf(spec).choices(spec) !== null) return Array.from(activated.subarray(row * values, (row + 1) * values));
  // levels: the probability of at least each one but the lowest, which need not fall from one to the next
  const atLeast = [1];
  for (let level = 1; level < values; level++) {
    atLeast.push(Math.min(atLeast[level - 1] ?? 1, f32At(activated, row * (values - 1) + level - 1)));
  }
  return atLeast.map((probability, level) => probability - (atLeast[level + 1] ?? 0));
}

/** Probability of yes of each question, in one row. */
export function questionProbabilities({ kept }: ScoredTask, width: number, row: number): number[] {
  return Array.from(allLogits(kept).activated.subarray(row * width, (row + 1) * width));
}

/** An answer in numbers that are comparable from row to row: as it is, or in fractions of the picture. */
export function numbersOf(
  spec: TaskSpec,
  answers: AnswerColumn,
  unitScale: Labels["unitScale"],
  row: number,
): number[] {
  const { figure } = behaviourOf(spec);
  if (figure !== null) return [...figure.read(spec, answers, row, unitScale)];
  return [f32At(answers, row) / unitScaleAt(unitScale, row)];
}
