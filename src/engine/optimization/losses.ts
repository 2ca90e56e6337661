/** @file Logits and labels of a batch → masked loss of every task and its gradient. */
import { at as itemAt, f32At } from "../../arrays.js";
import { behaviourOf, isOverlap, overlapLoss } from "../../tasks/index.js";
import { type BatchTargets, type Voice, voicesOf } from "../batches/targets.js";
import type { TaskNode } from "../../flow/graph.js";
import type { LogitView } from "../../tasks/behaviour.js";
import { type HeadLayout, type LogitAxis, matricesOf } from "../model/layout.js";

/** A task's share of a batch: sum of its loss terms and how many there are. Its loss is sum / terms, without weight. */
export interface TaskLoss {
  readonly sum: number;
  readonly terms: number;
}

export interface BatchLoss {
  /** Σ weight × masked mean; a task without a row adds exactly 0. */
  readonly total: number;
  readonly tasks: readonly TaskLoss[];
}

/** The losses of a batch from those of its parts, which have the denominators of all of it. */
export function joinLosses(parts: readonly BatchLoss[]): BatchLoss {
  const [first] = parts;
  if (first === undefined) return { total: 0, tasks: [] };
  return {
    total: parts.reduce((sum, { total }) => sum + total, 0),
    tasks: first.tasks.map(({ terms }, task) => ({
      sum: parts.reduce((sum, { tasks }) => sum + itemAt(tasks, task).sum, 0),
      terms,
    })),
  };
}

/** Loss terms of each task in a batch, in the order of the graph: the denominators of the masked means. */
export function countTerms(layout: HeadLayout, targets: BatchTargets): number[] {
  const matrices = matricesOf(layout, targets);
  const voices = voicesOf(targets);
  return layout.columns.map(({ task, axis }) => {
    const behaviour = behaviourOf(task.spec);
    let terms = 0;
    for (const voice of voices) {
      const labels = itemAt(voice.labels, task.index);
      const mask = itemAt(voice.masks, task.index);
      const weightOf = voice.weightOf(axis);
      if (isOverlap(task.spec)) {
        // a picture is one term
        for (const { from, to } of picturesOf(targets))
          if (mask.subarray(from, to).includes(1)) terms += weightOf(from);
        continue;
      }
      for (let row = 0; row < matrices[axis].rows; row++) {
        if (mask[row] === 1) terms += weightOf(row) * behaviour.lossTerms(task.spec, labels, row);
      }
    }
    return terms;
  });
}

/**
 * Total loss = Σ over tasks of lossWeight × (sum of terms / number of terms), over the rows of each task's mask. Where
 * rows have weights, each counts in both as often as its weight says; where pictures are mixed, each of their labels by
 * its share.
 * @param logits of all matrices, see {@link matricesOf}: where no task is asked per token, [rows, layout.width]
 * @param gradient receives ∂total/∂logits, same shape; zero where a task does not count
 * @param denominators numbers of terms to divide by; those of the whole batch where this is a shard of one
 * @param weights of each task, in the order of the graph, where they are not the constant lossWeights
 */
export function batchLoss(
  layout: HeadLayout,
  logits: Float32Array,
  targets: BatchTargets,
  gradient: Float32Array | null,
  denominators: readonly number[] = countTerms(layout, targets),
  weights: readonly number[] = layout.columns.map(({ task }) => task.lossWeight),
): BatchLoss {
  gradient?.fill(0);
  const matrices = matricesOf(layout, targets);
  const voices = voicesOf(targets);
  let total = 0;
  const tasks = layout.columns.map(({ task, axis, offset, width }, index): TaskLoss => {
    const terms = itemAt(denominators, index);
    if (terms === 0) return { sum: 0, terms };
    const { start, rows, stride } = matrices[axis];
    const place = { data: logits.subarray(start), stride, offset, rows, width };
    const weight = itemAt(weights, index);
    let sum = 0;
    for (const [i, voice] of voices.entries()) {
      const taskGradient = gradient?.subarray(start) ?? null;
      sum += isOverlap(task.spec)
        ? picturesLoss(task, voice, place, targets, taskGradient, weight / terms)
        : taskLoss(task, axis, voice, place, taskGradient, { scale: weight / terms, isFirst: i === 0 });
    }
    total += weight * (sum / terms);
    return { sum, terms };
  });
  return { total, tasks };
}

/** Where the pixels of each picture of a batch lie among those of all of them. */
function picturesOf({ rows, length = 0 }: BatchTargets): { readonly from: number; readonly to: number }[] {
  return Array.from({ length: rows }, (_, row) => ({ from: row * length, to: (row + 1) * length }));
}

/** Sum of the losses of whole pictures; see {@link taskLoss}. */
function picturesLoss(
  { spec, index }: TaskNode,
  voice: Voice,
  place: TaskPlace,
  targets: BatchTargets,
  gradient: Float32Array | null,
  scale: number,
): number {
  if (!isOverlap(spec)) return 0;
  const { answers } = itemAt(voice.labels, index);
  const mask = itemAt(voice.masks, index);
  const weightOf = voice.weightOf("token");
  const { stride, offset, width } = place;
  let sum = 0;
  for (const { from, to } of picturesOf(targets)) {
    const counted = mask.subarray(from, to).includes(1) ? weightOf(from) : 0;
    if (counted === 0) continue;
    sum += counted * overlapLoss(spec, place, { answers, mask, from, to }, gradient);
    if (gradient === null) continue;
    for (let pixel = from; pixel < to; pixel++) {
      for (let i = pixel * stride + offset; i < pixel * stride + offset + width; i++) {
        gradient[i] = f32At(gradient, i) * (scale * counted);
      }
    }
  }
  return sum;
}

/** Where a task's logits lie in a matrix. */
interface TaskPlace extends LogitView {
  readonly rows: number;
  readonly width: number;
}

/**
 * Sum of a task's loss terms by the labels of one voice.
 * @param gradient receives, or adds to what another voice has left, ∂sum/∂logit times the scale
 */
function taskLoss(
  { spec, index }: TaskNode,
  axis: LogitAxis,
  voice: Voice,
  place: TaskPlace,
  gradient: Float32Array | null,
  { scale, isFirst }: { readonly scale: number; readonly isFirst: boolean },
): number {
  const { rows, stride, offset, width } = place;
  const behaviour = behaviourOf(spec);
  const labels = itemAt(voice.labels, index);
  const mask = itemAt(voice.masks, index);
  const weightOf = voice.weightOf(axis);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const counted = mask[row] === 1 ? weightOf(row) : 0;
    if (counted === 0) continue;
    const at = row * stride + offset;
    // a row's gradient is written, and not added to what is there; but for missing labels, where nothing is written
    const before = gradient === null || isFirst ? null : gradient.slice(at, at + width);
    if (before !== null) gradient?.fill(0, at, at + width);
    sum += counted * behaviour.lossSum(spec, place, labels, row, gradient);
    if (gradient === null) continue;
    for (let i = 0; i < width; i++) {
      gradient[at + i] = f32At(gradient, at + i) * (scale * counted) + (before === null ? 0 : f32At(before, i));
    }
  }
  return sum;
}

/**
 * Largest |∂total/∂logit| of each task, in the order of the graph; ∞ where one is not finite.
 * @param logits of all matrices, as {@link batchLoss} takes them
 * @param weights of each task
 */
export function maxGradientPerTask(
  layout: HeadLayout,
  logits: Float32Array,
  targets: BatchTargets,
  weights: readonly number[],
): number[] {
  const gradient = new Float32Array(logits.length);
  batchLoss(layout, logits, targets, gradient, undefined, weights);
  const matrices = matricesOf(layout, targets);
  return layout.columns.map(({ axis, offset, width }) => {
    const { start, rows, stride } = matrices[axis];
    let largest = 0;
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) {
        const magnitude = Math.abs(f32At(gradient, start + row * stride + offset + i));
        largest = Math.max(largest, Number.isNaN(magnitude) ? Number.POSITIVE_INFINITY : magnitude);
      }
    }
    return largest;
  });
}
