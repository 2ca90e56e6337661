/** @file The gradient of the masked losses with respect to the logits, as tensor ops on what a batch's targets feed. */
import * as tf from "@tensorflow/tfjs-core";
import { at as itemAt, f32At } from "../../arrays.js";
import type { TaskKind, TaskNode } from "../../flow/graph.js";
import { answerWidth } from "../../flow/masks.js";
import { unitScaleAt } from "../../tasks/behaviour.js";
import { normalize } from "../../tasks/kinds/bounded-regression.js";
import { behaviourOf, type Labels } from "../../tasks/index.js";
import { countTerms } from "../optimization/losses.js";
import type { BatchTargets } from "../batches/targets.js";
import { type HeadLayout, type LogitAxis, matricesOf, type TaskColumns } from "../model/layout.js";

/**
 * What a loss makes of a logit. All of them have a gradient that starts with (activated − target):
 * cross entropies are that, a squared error multiplies it with 2·p·(1 − p).
 */
type Form = "sigmoid cross entropy" | "sigmoid squared error" | "softmax cross entropy";

/** null: the loss is a function of the user's, which runs in JavaScript. */
const forms = {
  binary: "sigmoid cross entropy",
  multilabel: "sigmoid cross entropy",
  boundedRegression: "sigmoid squared error",
  classification: "softmax cross entropy",
  maskedLanguageModeling: "softmax cross entropy",
  custom: null,
  // answered by the table: it has no logits
  known: "sigmoid cross entropy",
} as const satisfies { readonly [K in TaskKind]: Form | null };

/** The first task whose loss tensor ops cannot follow. */
export function taskWithForeignLoss({ columns }: HeadLayout): TaskNode | null {
  return columns.find(({ task, width }) => width > 0 && forms[task.spec.kind] === null)?.task ?? null;
}

/** Logits that one activation covers. */
interface Segment {
  readonly softmax: boolean;
  readonly width: number;
}

/** Columns of one matrix, from left to right. */
function columnsOf({ columns }: HeadLayout, axis: LogitAxis): TaskColumns[] {
  return columns.filter((own) => own.axis === axis && own.width > 0).sort((a, b) => a.offset - b.offset);
}

function segmentsOf(columns: readonly TaskColumns[]): Segment[] {
  const segments: Segment[] = [];
  for (const { task, width } of columns) {
    const softmax = forms[task.spec.kind] === "softmax cross entropy";
    const last = segments.at(-1);
    if (last !== undefined && !softmax && !last.softmax) {
      segments[segments.length - 1] = { softmax, width: last.width + width };
    } else segments.push({ softmax, width });
  }
  return segments;
}

/**
 * Whether the targets of a matrix are the classes themselves: where one softmax fills it, as over a vocabulary, a 1 per
 * row among zeros would be most of what travels.
 */
export function isCompact(layout: HeadLayout, axis: LogitAxis): boolean {
  const [only, ...others] = columnsOf(layout, axis);
  return only !== undefined && others.length === 0 && forms[only.task.spec.kind] === "softmax cross entropy";
}

/**
 * ∂(total loss)/∂logits of one matrix.
 * @param logits [rows, width of the matrix]
 * @param targets what the activated logits should be, same shape; of a compact matrix the classes, [rows] int32
 * @param weights factor / terms where a logit counts, 0 elsewhere, same shape; of a compact matrix [rows, 1]
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
  const squared = columns.flatMap(({ task, width }) =>
    new Array<number>(width).fill(forms[task.spec.kind] === "sigmoid squared error" ? 1 : 0),
  );
  const gradient = squared.includes(1) ? tf.mul(error, squaredFactor(activated, squared)) : error;
  // a logit that does not count may be anything, also NaN
  return tf.where(tf.greater(weights, 0), tf.mul(gradient, weights), tf.zerosLike(weights)) as tf.Tensor2D;
}

/** 2·p·(1 − p) in the columns of squared errors, 1 in the others. */
function squaredFactor(activated: tf.Tensor, squared: readonly number[]): tf.Tensor {
  const factor = tf.mul(
    tf.mul(activated, tf.sub(1, activated)),
    squared.map((one) => 2 * one),
  );
  return tf.add(
    factor,
    squared.map((one) => 1 - one),
  );
}

function activate(segments: readonly Segment[], logits: tf.Tensor2D): tf.Tensor {
  const one = ({ softmax }: Segment, columns: tf.Tensor) => (softmax ? tf.softmax(columns) : tf.sigmoid(columns));
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
 * Targets and weights of one matrix of a batch.
 * @param rows of the graph; more than the batch has count for nothing
 * @param factors of the tasks' masked means, in the order of the graph
 */
export function gradientFeed(
  layout: HeadLayout,
  axis: LogitAxis,
  batch: BatchTargets,
  rows: number,
  factors: readonly number[],
): GradientFeed {
  const { stride, rows: own } = matricesOf(layout, batch)[axis];
  const compact = isCompact(layout, axis);
  const targets = compact ? new Int32Array(rows) : new Float32Array(rows * stride);
  const weights = new Float32Array(compact ? rows : rows * stride);
  const terms = countTerms(layout, batch);
  for (const columns of columnsOf(layout, axis)) {
    const { spec, index } = columns.task;
    const weight = itemAt(factors, index) / itemAt(terms, index);
    const mask = itemAt(batch.masks, index);
    const labels = itemAt(batch.labels, index);
    for (let row = 0; row < own; row++) {
      if (mask[row] !== 1 || behaviourOf(spec).lossTerms(spec as never, labels, row) === 0) continue;
      if (compact) {
        targets[row] = f32At(labels.answers, row);
        weights[row] = weight;
      } else fillRow(columns, labels, row, row * stride, weight, targets, weights);
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
  const at = start + offset;
  const answers = answerWidth(spec);
  if (forms[spec.kind] === "softmax cross entropy") {
    weights.fill(weight, at, at + width);
    targets[at + f32At(labels.answers, row)] = 1;
    return;
  }
  for (let i = 0; i < width; i++) {
    const label = f32At(labels.answers, row * answers + i);
    if (Number.isNaN(label)) continue;
    targets[at + i] =
      spec.kind === "boundedRegression" ? normalize(spec, label, unitScaleAt(labels.unitScale, row)) : label;
    weights[at + i] = weight;
  }
}
