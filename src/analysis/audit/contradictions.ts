/** @file Cells that contradict the flow: filled although their question is not asked by the other labels of the row. */
import { at } from "../../arrays.js";
import { askedByLabels, NOT_ASKED } from "../../flow/asked.js";
import { isPerElement, type FlowGraph, gatesOf } from "../../flow/graph.js";
import { activeRows, labelledRows } from "../../flow/masks.js";
import { behaviourOf, type Labels } from "../../tasks/index.js";

/** A filled cell that the flow does not ask for. */
export interface Contradiction {
  readonly row: number;
  /** Of the task whose cell is filled. */
  readonly task: number;
  /** `not_asked`: its precondition is false; `gate_missing`: a gate has no label, so that nobody knows. */
  readonly kind: "not_asked" | "gate_missing";
  /** Paths of the gates that say so, or are missing. */
  readonly gates: readonly string[];
}

/**
 * Lists them in the order of the rows. Tasks per token are left out.
 * @param labels per task of the graph
 */
export function contradictionsOf(graph: FlowGraph, labels: readonly Labels[], rows: number): Contradiction[] {
  const tasks = graph.tasks.filter(({ spec }) => !isPerElement(spec));
  // tasks per token gate no other tasks, so that the rest is a flow of its own
  const own = { ...graph, tasks: tasks.map((task, index) => ({ ...task, index })) };
  const answers = tasks.map(({ index }) => at(labels, index).answers);
  const active = activeRows(own, answers, rows);
  const asked = askedByLabels(own, answers, rows);
  const filled = tasks.map(({ spec }, i) => labelledRows(spec, at(answers, i)));
  const byPath = new Map(tasks.map(({ path }, i) => [path, i]));
  const found: Contradiction[] = [];
  for (const [i, { index, spec, precondition }] of tasks.entries()) {
    if (precondition === null || behaviourOf(spec).answeredBy !== "network") continue;
    const gates = [...gatesOf(precondition)];
    for (let row = 0; row < rows; row++) {
      if (at(filled, i)[row] !== 1 || at(active, i)[row] === 1) continue;
      const kind = at(asked, i)[row] === NOT_ASKED ? "not_asked" : "gate_missing";
      const isFilled = (path: string): boolean => at(filled, byPath.get(path) ?? -1)[row] === 1;
      const saying = gates.filter((path) => isFilled(path) === (kind === "not_asked"));
      found.push({ row, task: index, kind, gates: saying.length > 0 ? saying : gates });
    }
  }
  return found.sort((a, b) => a.row - b.row || a.task - b.task);
}
