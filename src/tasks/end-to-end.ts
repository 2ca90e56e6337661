/** @file How answers of each kind are counted that a user of the network gets: asked or not, and right or not. */
import { f32At } from "../arrays.js";
import { unitScaleAt } from "../decoding/decoders.js";
import type { BoundedRegressionSpec, RegressionSpec, TaskSpec } from "../flow/graph.js";
import { type AnswerColumn, answerWidth } from "../flow/masks.js";
import type { Scored } from "./scored.js";

/** Metrics that only end-to-end rows have; of all of them more is better. */
export const END_TO_END_METRICS = ["within_tolerance", "asked_precision", "asked_recall", "tree_accuracy"] as const;

/** Answers beside labels. */
export type Answered<Spec extends TaskSpec> = Pick<Scored<Spec>, "spec" | "decoded" | "labels">;

/** What is right, and what precision and recall are of, for one kind of task. */
export interface EndToEndForm<Spec extends TaskSpec> {
  /** Metric of the share of answers that are right. */
  readonly rightness: string;
  /** What precision and recall are of: classes or labels by name, null for the yes of the task itself; none of numbers. */
  targets(spec: Spec): readonly (string | null)[];
  /** Whether an answer says the i-th target; undefined where that is not known. */
  says(spec: Spec, answers: AnswerColumn, row: number, i: number): boolean | undefined;
  /**
   * Share of one labelled answer that is right, from 0 to 1.
   * @param tolerance of numbers, as a share of their range
   */
  right(answered: Answered<Spec>, row: number, tolerance: number): number;
  /** Distance from the label; null where answers are no numbers. */
  readonly error: ((answered: Answered<Spec>, row: number) => number) | null;
}

/** Of the known numbers of a label, the share that is answered. */
function shareEqual({ spec, decoded, labels: { answers } }: Answered<TaskSpec>, row: number): number {
  const width = answerWidth(spec);
  let [known, equal] = [0, 0];
  for (let at = row * width; at < (row + 1) * width; at++) {
    if (Number.isNaN(answers[at])) continue;
    known++;
    if (decoded[at] === answers[at]) equal++;
  }
  return known === 0 ? Number.NaN : equal / known;
}

function distance({ decoded, labels }: Answered<TaskSpec>, row: number): number {
  return Math.abs(f32At(decoded, row) - f32At(labels.answers, row));
}

const knownTruth = (answer: number): boolean | undefined => (Number.isNaN(answer) ? undefined : answer >= 0.5);

/** A yes or no. */
export const endToEndTruth: EndToEndForm<TaskSpec> = {
  rightness: "accuracy",
  targets: () => [null],
  says: (_spec, answers, row) => knownTruth(f32At(answers, row)),
  right: shareEqual,
  error: null,
};

/** One of several classes. */
export function endToEndClass<Spec extends TaskSpec>(
  rightness: string,
  targets: (spec: Spec) => readonly string[],
  isNumber: boolean,
): EndToEndForm<Spec> {
  return {
    rightness,
    targets,
    says(_spec, answers, row, i) {
      const answer = f32At(answers, row);
      return Number.isNaN(answer) ? undefined : answer === i;
    },
    right: shareEqual,
    error: isNumber ? distance : null,
  };
}

/** Several labels at once. */
export function endToEndLabels<Spec extends TaskSpec>(targets: (spec: Spec) => readonly string[]): EndToEndForm<Spec> {
  return {
    rightness: "accuracy",
    targets,
    says: (spec, answers, row, i) => knownTruth(f32At(answers, row * targets(spec).length + i)),
    right: shareEqual,
    error: null,
  };
}

/** A number, which is right within a tolerance. @param range in label units, of one row */
function endToEndNumber<Spec extends TaskSpec>(
  range: (answered: Answered<Spec>, row: number) => number,
): EndToEndForm<Spec> {
  return {
    rightness: "within_tolerance",
    targets: () => [],
    says: () => undefined,
    right: (answered, row, tolerance) => Number(distance(answered, row) <= tolerance * range(answered, row)),
    error: distance,
  };
}

/** A number within bounds. */
export const endToEndBounded: EndToEndForm<BoundedRegressionSpec> = endToEndNumber(
  ({ spec, labels }, row) => (spec.max - spec.min) * unitScaleAt(labels.unitScale, row),
);

/** A figure on the picture, right by how it lies to the labelled one. */
export function endToEndFigure<Spec extends TaskSpec>(
  rightness: string,
  isRight: (answered: Answered<Spec>, row: number, tolerance: number) => boolean,
): EndToEndForm<Spec> {
  return {
    rightness,
    targets: () => [],
    says: () => undefined,
    right: (answered, row, tolerance) => Number(isRight(answered, row, tolerance)),
    error: null,
  };
}

// of a normal distribution 95 % lie within four standard deviations
const DEVIATIONS = 4;

/** A number without bounds: four standard deviations of its labels stand for the range. */
export const endToEndUnbounded: EndToEndForm<RegressionSpec> = endToEndNumber(
  ({ spec }) => DEVIATIONS * (spec.statistics?.deviation ?? Number.NaN),
);
