/** @file Which questions labels say are asked, where some labels are missing: yes, no, or it cannot be told. */
import { f32At, u8At } from "../arrays.js";
import type { ConditionAtom, FlowGraph, TaskSpec } from "./graph.js";
import { type AnswerColumn, answerWidth, type Offsets, type RowMask, statement, throughFlow } from "./masks.js";
import { AND, FALSE, NOT, OR, type Logic, TRUE, UNKNOWN } from "./precondition.js";

/** The question is not asked, whatever the missing labels are. */
export const NOT_ASKED = 0;
/** It is asked. */
export const ASKED = 1;
/** It hangs on a label that is missing. */
export const UNDECIDED = 2;

// a truth of which several values are possible: the set of them, as bits
const setOf = (...values: readonly number[]): number => values.reduce((set, value) => set | (1 << value), 0);
const SETS = 8;
const ONLY_TRUE = setOf(TRUE);

/** What a table of single values comes to when each side may be any of a set. */
function ofSets(table: (left: number, right: number) => number, left: number, right: number): number {
  let set = 0;
  for (const a of [FALSE, TRUE, UNKNOWN]) {
    for (const b of [FALSE, TRUE, UNKNOWN]) {
      if ((left & (1 << a)) !== 0 && (right & (1 << b)) !== 0) set |= 1 << table(a, b);
    }
  }
  return set;
}

const tableOfSets = (table: Uint8Array): Uint8Array =>
  Uint8Array.from({ length: SETS * SETS }, (_, i) =>
    ofSets((a, b) => u8At(table, a * 3 + b), Math.floor(i / SETS), i % SETS),
  );

/** Kleene's logic of sets of values: it never says less than what is certain. */
const SETS_OF_TRUTHS: Logic = {
  values: SETS,
  not: Uint8Array.from({ length: SETS }, (_, set) => ofSets((a) => u8At(NOT, a), set, ONLY_TRUE)),
  and: tableOfSets(AND),
  or: tableOfSets(OR),
};

/**
 * For each task and row whether the labels say that it is asked: {@link ASKED}, {@link NOT_ASKED} or
 * {@link UNDECIDED}, where that hangs on a label that is missing. A gate that is not asked is unknown, as ever, which is
 * not a missing label. Where one missing label decides both sides of a condition it may say undecided of what is certain.
 * @param answers one column of labels per task of the graph, NaN where missing
 * @param offsets of the rows' tokens; needed where a task is asked per token
 * @returns one column per task, same order
 */
export function askedByLabels(
  graph: FlowGraph,
  answers: readonly AnswerColumn[],
  rows: number,
  offsets?: Offsets | null,
): Uint8Array[] {
  return throughFlow(graph, answers, { rows, offsets: offsets ?? null }, SETS_OF_TRUTHS, {
    truth: possibleTruths,
    activity: (set) => (set === ONLY_TRUE ? ASKED : (set & ONLY_TRUE) === 0 ? NOT_ASKED : UNDECIDED),
    always: ASKED,
  });
}

/** The values that a statement may have in each row. */
function possibleTruths(atom: ConditionAtom, spec: TaskSpec, answers: AnswerColumn, asked: RowMask): Uint8Array {
  const width = answerWidth(spec);
  const offset = atom.kind === "has" ? atom.label : 0;
  const holds = statement(atom);
  return asked.map((status, row) => {
    if (status === NOT_ASKED) return setOf(UNKNOWN);
    const answer = f32At(answers, row * width + offset);
    const own = Number.isNaN(answer) ? setOf(TRUE, FALSE) : setOf(holds(answer) ? TRUE : FALSE);
    return status === ASKED ? own : own | setOf(UNKNOWN);
  });
}
