/** @file Where the logits of each task lie: in the matrix that all heads of its axis write together. */
import type { InputSpec } from "../../data/dataset.js";
import { isPerElement, type FlowGraph, type TaskNode } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";

/**
 * What a matrix of logits has one row for: a sample (a row of the table), a token of the padded batch, or a masked token
 * of it. Pixels lie as tokens do, the lines of a picture one after the other: all rows have as many.
 */
export type LogitAxis = "sample" | "token" | "masked";

/** In the order in which their matrices lie. */
export const LOGIT_AXES: readonly LogitAxis[] = ["sample", "token", "masked"];

/** Logits of one batch as plain numbers; empty where there is no matrix of that axis. */
export type LogitValues = Readonly<Record<LogitAxis, Float32Array>>;

/** Where a task's logits lie in the matrix that all heads of its axis write together. */
export interface TaskColumns {
  readonly task: TaskNode;
  readonly axis: LogitAxis;
  readonly offset: number;
  readonly width: number;
}

/** Columns of every task, in the order of the graph, and the width of each axis' matrix. */
export interface HeadLayout {
  readonly columns: readonly TaskColumns[];
  /** Of tasks that are asked once per row. */
  readonly width: number;
  readonly tokenWidth: number;
  readonly maskedWidth: number;
}

/** What whoever asks a network knows of it, whatever computes it. */
export interface NetworkForm {
  readonly graph: FlowGraph;
  readonly layout: HeadLayout;
  readonly inputs: Readonly<Record<string, InputSpec>>;
}

/** The axis that a task's logits lie along. */
export function logitAxisOf({ spec }: TaskNode): LogitAxis {
  if (behaviourOf(spec).answeredBy === "training") return "masked";
  return isPerElement(spec) ? "token" : "sample";
}

/**
 * In each matrix, tasks whose dense heads read the same feature lie side by side, so that one matmul serves them all;
 * after them tasks with heads of their own. Tasks without a head have no column.
 */
export function layOutHeads(graph: FlowGraph): HeadLayout {
  const withHead = (head: string): readonly TaskNode[] =>
    graph.tasks.filter(({ spec }) => behaviourOf(spec).head(spec) === head);
  const dense = withHead("dense");
  const byFeature = graph.features.flatMap((feature) => dense.filter((task) => task.feature === feature));
  const widths: Record<LogitAxis, number> = { sample: 0, token: 0, masked: 0 };
  const columns: TaskColumns[] = [];
  for (const task of [...byFeature, ...withHead("shared"), ...withHead("custom"), ...withHead("none")]) {
    const width = behaviourOf(task.spec).logitWidth(task.spec);
    const axis = logitAxisOf(task);
    columns[task.index] = { task, axis, offset: widths[axis], width };
    widths[axis] += width;
  }
  return { columns, width: widths.sample, tokenWidth: widths.token, maskedWidth: widths.masked };
}

/** One matrix of a batch's logits, which lie one after the other. */
interface LogitMatrix {
  readonly start: number;
  readonly rows: number;
  /** Numbers per row. */
  readonly stride: number;
}

/** What says how many rows each matrix of a batch has. */
export interface BatchExtent {
  readonly rows: number;
  /** Tokens of each row with its padding. */
  readonly length?: number;
  readonly masked?: Int32Array;
}

/** Where each matrix of a batch's logits lies: [rows, width], then [rows × length, tokenWidth], then the masked tokens. */
export function matricesOf(
  { width, tokenWidth, maskedWidth }: HeadLayout,
  { rows, length = 0, masked }: BatchExtent,
): Readonly<Record<LogitAxis, LogitMatrix>> {
  const sample = { start: 0, rows, stride: width };
  const token = { start: rows * width, rows: rows * length, stride: tokenWidth };
  const end = token.start + token.rows * tokenWidth;
  return { sample, token, masked: { start: end, rows: masked?.length ?? 0, stride: maskedWidth } };
}
