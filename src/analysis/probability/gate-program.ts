/**
 * @file A precondition as a decision diagram over the gates that it hangs on, so that its probability is a sum over their
 * answers and not a product of numbers that may belong to one gate.
 */
import { u8At } from "../../arrays.js";
import type { Condition, ConditionAtom, FlowGraph, TaskNode } from "../../flow/graph.js";
import { AND, FALSE, NOT, OR, TRUE, UNKNOWN } from "../../flow/precondition.js";
import type { GateQuestion } from "./gate-answers.js";

/** The precondition does not hold. */
export const NEVER = 0;
/** It holds. */
export const ALWAYS = 1;
const FIRST = 2;

/** What is asked next, and which node each outcome leads to; the last one: nothing is known of the answer. */
export interface ProgramNode {
  readonly question: GateQuestion;
  readonly next: readonly number[];
}

/** Node `NEVER` and `ALWAYS` are the ends; nodes[i] is node i + 2. A node stands behind those that it leads to. */
export interface GateProgram {
  readonly nodes: readonly ProgramNode[];
  readonly root: number;
}

/** A condition of which some is known: a truth, or what is left of it. */
export type Rest =
  | number
  | ConditionAtom
  | { readonly kind: "not"; readonly of: Rest }
  | { readonly kind: "and" | "or"; readonly of: readonly Rest[] };

export type Truths = ReadonlyMap<string, number>;

/**
 * Whether a task is asked, from gate to gate, each once: a gate that is not asked is unknown (Kleene). Diagrams share what
 * is the same: Bryant, "Graph-Based Algorithms for Boolean Function Manipulation" (1986).
 * @param questions see `gateQuestions`
 */
export function compileGates(
  graph: FlowGraph,
  questions: readonly GateQuestion[],
  { precondition }: TaskNode,
): GateProgram {
  return new Compiler(graph, questions).compile(precondition);
}

class Compiler {
  readonly #byPath: ReadonlyMap<string, TaskNode>;
  readonly #questions: readonly GateQuestion[];
  readonly #nodes: ProgramNode[] = [];
  readonly #known = new Map<string, number>();

  constructor(graph: FlowGraph, questions: readonly GateQuestion[]) {
    this.#byPath = new Map(graph.tasks.map((task) => [task.path, task]));
    this.#questions = questions;
  }

  compile(precondition: Condition | null): GateProgram {
    const root = precondition === null ? ALWAYS : this.#build(precondition, new Map());
    return { nodes: this.#nodes, root };
  }

  #build(condition: Condition, truths: Truths): number {
    const rest = restOf(condition, truths);
    if (rest === TRUE) return ALWAYS;
    if (cannotBe(TRUE, rest)) return NEVER;
    const gates = this.#gatesBehind(rest, truths);
    const key = JSON.stringify([rest, gates.map(({ path, asked }) => [path, asked])]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const node = this.#ask(condition, truths, rest, gates);
    this.#known.set(key, node);
    return node;
  }

  #ask(condition: Condition, truths: Truths, rest: Rest, gates: readonly PendingGate[]): number {
    // the first in the order of the flow: nothing that it hangs on is open
    const [gate] = gates;
    if (gate === undefined) throw new Error("a condition that is open hangs on a gate");
    const open = new Set(
      atomsOf(rest)
        .concat(gates.flatMap(({ asked }) => atomsOf(asked)))
        .map(keyOf),
    );
    const question = this.#questions.find(
      ({ task, atoms }) => task.path === gate.path && atoms.some((atom) => open.has(keyOf(atom))),
    );
    if (question === undefined) throw new Error(`no question about ${gate.path}`);
    const given = (truthOf: (i: number) => number): number =>
      this.#build(
        condition,
        new Map([...truths, ...question.atoms.map((atom, i) => [keyOf(atom), truthOf(i)] as const)]),
      );
    const unknown = given(() => UNKNOWN);
    if (gate.asked !== TRUE) return unknown;
    const next = [...question.outcomes.map((outcome) => given((i) => u8At(outcome.truths, i))), unknown];
    if (next.every((node) => node === next[0])) return next[0] ?? NEVER;
    this.#nodes.push({ question, next });
    return this.#nodes.length - 1 + FIRST;
  }

  /** The gates that what is left hangs on, and those that these hang on, in the order of the flow. */
  #gatesBehind(rest: Rest, truths: Truths): PendingGate[] {
    const found = new Map<string, PendingGate & { readonly index: number }>();
    const visit = (atom: ConditionAtom): void => {
      if (found.has(atom.task)) return;
      const gate = this.#byPath.get(atom.task);
      if (gate === undefined) throw new Error(`graph has no task ${atom.task}`);
      const asked = gate.precondition === null ? TRUE : restOf(gate.precondition, truths);
      found.set(atom.task, { path: gate.path, asked, index: gate.index });
      atomsOf(asked).forEach(visit);
    };
    atomsOf(rest).forEach(visit);
    return [...found.values()].sort((a, b) => a.index - b.index).map(({ path, asked }) => ({ path, asked }));
  }
}

interface PendingGate {
  readonly path: string;
  /** What is left of its own precondition. */
  readonly asked: Rest;
}

export function keyOf(atom: ConditionAtom): string {
  return JSON.stringify(atom);
}

function atomsOf(rest: Rest): ConditionAtom[] {
  if (typeof rest === "number") return [];
  if ("task" in rest) return [rest];
  return rest.kind === "not" ? atomsOf(rest.of) : rest.of.flatMap(atomsOf);
}

/** The condition with what is known put in. */
export function restOf(condition: Condition, truths: Truths): Rest {
  switch (condition.kind) {
    case "not": {
      const of = restOf(condition.of, truths);
      return typeof of === "number" ? u8At(NOT, of) : { kind: "not", of };
    }
    case "and":
    case "or":
      return restOfSeveral(
        condition.kind,
        condition.of.map((one) => restOf(one, truths)),
      );
    default:
      return truths.get(keyOf(condition)) ?? condition;
  }
}

function restOfSeveral(kind: "and" | "or", parts: readonly Rest[]): Rest {
  const [table, neutral, deciding] = kind === "and" ? [AND, TRUE, FALSE] : [OR, FALSE, TRUE];
  const known = parts.reduce<number>(
    (sum, part) => (typeof part === "number" ? u8At(table, sum * 3 + part) : sum),
    neutral,
  );
  const open = parts.filter((part) => typeof part !== "number");
  if (known === deciding || open.length === 0) return known;
  const [first] = open;
  if (known !== neutral) return { kind, of: [known, ...open] };
  return open.length === 1 && first !== undefined ? first : { kind, of: open };
}

/** Whether it is certain that a condition does not come to a truth, whatever the open gates answer. */
function cannotBe(truth: typeof TRUE | typeof FALSE, rest: Rest): boolean {
  if (typeof rest === "number") return rest !== truth;
  switch (rest.kind) {
    case "not":
      return cannotBe(truth === TRUE ? FALSE : TRUE, rest.of);
    case "and":
    case "or": {
      // a conjunction is true where all are, and false where one is
      const needsAll = (rest.kind === "and") === (truth === TRUE);
      return needsAll ? rest.of.some((one) => cannotBe(truth, one)) : rest.of.every((one) => cannotBe(truth, one));
    }
    default:
      return false;
  }
}
