/** @file What every kind of task knows how to do: the columns of the behaviour table. */
import { f32At } from "../arrays.js";
import type { AnswerColumn, RowMask } from "../flow/masks.js";
import type { ConstantLogits } from "./constants.js";
import type { Likelihood, TaskKind, TaskSpec } from "../flow/graph.js";
import type { Member } from "./ensembles.js";
import type { EndToEndForm } from "./end-to-end.js";
import type { ErrorCost } from "./error-cost.js";
import type { Decoder, Thresholds, UnitScale } from "../decoding/decoders.js";
import type { MetricTable } from "./metrics/table.js";
import type { Labels, LogitView, Scored } from "./scored.js";

export type { Decoder, Described, Thresholds } from "../decoding/decoders.js";
export type { Labels, LogitView, MetricValue, Scored } from "./scored.js";

/**
 * Finds parameters of decoding.
 * @param scored the rows that count, decoded with the parameters so far
 * @param metric one of the task's tunable ones
 */
export type ParameterTuner<Spec extends TaskSpec> = (scored: Scored<Spec>, metric: string) => Thresholds;

/** Behaviour of one kind of task. Every function is pure and works on plain arrays. */
export interface TaskBehaviour<Spec extends TaskSpec> extends Decoder<Spec> {
  /**
   * What computes the logits: a dense layer, which heads of one feature share; one score, to which each logit adds a
   * bias of its own; layers of its own; or nothing.
   */
  head(spec: Spec): "dense" | "shared" | "custom" | "none";
  /** Names of the logits, for tables and trees; null for a single unnamed one. */
  logitNames(spec: Spec): readonly string[] | null;
  /** Names of the classes of which an answer is one, in the order of its numbers; null where it is no class. */
  classes(spec: Spec): readonly string[] | null;
  /** The classes where each has a logit, and the answer is that of the largest; null where it is no such choice. */
  choices(spec: Spec): readonly string[] | null;
  /** Its options, as pages about a flow show them. */
  options(spec: Spec): Readonly<Record<string, string | number>>;
  /** Problem with the task's own options, in words that follow its name; null if none. */
  problemWith(spec: Spec): string | null;

  /**
   * Reads one row's label.
   * @param cells one cell, or one per label for a multilabel with a column each; null = missing
   * @param scales label units per unit of the task, one for each of its image scales; NaN: not known yet
   * @param out receives answerWidth numbers at `at`; NaN = missing
   * @returns what is wrong with the cells, or null
   */
  parseLabel(
    spec: Spec,
    cells: readonly unknown[],
    scales: readonly number[],
    out: AnswerColumn,
    at: number,
  ): string | null;

  /**
   * What becomes of its labels where the picture is moved: they move with it, they stay, or nobody said although they
   * are parts of the picture.
   */
  onPicture(spec: Spec): "moves" | "stays" | "unsaid";
  /**
   * Ways of making one picture of two in which both their labels keep a meaning, each by its share; where there is
   * none, a mixed picture has no label.
   */
  mixedBy(spec: Spec): readonly Mixing[];
  /** The figure on the picture that an answer is, all by itself; null where it is none, or only a part of one. */
  readonly figure: Figure<Spec> | null;

  /** The spec with what its task needs to know of the labels that train it: the active ones of the train split. */
  fitted(spec: Spec, train: () => FitLabels): Spec;
  /** The spec as it was declared, without what was read with the data. */
  declared(spec: Spec): Spec;

  /** Loss terms that a row contributes: its known numbers, with the weights of their classes. */
  lossTerms(spec: Spec, labels: Labels, row: number): number;
  /**
   * Sum of a row's loss terms, without weight; NaN labels contribute nothing.
   * @param gradient receives ∂sum/∂logit at the row's place, if given
   */
  lossSum(spec: Spec, logits: LogitView, labels: Labels, row: number, gradient: Float32Array | null): number;

  /** The same loss as tensor ops can compute it; null: only JavaScript can. */
  lossForm(spec: Spec): LossForm | null;
  /** What an activated number should be, for a loss form; NaN where that is unknown. @param i which of the row's logits */
  target(spec: Spec, labels: Labels, row: number, i: number): number;
  /** How much that counts, beside the other numbers of the row and other rows; usually 1. */
  targetWeight(spec: Spec, labels: Labels, row: number, i: number): number;

  /** Names of the numbers after activation that a table of answers shows beside them. */
  scoreNames(spec: Spec): readonly string[];
  /** Names of the yes-or-no questions that it consists of, each with a threshold; null names the task itself. */
  questions(spec: Spec): readonly (string | null)[];
  /** What tunes parameters that are no thresholds of questions; null if there are none. */
  tuner(spec: Spec): ParameterTuner<Spec> | null;

  /**
   * What a predictor that says the same of every row may say, learnt from labels: of each metric the best of these is
   * the value that a network has to beat. Empty where there is none.
   * @param mask rows of `labels` that count
   */
  constants(spec: Spec, labels: Labels, mask: RowMask): readonly ConstantLogits[];

  /** Logits of what several networks say together, in terms of `spec`: those of the mean of their scores. */
  ensemble(spec: Spec, members: readonly Member<Spec>[]): Float32Array;

  /** Whether it has rows in the evaluation of valid and test. */
  isEvaluated(spec: Spec): boolean;
  /** Its metrics, each a row; the loss, which every task has, is none of them. */
  readonly metrics: MetricTable<Spec>;
  /** Name of the metric by which the task is judged first; null if it has none. */
  headlineMetric(spec: Spec): string | null;
  /** How the answers are counted that a user gets; null where it is not known which are right. */
  readonly endToEnd: EndToEndForm<Spec> | null;
  /** How two runs are compared sample by sample; null where there is nothing to compare. */
  readonly judgement: Judgement<Spec> | null;
  /** What the loss is made of, for weighting by uncertainty. */
  likelihood(spec: Spec): Likelihood;

  /** What `describe` returns, as the type of a table's column. */
  answerType(spec: Spec): "truth" | "number" | "numbers" | "text";
}

/**
 * A loss whose gradient is that of each activated number's error, activated − target: an error that costs something,
 * or a cross entropy, whose gradient with respect to the logit is the error itself; or of the numbers of a box.
 */
export interface LossForm {
  readonly activation: "sigmoid" | "softmax" | "linear";
  readonly cost: ErrorCost | CrossEntropyCost | BoxCost;
}

/** 1 − the generalized intersection over union, of four numbers together: centre and size of a box. */
export interface BoxCost {
  readonly kind: "giou";
}

export interface CrossEntropyCost {
  readonly kind: "cross entropy";
  /** Exponent of the focal loss; 0: there is none. */
  readonly focus: number;
  /** Whether targets are other than the labels themselves. */
  readonly isSmooth: boolean;
}

/** Loss forms of plain cross entropies. */
const PLAIN: CrossEntropyCost = { kind: "cross entropy", focus: 0, isSmooth: false };
export const SIGMOID_CROSS_ENTROPY: LossForm = { activation: "sigmoid", cost: PLAIN };
export const SOFTMAX_CROSS_ENTROPY: LossForm = { activation: "softmax", cost: PLAIN };

/** Column of kinds whose targets count alike. */
export const UNWEIGHTED = { targetWeight: () => 1 } as const;

/** Columns of kinds that read nothing of the labels before training. */
export const UNFITTED = {
  fitted: <S extends TaskSpec>(spec: S): S => spec,
  declared: <S extends TaskSpec>(spec: S): S => spec,
} as const;

/** Labels of all rows (of a task per token, of all tokens), and those that train the task. */
export interface FitLabels {
  readonly answers: AnswerColumn;
  /** 1 where the label is known and active, in the train split. */
  readonly mask: RowMask;
}

/** An answer that is a figure on the picture: edges of a box (left, top, right, bottom), or coordinates of a point. */
export interface Figure<Spec extends TaskSpec> {
  readonly kind: "box" | "point";
  /** In fractions of the width and height of what the network sees; NaN where unknown. */
  read(spec: Spec, answers: AnswerColumn, row: number, unitScale: UnitScale): readonly number[];
  /** The same in fractions of the whole picture. */
  onPicture(spec: Spec, answers: AnswerColumn, row: number, unitScale: UnitScale): readonly number[];
  write(spec: Spec, answers: AnswerColumn, row: number, unitScale: UnitScale, figure: readonly number[]): void;
}

/** Columns of kinds that are nothing on a picture. */
export const OFF_PICTURE = { onPicture: () => "stays" as const, figure: null };

/** Fading two pictures into each other, or pasting a part of one into the other. */
export type Mixing = "mixup" | "cutmix";

/** Columns of kinds whose answer is a choice: each of two pictures has its own, whichever way they are mixed. */
export const MIXED: { readonly mixedBy: () => readonly Mixing[] } = { mixedBy: () => ["mixup", "cutmix"] };
/** Columns of kinds whose answers a mixture of two pictures does not have. */
export const UNMIXED: { readonly mixedBy: () => readonly Mixing[] } = { mixedBy: () => [] };

/** How a single answer is judged. */
export interface Judgement<Spec extends TaskSpec> {
  readonly name: "accuracy" | "exact_match" | "absolute_error" | "iou" | "distance" | "loss";
  /** Whether its values are 1, right, and 0, wrong. */
  readonly isDecision: boolean;
  readonly higherIsBetter: boolean;
  /** Whether samples are ranked by it, and not by their losses, where the best and the worst are shown. */
  readonly ranksSamples: boolean;
  /** Of one labelled row. @param loss the row's own */
  valueAt(scored: Pick<Scored<Spec>, "spec" | "decoded" | "labels">, row: number, loss: number): number;
}

/** The behaviour of each kind, closed: a new kind does not compile until it has one. */
export type BehaviourTable = { readonly [K in TaskKind]: TaskBehaviour<Extract<TaskSpec, { readonly kind: K }>> };

/**
 * Binary cross entropy of a logit, −y·log σ(z) − (1−y)·log(1−σ(z)), in the form that cannot overflow:
 * max(z,0) − z·y + log(1 + e^−|z|).
 */
export function sigmoidCrossEntropy(z: number, y: number): number {
  return Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z)));
}

/**
 * Cross entropy of a softmax, log Σ e^z − z_y, with the largest logit taken out so that it cannot overflow.
 * @param gradient receives ∂/∂z at the row's place, if given
 */
export function softmaxCrossEntropy(
  { data, stride, offset }: LogitView,
  row: number,
  classes: number,
  y: number,
  gradient: Float32Array | null,
): number {
  const at = row * stride + offset;
  let max = Number.NEGATIVE_INFINITY;
  // a NaN logit must make the loss NaN, so it is not skipped by a comparison
  for (let c = 0; c < classes; c++) max = Math.max(max, f32At(data, at + c));
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    const exponential = Math.exp(f32At(data, at + c) - max);
    sum += exponential;
    // kept, because a vocabulary has many classes and the exponential is what costs
    if (gradient !== null) gradient[at + c] = exponential;
  }
  if (gradient !== null) {
    for (let c = 0; c < classes; c++) gradient[at + c] = f32At(gradient, at + c) / sum;
    gradient[at + y] = f32At(gradient, at + y) - 1;
  }
  return Math.log(sum) + max - f32At(data, at + y);
}

/** Reads a yes/no cell; undefined if it is neither. */
export function parseTruth(cell: unknown): 0 | 1 | undefined {
  if (cell === true || cell === 1 || cell === 1n) return 1;
  if (cell === false || cell === 0 || cell === 0n) return 0;
  if (typeof cell === "string") {
    const text = cell.trim().toLowerCase();
    if (text === "1" || text === "true" || text === "1.0") return 1;
    if (text === "0" || text === "false" || text === "0.0") return 0;
  }
  return undefined;
}

/** Empty text, NULL and NaN are missing labels; a negative number is a number. */
export function isMissing(cell: unknown): boolean {
  if (cell === null || cell === undefined) return true;
  if (typeof cell === "number") return Number.isNaN(cell);
  if (typeof cell !== "string") return false;
  const text = cell.trim();
  return text === "" || text.toLowerCase() === "nan";
}
