/** @file Missing labels of gates that follow from the labels of what they gate. */
import type { Condition, ConditionAtom, FlowGraph, TaskNode } from "../flow/graph.js";
import { answerWidth, atomTruth, labelledRows, type RowMask } from "../flow/masks.js";
import { evaluateCondition, FALSE, TRUE, type TruthColumn, UNKNOWN } from "../flow/precondition.js";
import type { Labels } from "../tasks/index.js";
import type { ImpliedLabels } from "./dataset.js";

/**
 * A row that labels a task says that the task's precondition holds there, and so what its gates must be where nobody
 * labelled them. Only what the condition forces is implied:
 *  - every part of a conjunction is true; `not x`: x is false, by De Morgan's laws also inside;
 *  - a part of a disjunction is true where all its other parts are known to be false;
 *  - `is(class)` gives the class; that it is another one only where there are two;
 *  - `has(label)` gives that label's truth; `atLeast` and `below` give no number.
 * A label that is there is never changed, a precondition that is known to be false implies nothing (its row
 * contradicts itself), and a gate that is known not to be asked in a row gets no label there. Implied labels imply the
 * labels of their own gates in turn.
 * @param labels per task of the graph, over the same rows; stay as they are
 */
export function withImpliedLabels(
  graph: FlowGraph,
  labels: readonly Labels[],
): { readonly labels: readonly Labels[]; readonly implied: readonly ImpliedLabels[] } {
  const answers = labels.map((one) => one.answers.slice());
  const [first] = graph.tasks;
  if (first === undefined) return { labels, implied: [] };
  const rows = (answers[0]?.length ?? 0) / answerWidth(first.spec);
  const counts = new Map<string, number>();
  const forcing = new Forcing(graph, answers, rows, (path) => counts.set(path, (counts.get(path) ?? 0) + 1));
  // gates come before what they gate, so from the last to the first every label is complete when it is read
  for (const task of graph.tasks.toReversed()) {
    if (task.precondition === null) continue;
    const labelled = labelledRows(task.spec, answers[task.index] as Float32Array);
    forcing.force(task.precondition, TRUE, labelled);
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
  readonly #asked: RowMask;

  /** @param onImplied called for each number that is written into `answers` */
  constructor(
    graph: FlowGraph,
    private readonly answers: readonly Float32Array[],
    rows: number,
    private readonly onImplied: (path: string) => void,
  ) {
    this.#tasks = new Map(graph.tasks.map((task) => [task.path, task]));
    this.#asked = new Uint8Array(rows).fill(1);
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
    const answers = this.answers[gate.index] as Float32Array;
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
      return atomTruth(atom, spec, this.answers[index] as Float32Array, this.#asked);
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
    case "isOneOf": {
      const count = spec.kind === "classification" ? spec.classes.length : 0;
      const possible = Array.from({ length: count }, (_, i) => i).filter(
        (i) => atom.classes.includes(i) === (wanted === TRUE),
      );
      return possible.length === 1 ? (possible[0] as number) : null;
    }
    case "atLeast":
    case "below":
      return null;
    default:
      return atom satisfies never;
  }
}
