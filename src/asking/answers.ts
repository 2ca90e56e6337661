/** @file A scored row → its answers by path of task, in words and as scores. */
import type { ScoredSplit } from "../analysis/score.js";
import { type Answer, type AnsweredTask, answersOfRow } from "../decoding/answers.js";
import type { FlowGraph } from "../flow/graph.js";
import { behaviourOf, decodedScore } from "../tasks/index.js";

export type { Answer } from "../decoding/answers.js";

/** Tasks whose precondition does not hold are left out. */
export function answersOf(graph: FlowGraph, scored: ScoredSplit, row: number): Record<string, Answer> {
  return answersOfRow(graph, (index) => answeredTask(scored, index), scored.offsets, row, behaviourOf);
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
