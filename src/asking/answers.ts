/** @file A scored row → its answers by path of task, in words and as scores. */
import { i32At } from "../arrays.js";
import type { ScoredSplit, ScoredTask } from "../analysis/score.js";
import { type AnswerProbabilities, probabilitiesAt } from "../analysis/probability/answer-probabilities.js";
import { axisOf, type FlowGraph } from "../flow/graph.js";
import { neededOffsets, type Offsets } from "../flow/masks.js";
import { behaviourOf, allLogits, type Described, decodedScore } from "../tasks/index.js";

export interface Answer {
  /** Of a task per token a list with one answer per token, null where it is not asked. */
  readonly decoded: Described | readonly Described[];
  /**
   * Probability of each logit; for a regression the fraction of [min, max]. Of a task per token token by token; of one
   * of very many classes the decoded class's alone.
   */
  readonly activated: readonly number[];
  /** That the question is asked, of a task with a precondition; of a task per token token by token. */
  readonly asked_probability?: number | readonly number[];
  /** That it is asked and answered so; missing where the scores do not say how likely an answer is. */
  readonly joint_probability?: number | readonly number[];
}

/** Tasks whose precondition does not hold are left out. */
export function answersOf(
  graph: FlowGraph,
  scored: ScoredSplit,
  row: number,
  probabilities: AnswerProbabilities,
): Record<string, Answer> {
  return Object.fromEntries(
    graph.tasks.flatMap(({ index, path, spec }): [string, Answer][] => {
      const task = scored.tasks[index];
      const behaviour = behaviourOf(spec);
      if (task === undefined || behaviour.answeredBy === "training") return [];
      if (axisOf(spec) === "token") return tokenAnswers(task, neededOffsets(scored.offsets), row, probabilities);
      if (task.activePredicted[row] === 0) return [];
      const width = behaviour.logitWidth(spec);
      const activated = Array.from(allLogits(task.kept).activated.subarray(row * width, (row + 1) * width));
      const likely = probabilitiesAt(task.task, probabilities, [row]);
      return [[path, { decoded: behaviour.describe(spec, task.decoded, row), activated, ...likely }]];
    }),
  );
}

/** One answer per token of a row; none where the task is asked of no token. */
function tokenAnswers(
  { task, kept, decoded, activePredicted }: ScoredTask,
  offsets: Offsets,
  row: number,
  probabilities: AnswerProbabilities,
) {
  const { path, spec } = task;
  const [from, to] = [i32At(offsets, row), i32At(offsets, row + 1)];
  if (!activePredicted.subarray(from, to).includes(1)) return [];
  const behaviour = behaviourOf(spec);
  const width = behaviour.logitWidth(spec);
  const scores =
    kept.kind === "summary"
      ? decoded.subarray(from, to).map((_, i) => decodedScore(kept, width, decoded, from + i))
      : kept.activated.subarray(from * width, to * width);
  const answer: Answer = {
    decoded: Array.from({ length: to - from }, (_, i) =>
      activePredicted[from + i] === 1 ? behaviour.describe(spec, decoded, from + i) : null,
    ),
    activated: Array.from(scores),
    ...probabilitiesAt(
      task,
      probabilities,
      Array.from({ length: to - from }, (_, i) => from + i),
    ),
  };
  return [[path, answer]] satisfies [string, Answer][];
}
