/** @file What an answer of each kind may be, and how likely the scores of the network make it. */
import { f32At } from "../arrays.js";
import { denormalize, type UnitScale, unitScaleAt } from "../decoding/decoders.js";
import { unitAt } from "../decoding/figures.js";
import type { BoxSpec, PointSpec, SpecOf, TaskKind, TaskSpec } from "../flow/graph.js";

/** One of several: a class, a level, or no and yes. */
export interface ChoiceSpace<Spec extends TaskSpec> {
  readonly form: "choice";
  /** How many there are; answers are their numbers, from 0. */
  count(spec: Spec): number;
  /** Whether they are in an order, so that what lies between two of them belongs to both. */
  readonly isOrdered: boolean;
  /** @param activated [rows, logitWidth], probabilities */
  probability(spec: Spec, activated: Float32Array, row: number, choice: number): number;
}

/** Several labels, each there or not. */
export interface LabelSpace<Spec extends TaskSpec> {
  readonly form: "labels";
  count(spec: Spec): number;
  /** That the label is there. @param activated [rows, logitWidth], probabilities */
  probability(spec: Spec, activated: Float32Array, row: number, label: number): number;
}

/** Numbers, of which the scores do not say how sure they are. */
export interface NumberSpace<Spec extends TaskSpec> {
  readonly form: "numbers";
  count(spec: Spec): number;
  /** Label units per unit in which errors of different rows compare. @param i which of the numbers */
  scale(spec: Spec, unitScale: UnitScale, row: number, i: number): number;
  /** The least and the greatest that a label may be, in label units. */
  bounds(spec: Spec, unitScale: UnitScale, row: number): readonly [low: number, high: number];
}

export type AnswerSpace<Spec extends TaskSpec> = ChoiceSpace<Spec> | LabelSpace<Spec> | NumberSpace<Spec>;

/** Of an ordinal: that its level is at least this one, never more than that it is at least a lower one. */
function atLeast(levels: number, activated: Float32Array, row: number, level: number): number {
  if (level >= levels) return 0;
  let least = 1;
  for (let i = 0; i < level; i++) least = Math.min(least, f32At(activated, row * (levels - 1) + i));
  return least;
}

const ANYWHERE = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

// a figure may reach beyond the picture
const ofPicture = {
  form: "numbers",
  scale: (spec: BoxSpec | PointSpec, unitScale: UnitScale, row: number, i: number) => unitAt(spec, unitScale, row, i),
  bounds: () => ANYWHERE,
} as const;

const spaces: { readonly [K in TaskKind]: AnswerSpace<SpecOf<K>> | null } = {
  binary: {
    form: "choice",
    isOrdered: false,
    count: () => 2,
    probability: (_spec, activated, row, choice) => (choice === 1 ? f32At(activated, row) : 1 - f32At(activated, row)),
  },
  classification: {
    form: "choice",
    isOrdered: false,
    count: ({ classes }) => classes.length,
    probability: ({ classes }, activated, row, choice) => f32At(activated, row * classes.length + choice),
  },
  ordinal: {
    form: "choice",
    isOrdered: true,
    count: ({ levels }) => levels.length,
    probability: ({ levels: { length } }, activated, row, choice) =>
      atLeast(length, activated, row, choice) - atLeast(length, activated, row, choice + 1),
  },
  multilabel: {
    form: "labels",
    count: ({ labels }) => labels.length,
    probability: ({ labels }, activated, row, label) => f32At(activated, row * labels.length + label),
  },
  boundedRegression: {
    form: "numbers",
    count: () => 1,
    scale: (_spec, unitScale, row) => unitScaleAt(unitScale, row),
    bounds: (spec, unitScale, row) => [
      denormalize(spec, 0, unitScaleAt(unitScale, row)),
      denormalize(spec, 1, unitScaleAt(unitScale, row)),
    ],
  },
  regression: {
    form: "numbers",
    count: () => 1,
    scale: () => 1,
    bounds: () => ANYWHERE,
  },
  box: { ...ofPicture, count: () => 4 },
  point: { ...ofPicture, count: () => 2 },
  maskedLanguageModeling: null,
  known: null,
  custom: null,
};

/** What an answer of a task may be; null where nothing is known of it. Pass the same spec to its functions. */
export function answerSpaceOf<S extends TaskSpec>(spec: S): AnswerSpace<S> | null {
  // the table pairs every kind with its own spec; the compiler cannot follow the index
  return spaces[spec.kind] as unknown as AnswerSpace<S> | null;
}
