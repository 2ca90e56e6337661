/** @file Logits and labels of a batch → masked loss of every task and its gradient. */
import { at as itemAt, f32At } from "../../arrays.js";
import { behaviourOf } from "../../tasks/index.js";
import { type BatchTargets, entryWeights } from "../batches/targets.js";
import { type HeadLayout, matricesOf } from "../model/layout.js";

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
  return layout.columns.map(({ task, axis }) => {
    const behaviour = behaviourOf(task.spec);
    const labels = itemAt(targets.labels, task.index);
    const mask = itemAt(targets.masks, task.index);
    const weightOf = entryWeights(targets, axis);
    let terms = 0;
    for (let row = 0; row < matrices[axis].rows; row++) {
      if (mask[row] === 1) terms += weightOf(row) * behaviour.lossTerms(task.spec, labels, row);
    }
    return terms;
  });
}

/**
 * Total loss = Σ over tasks of lossWeight × (sum of terms / number of terms), over the rows of each task's mask. Where
 * rows have weights, each counts in both as often as its weight says.
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
  let total = 0;
  const tasks = layout.columns.map(({ task, axis, offset, width }, index): TaskLoss => {
    const terms = itemAt(denominators, index);
    if (terms === 0) return { sum: 0, terms };
    const behaviour = behaviourOf(task.spec);
    const { start, rows, stride } = matrices[axis];
    const view = { data: logits.subarray(start), stride, offset };
    const taskGradient = gradient?.subarray(start) ?? null;
    const labels = itemAt(targets.labels, index);
    const mask = itemAt(targets.masks, index);
    const weight = itemAt(weights, index);
    const scale = weight / terms;
    const weightOf = entryWeights(targets, axis);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const counted = mask[row] === 1 ? weightOf(row) : 0;
      if (counted === 0) continue;
      sum += counted * behaviour.lossSum(task.spec, view, labels, row, taskGradient);
      if (taskGradient !== null) {
        const at = row * stride + offset;
        for (let i = at; i < at + width; i++) taskGradient[i] = f32At(taskGradient, i) * (scale * counted);
      }
    }
    total += weight * (sum / terms);
    return { sum, terms };
  });
  return { total, tasks };
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
