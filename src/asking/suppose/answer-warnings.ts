/** @file What must not pass unseen in answers: suppositions that change nothing, and answers that are no numbers. */
import { at, i32At } from "../../arrays.js";
import type { Supposition } from "../../analysis/suppose/suppose.js";
import type { ScoredSplit, ScoredTask } from "../../analysis/score.js";
import { isPerElement, type FlowGraph, taskAt } from "../../flow/graph.js";
import { answerWidth, neededOffsets } from "../../flow/masks.js";
import { printCondition } from "../../flow/print.js";
import { behaviourOf } from "../../tasks/index.js";

/** Inputs that are named; of more it is said how many there are. */
const NAMED = 3;

/**
 * One sentence for each supposed task that is not asked of some inputs.
 * @param supposed the answers as they are with the suppositions
 */
export function unaskedSuppositions(
  graph: FlowGraph,
  supposed: ScoredSplit,
  suppositions: readonly Supposition[],
): string[] {
  return [...new Set(suppositions.map(({ task }) => task))].flatMap((path) => {
    const { index, precondition } = taskAt(graph, path);
    const task = at(supposed.tasks, index);
    const inputs = inputsWhere(supposed, task, (from, to) => !task.activePredicted.subarray(from, to).includes(1));
    if (inputs.length === 0 || precondition === null) return [];
    const gates = printCondition(graph, precondition);
    return [
      `${path} is not asked of ${named(inputs)}, so that to suppose it changes nothing there; it is asked where ${gates}`,
    ];
  });
}

/** One sentence for each task that a network has answered with NaN where it is asked. */
export function nanInputs(graph: FlowGraph, scored: ScoredSplit): string[] {
  return graph.tasks.flatMap(({ path, spec, index }) => {
    if (behaviourOf(spec).answeredBy !== "network") return [];
    const task = at(scored.tasks, index);
    const width = answerWidth(spec);
    const isNan = (entry: number): boolean =>
      task.activePredicted[entry] === 1 && task.decoded.subarray(entry * width, (entry + 1) * width).some(Number.isNaN);
    const inputs = inputsWhere(scored, task, (from, to) => {
      for (let entry = from; entry < to; entry++) if (isNan(entry)) return true;
      return false;
    });
    return inputs.length === 0 ? [] : [`${path}: the network's answer to ${named(inputs)} is NaN, which is no answer`];
  });
}

/** @param holds of a row, or of where its tokens lie among those of all rows */
function inputsWhere(
  { ids, offsets }: ScoredSplit,
  { task }: ScoredTask,
  holds: (from: number, to: number) => boolean,
): string[] {
  const all = isPerElement(task.spec) ? neededOffsets(offsets) : null;
  return ids.filter((_, row) => (all === null ? holds(row, row + 1) : holds(i32At(all, row), i32At(all, row + 1))));
}

function named(inputs: readonly string[]): string {
  const more = inputs.length - NAMED;
  return more <= 0 ? inputs.join(", ") : `${inputs.slice(0, NAMED).join(", ")} and ${more} more inputs`;
}
