/** @file Answers of one task beside its labels: what metrics are computed from, and what they come to. */
import type { UnitScale } from "../decoding/decoders.js";
import type { TaskSpec } from "../flow/graph.js";
import type { AnswerColumn, RowMask } from "../flow/masks.js";

/** A task's logits (or the gradient with respect to them) inside a matrix that several tasks may share. */
export interface LogitView {
  readonly data: Float32Array;
  /** Numbers per row of the matrix. */
  readonly stride: number;
  /** First column of the task. */
  readonly offset: number;
}

/** Labels of some rows, aligned with the rows of a LogitView. */
export interface Labels {
  /** [rows, answerWidth], label units, NaN where missing. */
  readonly answers: AnswerColumn;
  readonly unitScale: UnitScale;
}

/** All that metrics are computed from: one task, one split, the rows that `mask` selects. */
export interface Scored<Spec extends TaskSpec = TaskSpec> {
  readonly spec: Spec;
  /** [rows, logitWidth] */
  readonly logits: Float32Array;
  /** [rows, logitWidth], after sigmoid or softmax. */
  readonly activated: Float32Array;
  /** [rows, answerWidth], label units. */
  readonly decoded: AnswerColumn;
  readonly labels: Labels;
  readonly mask: RowMask;
  /** Classes ahead of the labelled one, [rows], where logits and scores are summaries. */
  readonly classesAhead?: Float32Array;
}

/** A metric's name, its value (null: undefined on these rows), and how many answers it is made of. */
export interface MetricValue {
  readonly name: string;
  readonly value: number | null;
  readonly count: number;
}
