/** @file Where the logits of each task lie: in the matrix that all heads of its part write together. */
import { axisOf, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";

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

/** The part that a task's logits lie in. */
export function partOf({ spec }: TaskNode): LogitPart {
  return behaviourOf(spec).answeredBy === "training" ? "masked" : axisOf(spec);
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
  for (const task of [...byFeature, ...withHead("custom"), ...withHead("none")]) {
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

/** How many lines each part of a batch has. */
export interface BatchExtent {
  readonly rows: number;
  /** Tokens of each row with its padding. */
  readonly length?: number;
  readonly masked?: Int32Array;
}

/** Where each part of a batch's logits lies: [rows, width], then [rows × length, tokenWidth], then the masked tokens. */
export function partsOf(
  { width, tokenWidth, maskedWidth }: HeadLayout,
  { rows, length = 0, masked }: BatchExtent,
): Readonly<Record<LogitPart, PartMatrix>> {
  const sample = { start: 0, lines: rows, stride: width };
  const token = { start: rows * width, lines: rows * length, stride: tokenWidth };
  const end = token.start + token.lines * tokenWidth;
  return { sample, token, masked: { start: end, lines: masked?.length ?? 0, stride: maskedWidth } };
}
