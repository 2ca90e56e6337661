/** @file Answers as if: some of a network's answers, or its thresholds, replaced, and the flow read again. */
import { at } from "../../arrays.js";
import type { FlowGraph } from "../../flow/graph.js";
import { activeRows, answerWidth, bothMasks } from "../../flow/masks.js";
import { type ScoredSplit, withThresholds } from "../score.js";

/** What is supposed of one task: its answer, or from which score up it is yes. */
export type Supposition =
  | {
      readonly kind: "answer";
      readonly task: string;
      /** [answerWidth], as labels are. */
      readonly answer: readonly number[];
    }
  | {
      readonly kind: "threshold";
      readonly task: string;
      /** Question of the task. */
      readonly question: number;
      readonly value: number;
    };

/** The same rows with what is supposed of every one: what hangs on it is asked as if the network had said so. */
export function suppose(graph: FlowGraph, scored: ScoredSplit, suppositions: readonly Supposition[]): ScoredSplit {
  const thresholds = scored.tasks.map((task) => {
    const own = suppositions.filter((one) => one.kind === "threshold" && one.task === task.task.path);
    return task.thresholds.map((value, question) => {
      const supposed = own.findLast((one) => one.kind === "threshold" && one.question === question);
      return supposed?.kind === "threshold" ? supposed.value : value;
    });
  });
  const decided = withThresholds(graph, scored, thresholds);
  const decoded = decided.tasks.map((task) => {
    const own = suppositions.findLast((one) => one.kind === "answer" && one.task === task.task.path);
    if (own?.kind !== "answer") return task.decoded;
    const width = answerWidth(task.task.spec);
    return task.decoded.map((_, i) => at(own.answer, i % width));
  });
  const active = activeRows(graph, decoded, scored.ids.length, scored.offsets);
  return {
    ...decided,
    tasks: decided.tasks.map((task, i) => ({
      ...task,
      decoded: at(decoded, i),
      activePredicted: at(active, i),
      predictedMask: bothMasks(at(active, i), task.labelled),
    })),
  };
}
