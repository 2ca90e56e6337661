/** @file Logits and labels of a batch → masked loss of every task and its gradient. */
import type { FlowGraph, TaskNode } from "../flow/graph.js";
import type { RowMask } from "../flow/masks.js";
import { behaviourOf, type Labels } from "../tasks/index.js";

/** Where a task's logits lie in the matrix that all heads write together. */
export interface TaskColumns {
  readonly task: TaskNode;
  readonly offset: number;
  readonly width: number;
}

/** Columns of every task, in the order of the graph, and their sum. */
export interface HeadLayout {
  readonly columns: readonly TaskColumns[];
  readonly width: number;
}

/** Labels and loss masks of the rows of one batch, per task in the order of the graph. */
export interface BatchTargets {
  readonly rows: number;
  readonly labels: readonly Labels[];
  /** Active by ground truth and labelled. */
  readonly masks: readonly RowMask[];
}

/** A task's part in a batch: sum of its loss terms and how many there are. Its loss is sum / terms, without weight. */
export interface TaskLoss {
  readonly sum: number;
  readonly terms: number;
}

export interface BatchLoss {
  /** Σ weight × masked mean; a task without a row adds exactly 0. */
  readonly total: number;
  readonly tasks: readonly TaskLoss[];
}

/**
 * Tasks whose dense heads read the same feature lie side by side, so that one matmul serves them all; after them tasks
 * with heads of their own. Tasks without a head have no column.
 */
export function layOutHeads(graph: FlowGraph): HeadLayout {
  const withHead = (head: string): readonly TaskNode[] =>
    graph.tasks.filter(({ spec }) => behaviourOf(spec).head(spec) === head);
  const dense = withHead("dense");
  const byFeature = graph.features.flatMap((feature) => dense.filter((task) => task.feature === feature));
  let offset = 0;
  const columns: TaskColumns[] = [];
  for (const task of [...byFeature, ...withHead("own"), ...withHead("none")]) {
    const width = behaviourOf(task.spec).logitWidth(task.spec);
    columns[task.index] = { task, offset, width };
    offset += width;
  }
  return { columns, width: offset };
}

/** Loss terms of each task in a batch: the denominators of the masked means. */
export function countTerms(layout: HeadLayout, targets: BatchTargets): number[] {
  return layout.columns.map(({ task }) => {
    const behaviour = behaviourOf(task.spec);
    const labels = targets.labels[task.index] as Labels;
    const mask = targets.masks[task.index] as RowMask;
    let terms = 0;
    for (let row = 0; row < targets.rows; row++) {
      if (mask[row] === 1) terms += behaviour.lossTerms(task.spec, labels, row);
    }
    return terms;
  });
}

/**
 * Total loss = Σ over tasks of lossWeight × (sum of terms / number of terms), over the rows of each task's mask.
 * @param logits [rows, layout.width]
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
  let total = 0;
  const tasks = layout.columns.map(({ task, offset, width }, index): TaskLoss => {
    const terms = denominators[index] as number;
    if (terms === 0) return { sum: 0, terms };
    const behaviour = behaviourOf(task.spec);
    const view = { data: logits, stride: layout.width, offset };
    const labels = targets.labels[index] as Labels;
    const mask = targets.masks[index] as RowMask;
    const weight = weights[index] as number;
    const scale = weight / terms;
    let sum = 0;
    for (let row = 0; row < targets.rows; row++) {
      if (mask[row] !== 1) continue;
      sum += behaviour.lossSum(task.spec, view, labels, row, gradient);
      if (gradient !== null) {
        const at = row * layout.width + offset;
        for (let i = at; i < at + width; i++) gradient[i] = (gradient[i] as number) * scale;
      }
    }
    total += weight * (sum / terms);
    return { sum, terms };
  });
  return { total, tasks };
}

/** Labels and masks of some rows of a dataset, copied into batch order. */
export function gatherTargets(
  layout: HeadLayout,
  labels: readonly Labels[],
  masks: readonly RowMask[],
  rows: ArrayLike<number>,
): BatchTargets {
  return {
    rows: rows.length,
    labels: layout.columns.map(({ task }) =>
      gatherLabels(labels[task.index] as Labels, rows, masks[task.index]?.length ?? 0),
    ),
    masks: layout.columns.map(({ task }) => gatherRows(masks[task.index] as RowMask, rows, 1)),
  };
}

/** @param total rows in `labels` */
export function gatherLabels(labels: Labels, rows: ArrayLike<number>, total: number): Labels {
  const width = total === 0 ? 1 : labels.answers.length / total;
  return {
    answers: gatherRows(labels.answers, rows, width),
    unitScale: labels.unitScale === null ? null : gatherRows(labels.unitScale, rows, 1),
  };
}

function gatherRows<A extends Float32Array | Uint8Array>(source: A, rows: ArrayLike<number>, width: number): A {
  const gathered = new (source.constructor as new (length: number) => A)(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] as number) * width;
    for (let k = 0; k < width; k++) gathered[i * width + k] = source[from + k] as number;
  }
  return gathered;
}
