/** @file Logits and labels of a batch → masked loss of every task and its gradient. */
import { axisOf, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { answerWidth, type Offsets, type RowMask } from "../../flow/masks.js";
import { behaviourOf, type Labels } from "../../tasks/index.js";

/** What a matrix of logits has one line for: a row, a token of the padded batch, or a masked token of it. */
export type LogitPart = "sample" | "token" | "masked";

/** Logits of one batch as plain numbers; empty where a part has none. */
export type PartValues = Readonly<Record<LogitPart, Float32Array>>;

/** Where a task's logits lie in the matrix that all heads of its part write together. */
export interface TaskColumns {
  readonly task: TaskNode;
  readonly part: LogitPart;
  readonly offset: number;
  readonly width: number;
}

/** Columns of every task, in the order of the graph, and their sum in each part. */
export interface HeadLayout {
  readonly columns: readonly TaskColumns[];
  /** Of tasks that are asked once per row. */
  readonly width: number;
  readonly tokenWidth: number;
  readonly maskedWidth: number;
}

/** Labels and loss masks of the rows of one batch, per task in the order of the graph. */
export interface BatchTargets {
  readonly rows: number;
  /** Tokens of each row with its padding; 0 where no task is asked per token. */
  readonly length?: number;
  /** [lines of the task's part, answerWidth]; NaN where missing, and in the padding. */
  readonly labels: readonly Labels[];
  /**
   * Active by ground truth and labelled; 0 in the padding. Of masked language modelling, which has no labels until
   * tokens have been masked: the tokens that may be.
   */
  readonly masks: readonly RowMask[];
  /** Masked tokens as row × length + place, ascending. */
  readonly masked?: Int32Array;
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

/** The part that a task's logits lie in. */
export function partOf({ spec }: TaskNode): LogitPart {
  return spec.kind === "maskedLanguageModeling" ? "masked" : axisOf(spec);
}

/**
 * In each part, tasks whose dense heads read the same feature lie side by side, so that one matmul serves them all;
 * after them tasks with heads of their own. Tasks without a head have no column.
 */
export function layOutHeads(graph: FlowGraph): HeadLayout {
  const withHead = (head: string): readonly TaskNode[] =>
    graph.tasks.filter(({ spec }) => behaviourOf(spec).head(spec) === head);
  const dense = withHead("dense");
  const byFeature = graph.features.flatMap((feature) => dense.filter((task) => task.feature === feature));
  const widths: Record<LogitPart, number> = { sample: 0, token: 0, masked: 0 };
  const columns: TaskColumns[] = [];
  for (const task of [...byFeature, ...withHead("own"), ...withHead("none")]) {
    const width = behaviourOf(task.spec).logitWidth(task.spec);
    const part = partOf(task);
    columns[task.index] = { task, part, offset: widths[part], width };
    widths[part] += width;
  }
  return { columns, width: widths.sample, tokenWidth: widths.token, maskedWidth: widths.masked };
}

/** One part of a batch's logits, which lie one part after the other. */
interface PartMatrix {
  readonly start: number;
  readonly lines: number;
  /** Numbers per line. */
  readonly stride: number;
}

/** Where each part of a batch's logits lies: [rows, width], then [rows × length, tokenWidth], then the masked tokens. */
export function partsOf(
  { width, tokenWidth, maskedWidth }: HeadLayout,
  { rows, length = 0, masked }: Pick<BatchTargets, "rows" | "length" | "masked">,
): Readonly<Record<LogitPart, PartMatrix>> {
  const sample = { start: 0, lines: rows, stride: width };
  const token = { start: rows * width, lines: rows * length, stride: tokenWidth };
  const end = token.start + token.lines * tokenWidth;
  return { sample, token, masked: { start: end, lines: masked?.length ?? 0, stride: maskedWidth } };
}

/** Loss terms of each task in a batch: the denominators of the masked means. */
export function countTerms(layout: HeadLayout, targets: BatchTargets): number[] {
  const parts = partsOf(layout, targets);
  return layout.columns.map(({ task, part }) => {
    const behaviour = behaviourOf(task.spec);
    const labels = targets.labels[task.index] as Labels;
    const mask = targets.masks[task.index] as RowMask;
    let terms = 0;
    for (let row = 0; row < parts[part].lines; row++) {
      if (mask[row] === 1) terms += behaviour.lossTerms(task.spec, labels, row);
    }
    return terms;
  });
}

/**
 * Total loss = Σ over tasks of lossWeight × (sum of terms / number of terms), over the lines of each task's mask.
 * @param logits of all parts, see {@link partsOf}: where no task is asked per token, [rows, layout.width]
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
  const parts = partsOf(layout, targets);
  let total = 0;
  const tasks = layout.columns.map(({ task, part, offset, width }, index): TaskLoss => {
    const terms = denominators[index] as number;
    if (terms === 0) return { sum: 0, terms };
    const behaviour = behaviourOf(task.spec);
    const { start, lines, stride } = parts[part];
    const view = { data: logits.subarray(start), stride, offset };
    const slopes = gradient?.subarray(start) ?? null;
    const labels = targets.labels[index] as Labels;
    const mask = targets.masks[index] as RowMask;
    const weight = weights[index] as number;
    const scale = weight / terms;
    let sum = 0;
    for (let row = 0; row < lines; row++) {
      if (mask[row] !== 1) continue;
      sum += behaviour.lossSum(task.spec, view, labels, row, slopes);
      if (slopes !== null) {
        const at = row * stride + offset;
        for (let i = at; i < at + width; i++) slopes[i] = (slopes[i] as number) * scale;
      }
    }
    total += weight * (sum / terms);
    return { sum, terms };
  });
  return { total, tasks };
}

/**
 * Largest |∂total/∂logit| of each task, in the order of the graph; ∞ where one is not finite.
 * @param logits of all parts, as {@link batchLoss} takes them
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
  const parts = partsOf(layout, targets);
  return layout.columns.map(({ part, offset, width }) => {
    const { start, lines, stride } = parts[part];
    let steepest = 0;
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < width; i++) {
        const slope = Math.abs(gradient[start + line * stride + offset + i] as number);
        steepest = Math.max(steepest, Number.isNaN(slope) ? Number.POSITIVE_INFINITY : slope);
      }
    }
    return steepest;
  });
}

/** Where the tokens of a dataset's rows lie, and how long the padded rows of a batch are. */
export interface BatchTokens {
  readonly offsets: Offsets;
  readonly length: number;
}

/**
 * Labels and masks of some rows of a dataset, copied into batch order.
 * @param tokens needed where a task is asked per token
 */
export function gatherTargets(
  layout: HeadLayout,
  labels: readonly Labels[],
  masks: readonly RowMask[],
  rows: ArrayLike<number>,
  tokens?: BatchTokens | null,
): BatchTargets {
  const gathered = layout.columns.map(({ task, part }) => {
    const own = labels[task.index] as Labels;
    const mask = masks[task.index] as RowMask;
    if (part === "sample") {
      return { labels: gatherLabels(own, rows, mask.length), mask: gatherRows(mask, rows, 1) };
    }
    if (tokens == null) throw new Error("a task per token needs the offsets of the rows' tokens");
    const width = answerWidth(task.spec);
    const answers = new Float32Array(rows.length * tokens.length * width).fill(Number.NaN);
    const padded = new Uint8Array(rows.length * tokens.length);
    copyTokens(own.answers, answers, rows, tokens, width);
    copyTokens(mask, padded, rows, tokens, 1);
    return { labels: { answers, unitScale: null }, mask: padded };
  });
  return {
    rows: rows.length,
    length: tokens?.length ?? 0,
    labels: gathered.map((one) => one.labels),
    masks: gathered.map(({ mask }) => mask),
  };
}

/** Tokens of some rows, each row padded to the length of the batch. */
export function copyTokens<A extends Float32Array | Uint8Array>(
  source: A,
  out: A,
  rows: ArrayLike<number>,
  { offsets, length }: BatchTokens,
  width: number,
): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const [from, to] = [offsets[row] as number, offsets[row + 1] as number];
    out.set(source.subarray(from * width, to * width), i * length * width);
  }
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
