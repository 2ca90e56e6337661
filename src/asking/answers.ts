/** @file A scored row → its answers by path of task, in words, as scores, and how likely they are. */
import { i32At } from "../arrays.js";
import {
  type AnswerProbabilities,
  type LikelyAnswer,
  probabilitiesAt,
} from "../analysis/probability/answer-probabilities.js";
import type { ScoredSplit } from "../analysis/score.js";
import { type Answer as DecodedAnswer, type AnsweredTask, answersOfRow } from "../decoding/answers.js";
import { isPerElement, isPerPixel, type FlowGraph, type TaskNode } from "../flow/graph.js";
import { neededOffsets } from "../flow/masks.js";
import { behaviourOf, decodedScore } from "../tasks/index.js";

export type Answer = DecodedAnswer & LikelyAnswer;

/** Tasks whose precondition does not hold are left out. */
export function answersOf(
  graph: FlowGraph,
  scored: ScoredSplit,
  row: number,
  probabilities: AnswerProbabilities,
): Record<string, Answer> {
  const answers = answersOfRow(graph, (index) => answeredTask(scored, index), scored.offsets, row, behaviourOf);
  return Object.fromEntries(
    graph.tasks.flatMap((task): [string, Answer][] => {
      const answer = answers[task.path];
      if (answer === undefined) return [];
      // of a picture's pixels there are too many to say how likely each is
      if (isPerPixel(task.spec)) return [[task.path, answer]];
      return [[task.path, { ...answer, ...probabilitiesAt(task, probabilities, entriesOf(scored, task, row)) }]];
    }),
  );
}

/** The row, or where its tokens lie among those of all rows. */
function entriesOf({ offsets }: ScoredSplit, { spec }: TaskNode, row: number): number[] {
  if (!isPerElement(spec)) return [row];
  const all = neededOffsets(offsets);
  const from = i32At(all, row);
  return Array.from({ length: i32At(all, row + 1) - from }, (_, i) => from + i);
}

function answeredTask({ tasks }: ScoredSplit, index: number): AnsweredTask | undefined {
  const scored = tasks[index];
  if (scored === undefined) return undefined;
  const { task, kept, decoded, activePredicted } = scored;
  const width = behaviourOf(task.spec).logitWidth(task.spec);
  return {
    decoded,
    active: activePredicted,
    scores(from, to) {
      if (kept.kind === "logits") return kept.activated.subarray(from * width, to * width);
      return Array.from({ length: to - from }, (_, i) => decodedScore(kept, width, decoded, from + i));
    },
  };
}
