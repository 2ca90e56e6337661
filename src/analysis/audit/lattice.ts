/** @file All ways through a flow, as far as its conditions can tell them apart: the paths that a row's answers can take. */
import { at, u8At } from "../../arrays.js";
import { type Condition, type ConditionAtom, type FlowGraph, operands, type TaskNode } from "../../flow/graph.js";
import { statement } from "../../flow/masks.js";
import { AND, FALSE, NOT, OR, TRUE, UNKNOWN } from "../../flow/precondition.js";
import { type AnswerForm, answerForm } from "./forms.js";

/** Answers that no condition tells apart are one signature: the truth of each statement about the task. */
export interface Signatures {
  /** Statements that conditions make about the task, each once. */
  readonly atoms: readonly ConditionAtom[];
  /** Truths of the atoms under each signature, {@link TRUE} or {@link FALSE}. */
  readonly truths: readonly (readonly number[])[];
}

/** What one task may come to, from one state of the flow. */
interface Edge {
  readonly from: number;
  readonly to: number;
  /** Whether the task is asked. */
  readonly asked: boolean;
  /** Which signature its answer has; −1: it has no answer. */
  readonly signature: number;
}

/** One task of the lattice. */
interface Layer {
  readonly task: TaskNode;
  readonly form: AnswerForm | null;
  readonly signatures: Signatures;
  readonly edges: readonly Edge[];
  /** States before the task, and after it. */
  readonly before: number;
  readonly after: number;
}

/**
 * The flow as layers of states: a state is the truth of every statement that later conditions read. It depends on the flow
 * alone, so it is made once for all rows.
 */
export interface Lattice {
  readonly layers: readonly Layer[];
}

/** More edges than this are not walked for every row. */
const MOST_EDGES = 20_000;

/** @param tasks of the graph that take part, gates before what they gate; null where there are too many ways */
export function latticeOf(graph: FlowGraph, tasks: readonly TaskNode[] = graph.tasks): Lattice | null {
  const conditions = tasks.map(({ precondition }) => precondition);
  const atomKeys = conditions.map((condition) => (condition === null ? [] : atomsOf(condition)).map(keyOf));
  let states = [new Map<string, number>()];
  let edgeCount = 0;
  const layers: Layer[] = [];
  for (const [i, task] of tasks.entries()) {
    const form = answerForm(task.spec);
    const signatures = signaturesOf(task, conditions, form);
    if (signatures === null) return null;
    // statements that conditions after this task still read
    const live = new Set(atomKeys.slice(i + 1).flat());
    const own = signatures.atoms.map(keyOf);
    const next = new Map<string, { readonly index: number; readonly truths: Map<string, number> }>();
    const edges: Edge[] = [];
    for (const [from, truths] of states.entries()) {
      const asked = conditionTruth(conditions[i] ?? null, truths) === TRUE;
      for (let signature = asked ? signatures.truths.length - 1 : -1; signature >= -1; signature--) {
        const after = new Map([...truths].filter(([key]) => live.has(key)));
        for (const [a, key] of own.entries()) {
          if (live.has(key)) after.set(key, signature < 0 ? UNKNOWN : at(at(signatures.truths, signature), a));
        }
        const name = JSON.stringify([...after].sort(([a], [b]) => (a < b ? -1 : 1)));
        const found = next.get(name) ?? { index: next.size, truths: after };
        next.set(name, found);
        edges.push({ from, to: found.index, asked, signature });
      }
      if (edgeCount + edges.length > MOST_EDGES) return null;
    }
    edgeCount += edges.length;
    layers.push({ task, form, signatures, edges, before: states.length, after: next.size });
    states = [...next.values()].map(({ truths }) => truths);
  }
  return { layers };
}

/** Truth of a condition where some statements have one. */
export function conditionTruth(condition: Condition | null, truths: ReadonlyMap<string, number>): number {
  if (condition === null) return TRUE;
  const fold = (table: Uint8Array, of: readonly Condition[]): number =>
    of.map((one) => conditionTruth(one, truths)).reduce((left, right) => u8At(table, left * 3 + right));
  switch (condition.kind) {
    case "not":
      return u8At(NOT, conditionTruth(condition.of, truths));
    case "and":
      return fold(AND, condition.of);
    case "or":
      return fold(OR, condition.of);
    default:
      return truths.get(keyOf(condition)) ?? UNKNOWN;
  }
}

const keyOf = (atom: ConditionAtom): string => JSON.stringify(atom);

/** Statements of a condition. */
export function atomsOf(condition: Condition): ConditionAtom[] {
  return "task" in condition ? [condition] : operands(condition).flatMap(atomsOf);
}

// 2^12 sets of labels
const MOST_READ = 12;

function signaturesOf(
  { path }: TaskNode,
  conditions: readonly (Condition | null)[],
  form: AnswerForm | null,
): Signatures | null {
  const found = conditions.flatMap((condition) => (condition === null ? [] : atomsOf(condition)));
  const atoms = [...new Map(found.filter(({ task }) => task === path).map((atom) => [keyOf(atom), atom])).values()];
  if (atoms.length > MOST_READ) return null;
  const seen = new Map<string, readonly number[]>();
  const add = (truths: readonly number[]): void => void seen.set(truths.join(""), truths);
  if (form?.kind === "choice") {
    for (let value = 0; value < form.values; value++) add(truthsOf(atoms, () => value));
  } else if (form?.kind === "numbers" || isOrdered(atoms)) {
    for (const value of placesBetween(atoms)) add(truthsOf(atoms, () => value));
  } else {
    for (let set = 0; set < 1 << atoms.length; set++) add(atoms.map((_, a) => ((set >> a) & 1 ? TRUE : FALSE)));
  }
  return { atoms, truths: [...seen.values()] };
}

function isOrdered(atoms: readonly ConditionAtom[]): boolean {
  return atoms.length > 0 && atoms.every(({ kind }) => kind === "atLeast" || kind === "below");
}

/** A number below all bounds, and one from each bound on. */
function placesBetween(atoms: readonly ConditionAtom[]): number[] {
  const bounds = atoms.flatMap((atom) => ("value" in atom ? [Math.fround(atom.value)] : []));
  return [Number.NEGATIVE_INFINITY, ...[...new Set(bounds)].sort((a, b) => a - b)];
}

/** Truth of each statement about one answer. @param answer its numbers; for a statement about a label that label's */
export function truthsOf(atoms: readonly ConditionAtom[], answer: (label: number) => number): number[] {
  return atoms.map((atom) => (statement(atom)(answer(atom.kind === "has" ? atom.label : 0)) ? TRUE : FALSE));
}

/** Which signature an answer has; −1 where a number that a statement reads is unknown. */
export function signatureOf({ atoms, truths }: Signatures, answer: (label: number) => number): number {
  // no condition reads it: all answers are one
  if (atoms.length === 0) return 0;
  if (atoms.some((atom) => Number.isNaN(answer(atom.kind === "has" ? atom.label : 0)))) return -1;
  const own = truthsOf(atoms, answer);
  return truths.findIndex((one) => one.every((truth, a) => truth === own[a]));
}
