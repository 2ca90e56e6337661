/** @file Scores of all tasks → decoded answers, and which of them were asked: by the network's own answers, gate to gate. */
import { at } from "../arrays.js";
import type { FlowGraph, TaskSpec } from "../flow/graph.js";
import { type AnswerColumn, activeRows, type Offsets, type RowMask } from "../flow/masks.js";
import type { Decoder, Thresholds, UnitScale } from "./decoders.js";

/** What decides about the answers of one task. */
export interface TaskScores {
  /** [rows, logitWidth], or of a task per token [tokens, logitWidth], after sigmoid or softmax. */
  readonly activated: Float32Array;
  readonly thresholds: Thresholds;
  readonly unitScale: UnitScale;
  /** Answers that come with the inputs, of a task that the table answers. */
  readonly known: AnswerColumn;
}

/** Answers of all tasks, in the order of the graph. */
export interface FlowAnswers {
  /** [rows, answerWidth] in label units. */
  readonly decoded: readonly AnswerColumn[];
  /** 1 where the question is asked. */
  readonly active: readonly RowMask[];
}

/** Rows of what is decoded, and where their tokens lie. */
export interface Extent {
  readonly rows: number;
  readonly offsets: Offsets | null;
}

/** What knows how a spec's answers are decoded. */
export type DecoderOf<Column extends keyof Decoder<TaskSpec>> = <S extends TaskSpec>(
  spec: S,
) => Pick<Decoder<S>, Column>;

/** @param tasks one for each task of the graph, same order */
export function decodeFlow(
  graph: FlowGraph,
  tasks: readonly TaskScores[],
  { rows, offsets }: Extent,
  decoderOf: DecoderOf<"answeredBy" | "decode">,
): FlowAnswers {
  const decoded = graph.tasks.map(({ spec }, i) => {
    const decoder = decoderOf(spec);
    const { known, activated, thresholds, unitScale } = at(tasks, i);
    return decoder.answeredBy === "table" ? known : decoder.decode(spec, activated, thresholds, unitScale);
  });
  return { decoded, active: activeRows(graph, decoded, rows, offsets) };
}
