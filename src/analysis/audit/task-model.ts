/** @file What an audit learns of one task's labels: how many are wrong, how errors are spread, what a change costs. */
import { at } from "../../arrays.js";
import type { ScoredTask } from "../score.js";
import { type ConfidentJoint, confidentJoint } from "./confident-learning.js";
import { type AnswerForm, answerForm, choiceProbabilities, numbersOf, questionProbabilities } from "./forms.js";
import { type ErrorScale, errorCost, errorScale, wrongShare } from "./residuals.js";

/** What is known of one task's labels. */
export interface TaskModel {
  readonly form: AnswerForm;
  /** Share of labels that are wrong; of questions, of each. */
  readonly errorRates: readonly number[];
  /** Of numbers, along each axis. */
  readonly scales: readonly ErrorScale[];
  /** What a changed cell costs, in nats. */
  readonly price: number;
  /** What an empty cell costs where the question is asked. */
  readonly missing: number;
  /** Rows that confident learning counts as another value than their label. */
  readonly confident: ReadonlySet<number>;
}

// no label is beyond doubt, and a task of which most labels are wrong teaches nothing
const LEAST_RATE = 1e-3;
/** The largest share of wrong labels that is taken for one: beyond, a network that knows too little says the same. */
export const MOST_RATE = 0.3;

/**
 * Learns from the rows that are asked and labelled.
 * @param price of a changed cell in nats, for all tasks alike; default: log((1 − ε) / ε) + log(V − 1) for a share ε of
 *   wrong labels and V values that can be told apart
 * @returns null where the task is not audited, or has no such row
 */
export function taskModel(scored: ScoredTask, price?: number): TaskModel | null {
  const form = answerForm(scored.task.spec);
  const rows = [...scored.lossMask.keys()].filter((row) => scored.lossMask[row] === 1);
  if (form === null || rows.length === 0) return null;
  const asked = scored.activeTruth.reduce((sum, active) => sum + active, 0);
  const learnt = learn(scored, form, rows);
  const rate = learnt.errorRates.reduce((sum, one) => sum + one, 0) / learnt.errorRates.length;
  const own = price ?? Math.log((1 - rate) / rate) + Math.max(0, Math.log(learnt.values - 1));
  const empty = (asked - rows.length + 0.5) / (asked + 1);
  return { form, ...learnt, price: own, missing: Math.min(own, -Math.log(empty)) };
}

type Learnt = Pick<TaskModel, "errorRates" | "scales" | "confident"> & { readonly values: number };

function learn(scored: ScoredTask, form: AnswerForm, rows: readonly number[]): Learnt {
  const { answers, unitScale } = scored.labels;
  switch (form.kind) {
    case "choice": {
      const joint = confidentJoint(
        rows.map((row) => choiceProbabilities(scored, form.values, row)),
        rows.map((row) => at(answers, row)),
        form.values,
      );
      return { errorRates: [rateOf(joint)], scales: [], values: form.values, confident: issuesOf(joint, rows) };
    }
    case "questions":
      return learnQuestions(scored, form.width, rows);
    case "numbers": {
      const labels = rows.map((row) => numbersOf(scored.task.spec, answers, unitScale, row));
      const errors = rows.map((row, i) => {
        const answered = numbersOf(scored.task.spec, scored.decoded, unitScale, row);
        return at(labels, i).map((label, axis) => label - at(answered, axis));
      });
      const scales = Array.from({ length: form.width }, (_, axis) => {
        const own = labels.map((label) => at(label, axis));
        return errorScale(
          errors.map((error) => at(error, axis)),
          largest(own) - smallest(own),
        );
      });
      const costs = errors.map((error) => numbersCost(error, scales));
      const values = scales.reduce((product, scale) => product * scale.values, 1);
      const rate = bounded(wrongShare(costs, values));
      const odds = Math.log((1 - rate) / rate) + Math.log(values);
      const confident = new Set(rows.filter((_, i) => at(costs, i) > odds));
      return { errorRates: [rate], scales, values, confident };
    }
    default:
      return form satisfies never;
  }
}

function learnQuestions(scored: ScoredTask, width: number, rows: readonly number[]): Learnt {
  const confident = new Set<number>();
  const errorRates = Array.from({ length: width }, (_, question) => {
    const known = rows.filter((row) => !Number.isNaN(scored.labels.answers[row * width + question]));
    const joint = confidentJoint(
      known.map((row) => {
        const yes = at(questionProbabilities(scored, width, row), question);
        return [1 - yes, yes];
      }),
      known.map((row) => (at(scored.labels.answers, row * width + question) >= 0.5 ? 1 : 0)),
      2,
    );
    for (const row of issuesOf(joint, known)) confident.add(row);
    return rateOf(joint);
  });
  return { errorRates, scales: [], values: 2 ** Math.min(width, 30), confident };
}

function issuesOf({ isIssue }: ConfidentJoint, rows: readonly number[]): Set<number> {
  return new Set(rows.filter((_, i) => isIssue[i] === true));
}

function rateOf({ errorRate, isIssue }: ConfidentJoint): number {
  return bounded((errorRate * isIssue.length + 0.5) / (isIssue.length + 1));
}

function bounded(rate: number): number {
  return Math.min(MOST_RATE, Math.max(LEAST_RATE, rate));
}

/** Cost of the errors along all axes. */
export function numbersCost(errors: readonly number[], scales: readonly ErrorScale[]): number {
  return errors.reduce((sum, error, axis) => sum + errorCost(error, at(scales, axis)), 0);
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
}

// a network is never surer than this: what it says of a single row may be wrong for reasons that no label shows
const LEAST_PROBABILITY = 1e-4;

/**
 * Probabilities of the true values from those that a network learnt from labels of which a share is wrong, every other
 * value as likely: p̃ = (1 − ε) p + ε (1 − p) / (K − 1), solved for p.
 */
export function withoutNoise(probabilities: readonly number[], errorRate: number): number[] {
  const others = probabilities.length - 1;
  if (others === 0) return [1];
  const floor = errorRate / others;
  const clean = probabilities.map((probability) =>
    Math.max(LEAST_PROBABILITY, (probability - floor) / (1 - errorRate - floor)),
  );
  const sum = clean.reduce((total, probability) => total + probability, 0);
  return clean.map((probability) => probability / sum);
}
