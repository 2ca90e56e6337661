/** @file The gradient of the masked losses with respect to the logits, as tensor ops on what a batch's targets feed. */
import * as tf from "@tensorflow/tfjs-core";
import { at as itemAt, f32At } from "../../arrays.js";
import type { TaskNode } from "../../flow/graph.js";
import { SIGMOID_CROSS_ENTROPY } from "../../tasks/behaviour.js";
import { behaviourOf, type Labels, type LossForm } from "../../tasks/index.js";
import { countTerms } from "../optimization/losses.js";
import { boxGradient } from "./box-gradient.js";
import { type BatchTargets, type Voice, voicesOf } from "../batches/targets.js";
import { type HeadLayout, type LogitAxis, matricesOf, type TaskColumns } from "../model/layout.js";

/** How the loss of a task follows from its logits; null: it runs in JavaScript. */
function formOf({ task: { spec } }: Pick<TaskColumns, "task">): LossForm | null {
  return behaviourOf(spec).lossForm(spec);
}

/** The first task whose loss tensor ops cannot follow. */
export function taskWithForeignLoss({ columns }: HeadLayout): TaskNode | null {
  return columns.find((own) => own.width > 0 && formOf(own) === null)?.task ?? null;
}

/** Logits that one activation covers. */
interface Segment {
  readonly activation: LossForm["activation"];
  readonly width: number;
}

/** Columns of one matrix, from left to right. */
function columnsOf({ columns }: HeadLayout, axis: LogitAxis): TaskColumns[] {
  return columns.filter((own) => own.axis === axis && own.width > 0).sort((a, b) => a.offset - b.offset);
}

function segmentsOf(columns: readonly TaskColumns[]): Segment[] {
  const segments: Segment[] = [];
  for (const own of columns) {
    const activation = formOf(own)?.activation ?? "linear";
    const last = segments.at(-1);
    // each softmax is over the classes of its own task
    if (last !== undefined && activation !== "softmax" && last.activation === activation) {
      segments[segments.length - 1] = { activation, width: last.width + own.width };
    } else segments.push({ activation, width: own.width });
  }
  return segments;
}

/**
 * Whether the targets of a matrix are the classes themselves: where one softmax fills it, as over a vocabulary, a 1 per
 * row among zeros would be most of what travels.
 */
export function isCompact(layout: HeadLayout, axis: LogitAxis): boolean {
  const [only, ...others] = columnsOf(layout, axis);
  if (only === undefined || others.length > 0) return false;
  const form = formOf(only);
  return form?.activation === "softmax" && form.cost.kind === "cross entropy" && !form.cost.isSmooth;
}

/**
 * ∂(total loss)/∂logits of one matrix.
 * @param logits [rows, width of the matrix]
 * @param targets what the activated logits should be, same shape; of a compact matrix the classes, [rows] int32
 * @param weights factor / terms, times what the target counts, where a logit counts; 0 elsewhere, same shape; of a
 *   compact matrix [rows, 1]
 */
export function logitGradient(
  layout: HeadLayout,
  axis: LogitAxis,
  logits: tf.Tensor2D,
  targets: tf.Tensor,
  weights: tf.Tensor,
): tf.Tensor2D {
  const columns = columnsOf(layout, axis);
  const wanted = isCompact(layout, axis) ? tf.oneHot(targets, logits.shape[1], 1, 0, "float32") : targets;
  const activated = activate(segmentsOf(columns), logits);
  const error = tf.sub(activated, wanted);
  const slope = slopeOfActivation(activated, columns);
  const own = addBoxes(slopes(error, columns), activated, wanted, columns);
  const plain = slope === 1 ? own : tf.mul(own, slope);
  const gradient = focused(plain, activated, wanted, columns);
  // a logit that does not count may be anything, also NaN
  return tf.where(tf.greater(weights, 0), tf.mul(gradient, weights), tf.zerosLike(weights)) as tf.Tensor2D;
}

/** What each column's error is made, by kind of cost: the slope of the cost in the error. */
const SLOPES: { readonly [K in Cost["kind"]]: (error: tf.Tensor, costs: readonly Cost[]) => tf.Tensor } = {
  "cross entropy": (error) => error,
  // of all numbers of a box together: see addBoxes
  giou: (error) => tf.zerosLike(error),
  squared: (error) => tf.mul(error, 2),
  absolute: (error) => tf.sign(error),
  "log-cosh": (error) => tf.tanh(error),
  huber(error, costs) {
    const of = (part: "delta" | "factor") => costs.map((cost) => (cost.kind === "huber" ? cost[part] : 0));
    const deltas = of("delta");
    const clipped = tf.minimum(
      tf.maximum(
        error,
        deltas.map((delta) => -delta),
      ),
      deltas,
    );
    return tf.mul(clipped, of("factor"));
  },
};

type Cost = LossForm["cost"];

/** One entry for each column of the matrix. */
function forEachLogit<T>(columns: readonly TaskColumns[], of: (form: LossForm | null) => T): T[] {
  return columns.flatMap((own) => new Array<T>(own.width).fill(of(formOf(own))));
}

/** ∂cost/∂error in each column. */
function slopes(error: tf.Tensor, columns: readonly TaskColumns[]): tf.Tensor {
  const costs = forEachLogit<Cost>(columns, (form) => form?.cost ?? SIGMOID_CROSS_ENTROPY.cost);
  const kinds = [...new Set(costs.map(({ kind }) => kind))];
  const [only] = kinds;
  if (kinds.length === 1 && only !== undefined) return SLOPES[only](error, costs);
  return kinds
    .map((kind) =>
      tf.mul(
        SLOPES[kind](error, costs),
        costs.map((cost) => Number(cost.kind === kind)),
      ),
    )
    .reduce((sum, part) => tf.add(sum, part));
}

/** With the slopes of boxes, which are no sums over their numbers, in their columns. */
function addBoxes(sum: tf.Tensor, activated: tf.Tensor, wanted: tf.Tensor, columns: readonly TaskColumns[]): tf.Tensor {
  const isBox = columns.map((own) => formOf(own)?.cost.kind === "giou");
  if (!isBox.includes(true)) return sum;
  const widths = columns.map(({ width }) => width);
  const [boxes, labels] = [tf.split(activated, widths, 1), tf.split(wanted, widths, 1)];
  const own = isBox.map((is, i) =>
    is ? boxGradient(itemAt(boxes, i), itemAt(labels, i)) : tf.zerosLike(itemAt(boxes, i)),
  );
  return tf.add(sum, tf.concat(own, 1));
}

/** p·(1 − p) in the columns of errors after a sigmoid; a cross entropy's gradient has it already, and a line's is 1. */
function slopeOfActivation(activated: tf.Tensor, columns: readonly TaskColumns[]): tf.Tensor | 1 {
  const curved = forEachLogit(columns, (form) =>
    Number(form?.activation === "sigmoid" && form.cost.kind !== "cross entropy"),
  );
  if (!curved.includes(1)) return 1;
  return tf.add(
    tf.mul(tf.mul(activated, tf.sub(1, activated)), curved),
    curved.map((one) => 1 - one),
  );
}

/**
 * The gradients of focal losses: those of cross entropies times (1 − p)^γ − γ·(1 − p)^(γ−1)·p·log p, with p the score of
 * the right answer: see `focalFactor` in tasks/cross-entropy.ts.
 */
function focused(gradient: tf.Tensor, activated: tf.Tensor, wanted: tf.Tensor, columns: readonly TaskColumns[]) {
  const focuses = columns.map((own) => focusOf(formOf(own)));
  if (focuses.every((focus) => focus === 0)) return gradient;
  const widths = columns.map(({ width }) => width);
  const [scores, targets] = [tf.split(activated, widths, 1), tf.split(wanted, widths, 1)];
  const factors = columns.map((own, i) => {
    const [score, target, focus] = [itemAt(scores, i), itemAt(targets, i), itemAt(focuses, i)];
    return focus === 0 ? tf.onesLike(score) : focalFactor(score, target, focus, formOf(own)?.activation === "softmax");
  });
  return tf.mul(gradient, tf.concat(factors, 1));
}

function focusOf(form: LossForm | null): number {
  return form?.cost.kind === "cross entropy" ? form.cost.focus : 0;
}

// single precision: what is nearer to 0 than that is 0
const TINY = 1e-30;
const ROUNDING = 1e-7;

function focalFactor(score: tf.Tensor, target: tf.Tensor, focus: number, isChoice: boolean): tf.Tensor {
  const product = tf.mul(score, target);
  const p = isChoice
    ? tf.mul(tf.sum(product, 1, true), tf.onesLike(score))
    : tf.add(product, tf.mul(tf.sub(1, score), tf.sub(1, target)));
  const doubt = tf.maximum(tf.sub(1, p), 0);
  const ratio = tf.div(tf.log(tf.maximum(p, TINY)), tf.maximum(doubt, ROUNDING));
  return tf.mul(tf.pow(doubt, focus), tf.sub(1, tf.mul(tf.mul(p, ratio), focus)));
}

/** By form of activation. */
const ACTIVATIONS: { readonly [A in LossForm["activation"]]: (logits: tf.Tensor) => tf.Tensor } = {
  sigmoid: (logits) => tf.sigmoid(logits),
  softmax: (logits) => tf.softmax(logits),
  linear: (logits) => logits,
};

function activate(segments: readonly Segment[], logits: tf.Tensor2D): tf.Tensor {
  const one = ({ activation }: Segment, columns: tf.Tensor) => ACTIVATIONS[activation](columns);
  const [first] = segments;
  if (segments.length === 1 && first !== undefined) return one(first, logits);
  const parts = tf.split(
    logits,
    segments.map(({ width }) => width),
    1,
  );
  return tf.concat(
    segments.map((segment, i) => one(segment, itemAt(parts, i))),
    1,
  );
}

/** What {@link logitGradient} is fed. */
export interface GradientFeed {
  readonly targets: Float32Array | Int32Array;
  readonly weights: Float32Array;
}

/**
 * Targets and weights of one matrix of a batch, for each of its voices.
 * @param rows of the graph; more than the batch has count for nothing
 * @param factors of the tasks' masked means, in the order of the graph
 * @param terms to divide by: of the whole batch where this is a part of one
 */
export function gradientFeeds(
  layout: HeadLayout,
  axis: LogitAxis,
  batch: BatchTargets,
  rows: number,
  factors: readonly number[],
  terms: readonly number[] = countTerms(layout, batch),
): GradientFeed[] {
  const scales = factors.map((factor, task) => factor / itemAt(terms, task));
  return voicesOf(batch).map((voice) => gradientFeed(layout, axis, batch, voice, rows, scales));
}

/** @param scales of the loss terms of each task */
function gradientFeed(
  layout: HeadLayout,
  axis: LogitAxis,
  batch: BatchTargets,
  voice: Voice,
  rows: number,
  scales: readonly number[],
): GradientFeed {
  const { stride, rows: own } = matricesOf(layout, batch)[axis];
  const compact = isCompact(layout, axis);
  const targets = compact ? new Int32Array(rows) : new Float32Array(rows * stride);
  const weights = new Float32Array(compact ? rows : rows * stride);
  const weightOf = voice.weightOf(axis);
  for (const columns of columnsOf(layout, axis)) {
    const { spec, index } = columns.task;
    const weight = itemAt(scales, index);
    const mask = itemAt(voice.masks, index);
    const labels = itemAt(voice.labels, index);
    for (let row = 0; row < own; row++) {
      if (mask[row] !== 1 || behaviourOf(spec).lossTerms(spec as never, labels, row) === 0) continue;
      if (compact) {
        targets[row] = f32At(labels.answers, row);
        weights[row] = weight * weightOf(row) * behaviourOf(spec).targetWeight(spec, labels, row, 0);
      } else fillRow(columns, labels, row, row * stride, weight * weightOf(row), targets, weights);
    }
  }
  return { targets, weights };
}

function fillRow(
  { task: { spec }, offset, width }: TaskColumns,
  labels: Labels,
  row: number,
  start: number,
  weight: number,
  targets: Float32Array | Int32Array,
  weights: Float32Array,
): void {
  const behaviour = behaviourOf(spec);
  for (let i = 0; i < width; i++) {
    const target = behaviour.target(spec, labels, row, i);
    if (Number.isNaN(target)) continue;
    targets[start + offset + i] = target;
    weights[start + offset + i] = weight * behaviour.targetWeight(spec, labels, row, i);
  }
}
