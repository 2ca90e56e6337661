/** @file Missing labels of gates that follow from the labels of what they gate. */
import { at, f32At } from "../../arrays.js";
import {
  type Axis,
  axisOf,
  type Condition,
  type ConditionAtom,
  type FlowGraph,
  gatesOf,
  type TaskNode,
} from "../../flow/graph.js";
import { flowFacts } from "../../flow/kinds.js";
import { answerWidth, atomTruth, labelledRows, type Offsets, type RowMask } from "../../flow/masks.js";
import { evaluateCondition, FALSE, TRUE, type TruthColumn, UNKNOWN } from "../../flow/precondition.js";
import type { Labels } from "../../tasks/index.js";
import type { ImpliedLabels } from "../dataset.js";
import { rowsWithLabel } from "./token-labels.js";

/**
 * A row that labels a task says that the task's precondition holds there, and so what its gates must be where nobody
 * labelled them. Only what the condition forces is implied:
 *  - every part of a conjunction is true; `not x`: x is false, by De Morgan's laws also inside;
 *  - a part of a disjunction is true where all its other parts are known to be false;
 *  - `is(class)` gives the class; that it is another one only where there are two;
 *  - `has(label)` gives that label's truth; `atLeast` and `below` give a level where only one is left, and no number.
 * A label that is there is never changed, a precondition that is known to be false implies nothing (its row
 * contradicts itself), and a gate that is known not to be asked in a row gets no label there. Implied labels imply the
 * labels of their own gates in turn. A labelled token implies what gates per row must be in its row, and gates per
 * token at its place; where one condition reads both, it implies nothing.
 * @param labels per task of the graph, over the same rows; stay as they are
 * @param offsets of the rows' tokens; needed where a task is asked per token
 */
export function withImpliedLabels(
  graph: FlowGraph,
  labels: readonly Labels[],
  offsets?: Offsets | null,
): { readonly labels: readonly Labels[]; readonly implied: readonly ImpliedLabels[] } {
  const answers = labels.map((one) => one.answers.slice());
  const [first] = graph.tasks;
  if (first === undefined) return { labels, implied: [] };
  const counts = new Map<string, number>();
  const forcing = new Forcing(graph, answers, (path) => counts.set(path, (counts.get(path) ?? 0) + 1));
  // gates come before what they gate, so from the last to the first every label is complete when it is read
  for (const task of graph.tasks.toReversed()) {
    if (task.precondition === null) continue;
    const labelled = labelledRows(task.spec, answers[task.index] as Float32Array);
    const axis = forcing.axisOf(task.precondition);
    if (axis === "mixed") continue;
    const rows = axis === "sample" ? rowsWithLabel(task, labelled, offsets) : labelled;
    forcing.force(task.precondition, TRUE, rows);
  }
  return {
    labels: labels.map((one, i) => ({ ...one, answers: answers[i] as Float32Array })),
    implied: graph.tasks.flatMap(({ path }) => {
      const implied = counts.get(path);
      return implied === undefined ? [] : [{ task_path: path, implied }];
    }),
  };
}

type Truth = typeof TRUE | typeof FALSE;

class Forcing {
  readonly #tasks: ReadonlyMap<string, TaskNode>;

  /** @param onImplied called for each number that is written into `answers` */
  constructor(
    graph: FlowGraph,
    private readonly answers: readonly Float32Array[],
    private readonly onImplied: (path: string) => void,
  ) {
    this.#tasks = new Map(graph.tasks.map((task) => [task.path, task]));
  }

  /** What the gates of a condition, and theirs in turn, have one answer for. */
  axisOf(condition: Condition): Axis | "mixed" {
    const axes = [...gatesOf(condition)].map((path) => {
      const { spec, precondition } = this.#tasks.get(path) as TaskNode;
      const own = axisOf(spec);
      return precondition === null || this.axisOf(precondition) === own ? own : "mixed";
    });
    return axes.every((axis) => axis === axes[0]) ? (axes[0] ?? "sample") : "mixed";
  }

  /** Writes what the condition's being `wanted` forces in the rows where its truth is not known. */
  force(condition: Condition, wanted: Truth, rows: RowMask): void {
    const truth = this.#truthOf(condition);
    const open = rows.map((asked, row) => (asked === 1 && truth[row] === UNKNOWN ? 1 : 0));
    if (!open.includes(1)) return;
    switch (condition.kind) {
      case "not":
        this.force(condition.of, wanted === TRUE ? FALSE : TRUE, open);
        break;
      case "and":
        this.#forceParts(condition.of, wanted, TRUE, open);
        break;
      case "or":
        this.#forceParts(condition.of, wanted, FALSE, open);
        break;
      default:
        this.#forceAtom(condition, wanted, open);
    }
  }

  /**
   * @param neutral what a part must be not to decide the whole: true in a conjunction, false in a disjunction
   */
  #forceParts(parts: readonly Condition[], wanted: Truth, neutral: Truth, rows: RowMask): void {
    const truths = parts.map((part) => this.#truthOf(part));
    parts.forEach((part, i) => {
      // one part decides the whole only if no other can
      const last = (row: number): boolean => truths.every((truth, k) => k === i || truth[row] === neutral);
      this.force(part, wanted, wanted === neutral ? rows : rows.map((open, row) => (open === 1 && last(row) ? 1 : 0)));
    });
  }

  #forceAtom(atom: ConditionAtom, wanted: Truth, rows: RowMask): void {
    const gate = this.#task(atom);
    const answer = forcedAnswer(atom, gate, wanted);
    if (answer === null) return;
    const answers = at(this.answers, gate.index);
    const width = answerWidth(gate.spec);
    const offset = atom.kind === "has" ? atom.label : 0;
    const gateAsked = gate.precondition === null ? null : this.#truthOf(gate.precondition);
    for (let row = 0; row < rows.length; row++) {
      if (rows[row] !== 1 || gateAsked?.[row] === FALSE) continue;
      answers[row * width + offset] = answer;
      this.onImplied(gate.path);
    }
  }

  /** By the labels alone, whether or not their tasks are asked. */
  #truthOf(condition: Condition): TruthColumn {
    return evaluateCondition(condition, (atom) => {
      const { spec, index } = this.#task(atom);
      const answers = at(this.answers, index);
      return atomTruth(atom, spec, answers, new Uint8Array(answers.length / answerWidth(spec)).fill(1));
    });
  }

  #task(atom: ConditionAtom): TaskNode {
    const task = this.#tasks.get(atom.task);
    if (task === undefined) throw new Error(`graph has no task ${atom.task}`);
    return task;
  }
}

/** The one answer that makes a statement true or false; null where several do. */
function forcedAnswer(atom: ConditionAtom, { spec }: TaskNode, wanted: Truth): number | null {
  switch (atom.kind) {
    case "true":
    case "has":
      return wanted === TRUE ? 1 : 0;
    case "isOneOf":
    case "atLeast":
    case "below": {
      // of a number there are too many
      const answers = Float32Array.from(flowFacts(spec).names(spec).keys());
      const truth = atomTruth(atom, spec, answers, new Uint8Array(answers.length).fill(1));
      const possible = answers.filter((i) => truth[i] === wanted);
      return possible.length === 1 ? f32At(possible, 0) : null;
    }
    default:
      return atom satisfies never;
  }
}
