/** @file What an audit learns of one task's labels: how many are wrong, how errors are spread, what a change costs. */
import { at, f32At, f64At, i32At, u8At } from "../../arrays.js";
import { allLogits } from "../../tasks/index.js";
import type { ScoredTask } from "../score.js";
import { type ConfidentJoint, confidentJoint } from "./confident-learning.js";
import { type AnswerForm, answerForm, choiceProbabilities, numbersOf } from "./forms.js";
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
  /** 1 where confident learning counts a row as another value than its label. Shape [rows]. */
  readonly confident: Uint8Array;
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
  const rows = rowsThat(scored.lossMask.length, (row) => scored.lossMask[row] === 1 && isAnswered(scored, row));
  if (form === null || rows.length === 0) return null;
  const asked = scored.activeTruth.reduce((sum, active) => sum + active, 0);
  const learnt = learn(scored, form, rows);
  const rate = learnt.errorRates.reduce((sum, one) => sum + one, 0) / learnt.errorRates.length;
  const own = price ?? Math.log((1 - rate) / rate) + Math.max(0, Math.log(learnt.values - 1));
  const empty = (asked - rows.length + 0.5) / (asked + 1);
  return { form, ...learnt, price: own, missing: Math.min(own, -Math.log(empty)) };
}

type Learnt = Pick<TaskModel, "errorRates" | "scales" | "confident"> & { readonly values: number };

/** Whether the network's answer to a row is a number in every part: of NaN nothing can be learnt. */
export function isAnswered({ decoded, labelled }: ScoredTask, row: number): boolean {
  const width = decoded.length / labelled.length;
  for (let i = row * width; i < (row + 1) * width; i++) if (Number.isNaN(f32At(decoded, i))) return false;
  return true;
}

function rowsThat(count: number, holds: (row: number) => boolean): Int32Array {
  const rows: Int32Array = new Int32Array(count);
  let kept = 0;
  for (let row = 0; row < count; row++) if (holds(row)) rows[kept++] = row;
  return rows.slice(0, kept);
}

function learn(scored: ScoredTask, form: AnswerForm, rows: Int32Array): Learnt {
  const confident = new Uint8Array(scored.lossMask.length);
  switch (form.kind) {
    case "choice": {
      const { values } = form;
      const probabilities = new Float64Array(rows.length * values);
      for (let i = 0; i < rows.length; i++) {
        probabilities.set(choiceProbabilities(scored, values, i32At(rows, i)), i * values);
      }
      const labels = Int32Array.from(rows, (row) => f32At(scored.labels.answers, row));
      const joint = confidentJoint((i, value) => f64At(probabilities, i * values + value), labels, values);
      mark(confident, joint, rows);
      return { errorRates: [rateOf(joint)], scales: [], values, confident };
    }
    case "questions":
      return learnQuestions(scored, form.width, rows, confident);
    case "numbers":
      return learnNumbers(scored, form.width, rows, confident);
    default:
      return form satisfies never;
  }
}

function learnNumbers(scored: ScoredTask, width: number, rows: Int32Array, confident: Uint8Array): Learnt {
  const { answers, unitScale } = scored.labels;
  const labels = Array.from({ length: width }, () => new Float64Array(rows.length));
  const errors = labels.map((own) => new Float64Array(own.length));
  for (let i = 0; i < rows.length; i++) {
    const row = i32At(rows, i);
    const label = numbersOf(scored.task.spec, answers, unitScale, row);
    const answer = numbersOf(scored.task.spec, scored.decoded, unitScale, row);
    for (let axis = 0; axis < width; axis++) {
      at(labels, axis)[i] = at(label, axis);
      at(errors, axis)[i] = at(label, axis) - at(answer, axis);
    }
  }
  const scales = labels.map((own, axis) => errorScale(at(errors, axis), largest(own) - smallest(own)));
  const costs = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    for (let axis = 0; axis < width; axis++) {
      costs[i] = f64At(costs, i) + errorCost(f64At(at(errors, axis), i), at(scales, axis));
    }
  }
  const values = scales.reduce((product, scale) => product * scale.values, 1);
  const rate = bounded(wrongShare(costs, values));
  const odds = Math.log((1 - rate) / rate) + Math.log(values);
  for (let i = 0; i < rows.length; i++) if (f64At(costs, i) > odds) confident[i32At(rows, i)] = 1;
  return { errorRates: [rate], scales, values, confident };
}

function learnQuestions(scored: ScoredTask, width: number, rows: Int32Array, confident: Uint8Array): Learnt {
  const { activated } = allLogits(scored.kept);
  const { answers } = scored.labels;
  const errorRates = Array.from({ length: width }, (_, question) => {
    const known = rows.filter((row) => !Number.isNaN(answers[row * width + question]));
    const yesOf = (i: number): number => f32At(activated, i32At(known, i) * width + question);
    const labels = Uint8Array.from(known, (row) => (f32At(answers, row * width + question) >= 0.5 ? 1 : 0));
    const joint = confidentJoint((i, value) => (value === 1 ? yesOf(i) : 1 - yesOf(i)), labels, 2);
    mark(confident, joint, known);
    return rateOf(joint);
  });
  return { errorRates, scales: [], values: 2 ** Math.min(width, 30), confident };
}

function mark(confident: Uint8Array, { isIssue }: ConfidentJoint, rows: Int32Array): void {
  for (let i = 0; i < rows.length; i++) if (u8At(isIssue, i) === 1) confident[i32At(rows, i)] = 1;
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

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}

function smallest(values: Float64Array): number {
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
