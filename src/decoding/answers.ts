/** @file One row's answers by path of task, in words and as scores. */
import { i32At } from "../arrays.js";
import { isPerElement, isPerPixel, type FlowGraph, type TaskNode } from "../flow/graph.js";
import { type AnswerColumn, neededOffsets, type Offsets, type RowMask } from "../flow/masks.js";
import { pictureAnswer, pixelsOf } from "./areas.js";
import type { DecoderOf } from "./decode-flow.js";
import type { Described } from "./decoders.js";

export interface Answer {
  /**
   * Of a task per token a list with one answer per token, null where it is not asked; of one per pixel see
   * {@link pictureAnswer}.
   */
  readonly decoded: Described | readonly Described[];
  /**
   * Probability of each logit; for a regression the fraction of [min, max]. Of a task per token token by token; of one
   * of very many classes the decoded class's alone.
   */
  readonly activated: readonly number[];
}

/** What one task answered to all rows. */
export interface AnsweredTask {
  readonly decoded: AnswerColumn;
  readonly active: RowMask;
  /** Scores of some entries, rows or tokens: from one up to, not including, another. */
  scores(from: number, to: number): ArrayLike<number>;
}

/**
 * Tasks whose precondition does not hold are left out.
 * @param taskAt answers of the task at an index of the graph
 */
export function answersOfRow(
  { tasks }: FlowGraph,
  taskAt: (index: number) => AnsweredTask | undefined,
  offsets: Offsets | null | undefined,
  row: number,
  decoderOf: DecoderOf<"answeredBy" | "describe">,
): Record<string, Answer> {
  return Object.fromEntries(
    tasks.flatMap((node): [string, Answer][] => {
      const { spec, path, index } = node;
      const answered = taskAt(index);
      const decoder = decoderOf(spec);
      if (answered === undefined || decoder.answeredBy === "training") return [];
      if (isPerPixel(spec)) return pictureAnswers(node, answered, row);
      if (isPerElement(spec)) return tokenAnswers(node, answered, neededOffsets(offsets), row, decoderOf);
      if (answered.active[row] !== 1) return [];
      const activated = Array.from(answered.scores(row, row + 1));
      return [[path, { decoded: decoder.describe(spec, answered.decoded, row), activated }]];
    }),
  );
}

/** What the answers to the pixels of a picture come to; none where the task is asked of no pixel. */
function pictureAnswers({ path, spec }: TaskNode, { decoded, active }: AnsweredTask, row: number): [string, Answer][] {
  const pixels = pixelsOf(spec);
  if (!active.subarray(row * pixels, (row + 1) * pixels).includes(1)) return [];
  return [[path, pictureAnswer(spec, decoded, active, row)]];
}

/** One answer per token of a row; none where the task is asked of no token. */
function tokenAnswers(
  { path, spec }: TaskNode,
  { decoded, active, scores }: AnsweredTask,
  offsets: Offsets,
  row: number,
  decoderOf: DecoderOf<"describe">,
): [string, Answer][] {
  const [from, to] = [i32At(offsets, row), i32At(offsets, row + 1)];
  if (!active.subarray(from, to).includes(1)) return [];
  const decoder = decoderOf(spec);
  const described = Array.from(
    { length: to - from },
    (_, i): Described => (active[from + i] === 1 ? decoder.describe(spec, decoded, from + i) : null),
  );
  return [[path, { decoded: described, activated: Array.from(scores(from, to)) }]];
}
