/** @file Answers (labels or predictions) → which rows are active for which task. */
import { at, f32At, i32At, u8At } from "../arrays.js";
import {
  isPerElement,
  type Condition,
  type ConditionAtom,
  conditionKey,
  type FlowGraph,
  type TaskNode,
  type TaskSpec,
} from "./graph.js";
import { flowFacts } from "./kinds.js";
import { evaluateCondition, FALSE, KLEENE, type Logic, TRUE, type TruthColumn, UNKNOWN } from "./precondition.js";

/**
 * One task's answers in label terms, NaN where unknown: 0/1 for binary, a class index, 0/1 per label,
 * a number in label units. Labels and decoded predictions have the same form.
 * Shape [rows, answerWidth(spec)]; of a task per token [tokens, answerWidth(spec)], see {@link Offsets}.
 */
export type AnswerColumn = Float32Array;

/** 1 where the row takes part. Shape [rows], of a task per token [tokens]. */
export type RowMask = Uint8Array;

/**
 * Where each row's elements, tokens or pixels, begin among those of all rows, which lie one row after the other: row r
 * has those from offsets[r] up to, not including, offsets[r + 1]. Shape [rows + 1].
 */
export type Offsets = Int32Array;

/** Numbers that one answer consists of. */
export function answerWidth(spec: TaskSpec): number {
  return flowFacts(spec).answerWidth(spec);
}

/**
 * Which rows are active for each task: own and all enclosing preconditions true (docs/architecture.md#semantics).
 * A gate that is itself inactive, or has no answer, is unknown.
 * With labels this is the truth; with decoded outputs it is what the network itself asks, recursively.
 * A task per token has a mask over all tokens: a gate per token is read token by token, and a gate per row says the
 * same of every token of its row.
 * @param answers one column per task of the graph, same order
 * @param offsets of the rows' tokens; needed where a task is asked per token
 * @returns one mask per task, same order; equal preconditions share theirs
 */
export function activeRows(
  graph: FlowGraph,
  answers: readonly AnswerColumn[],
  rows: number,
  offsets?: Offsets | null,
): RowMask[] {
  return throughFlow(graph, answers, { rows, offsets: offsets ?? null }, KLEENE, {
    truth: atomTruth,
    activity: (truth) => (truth === TRUE ? 1 : 0),
    always: 1,
  });
}

/** What is asked of conditions on their way through a flow. */
export interface FlowReading {
  /** Truth of one statement in each row, among the values of the logic. @param active of the gate, see `activity` */
  truth(atom: ConditionAtom, spec: TaskSpec, answers: AnswerColumn, active: RowMask): Uint8Array;
  /** What the truth of a precondition makes of its task. */
  activity(truth: number): number;
  /** What a task without a precondition is. */
  readonly always: number;
}

/** Reads the tasks' preconditions in the order of the flow, each with what the gates before it came to. */
export function throughFlow(
  graph: FlowGraph,
  answers: readonly AnswerColumn[],
  { rows, offsets }: { readonly rows: number; readonly offsets: Offsets | null },
  logic: Logic,
  { truth: truthIn, activity, always }: FlowReading,
): Uint8Array[] {
  const active: RowMask[] = [];
  const byPath = new Map(graph.tasks.map((task) => [task.path, task]));
  const truthOf = onceForEach((atom: ConditionAtom): TruthColumn => {
    const gate = byPath.get(atom.task) as TaskNode;
    return truthIn(atom, gate.spec, at(answers, gate.index), at(active, gate.index));
  });
  const elementTruthOf = onceForEach((atom: ConditionAtom): TruthColumn => {
    const { spec } = byPath.get(atom.task) as TaskNode;
    return isPerElement(spec) ? truthOf(atom) : overTokens(truthOf(atom), neededOffsets(offsets));
  });
  const maskBy = (truth: (atom: ConditionAtom) => TruthColumn, size: () => number) =>
    onceForEach((condition: Condition | null): RowMask => {
      if (condition === null) return new Uint8Array(size()).fill(always);
      const active = evaluateCondition(condition, truth, logic);
      const mask = new Uint8Array(active.length);
      for (let row = 0; row < mask.length; row++) mask[row] = activity(u8At(active, row));
      return mask;
    });
  const maskOf = {
    sample: maskBy(truthOf, () => rows),
    element: maskBy(elementTruthOf, () => tokensIn(neededOffsets(offsets))),
  };
  for (const { spec, precondition } of graph.tasks) {
    active.push(maskOf[isPerElement(spec) ? "element" : "sample"](precondition));
  }
  return active;
}

/** The offsets, where a task per token makes them necessary. @throws Error, a fault of the caller */
export function neededOffsets(offsets: Offsets | null | undefined): Offsets {
  if (offsets == null) throw new Error("a task per token needs the offsets of the rows' tokens");
  return offsets;
}

/** Offsets of rows that have as many elements each, as pictures of one size have pixels. */
export function evenOffsets(rows: number, each: number): Offsets {
  return Int32Array.from({ length: rows + 1 }, (_, row) => row * each);
}

/** How many tokens all rows have together. */
export function tokensIn(offsets: Offsets): number {
  return offsets.at(-1) ?? 0;
}

/** @param lengths tokens of each row */
export function offsetsOf(lengths: ArrayLike<number>): Offsets {
  const offsets = new Int32Array(lengths.length + 1);
  for (let row = 0; row < lengths.length; row++) offsets[row + 1] = i32At(offsets, row) + at(lengths, row);
  return offsets;
}

/** One value per row → the same value at each of the row's tokens. */
export function overTokens<A extends Uint8Array | Float32Array | Int32Array>(values: A, offsets: Offsets): A {
  const expanded = new (values.constructor as new (length: number) => A)(tokensIn(offsets));
  for (let row = 0; row < values.length; row++) {
    expanded.fill(values[row] as number, offsets[row], offsets[row + 1]);
  }
  return expanded;
}

/** The row that each token belongs to. */
export function rowOfEachToken(offsets: Offsets): Int32Array {
  return overTokens(
    Int32Array.from({ length: Math.max(0, offsets.length - 1) }, (_, row) => row),
    offsets,
  );
}

/** Conditions that are equal have one answer: all tasks of a flow ask the same of every row. */
function onceForEach<C extends Condition | null>(evaluate: (condition: C) => Uint8Array): (condition: C) => Uint8Array {
  const answers = new Map<string, Uint8Array>();
  return (condition) => {
    const key = conditionKey(condition);
    const answer = answers.get(key) ?? evaluate(condition);
    answers.set(key, answer);
    return answer;
  };
}

/** Truth of one statement in each row; unknown where the gate has no answer or is not active. */
export function atomTruth(atom: ConditionAtom, spec: TaskSpec, answers: AnswerColumn, active: RowMask): TruthColumn {
  const width = answerWidth(spec);
  const offset = atom.kind === "has" ? atom.label : 0;
  const holds = statement(atom);
  const truth = new Uint8Array(active.length);
  for (let row = 0; row < truth.length; row++) {
    const answer = f32At(answers, row * width + offset);
    truth[row] = active[row] === 0 || Number.isNaN(answer) ? UNKNOWN : holds(answer) ? TRUE : FALSE;
  }
  return truth;
}

/** Whether a known answer makes a statement true. */
export function statement(atom: ConditionAtom): (answer: number) => boolean {
  switch (atom.kind) {
    case "true":
    case "has":
      return (answer) => answer >= 0.5;
    case "isOneOf": {
      const classes = new Set(atom.classes);
      return (answer) => classes.has(answer);
    }
    case "atLeast": {
      // answers are single precision: compare with the bound as such, so that 18.3 is at least 18.3
      const bound = Math.fround(atom.value);
      return (answer) => answer >= bound;
    }
    case "below": {
      const bound = Math.fround(atom.value);
      return (answer) => answer < bound;
    }
    default:
      return atom satisfies never;
  }
}

/** Rows with at least one known number. */
export function labelledRows(spec: TaskSpec, answers: AnswerColumn): RowMask {
  const width = answerWidth(spec);
  const labelled = new Uint8Array(answers.length / width);
  if (width === 1) {
    for (let i = 0; i < answers.length; i++) labelled[i] = Number.isNaN(f32At(answers, i)) ? 0 : 1;
    return labelled;
  }
  for (let i = 0; i < answers.length; i++) {
    if (!Number.isNaN(f32At(answers, i))) labelled[Math.floor(i / width)] = 1;
  }
  return labelled;
}

/** Loss mask = active and labelled. */
export function bothMasks(a: RowMask, b: RowMask): RowMask {
  const both = new Uint8Array(a.length);
  for (let row = 0; row < both.length; row++) both[row] = u8At(a, row) & u8At(b, row);
  return both;
}
