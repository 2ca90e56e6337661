/** @file The gates that decide whether a task is asked, with everything that is read of them. */
import { at, u8At } from "../../arrays.js";
import { type Condition, type ConditionAtom, type FlowGraph, operands, type TaskNode } from "../../flow/graph.js";
import { evaluateCondition, TRUE, type TruthColumn, UNKNOWN } from "../../flow/precondition.js";

/** What a task hangs on: its own gates, and theirs. */
export interface GatesAbove {
  readonly task: TaskNode;
  /** In the order of the flow. */
  readonly gates: readonly TaskNode[];
  /** Statements about them, each once. */
  readonly statements: readonly ConditionAtom[];
  /** Which of them each part of a condition is. */
  readonly placeOf: ReadonlyMap<ConditionAtom, number>;
}

/** The statements that a condition is made of, in its order. */
export function statementsOf(condition: Condition | null): ConditionAtom[] {
  if (condition === null) return [];
  return "task" in condition ? [condition] : operands(condition).flatMap(statementsOf);
}

export function gatesAbove(graph: FlowGraph, task: TaskNode): GatesAbove {
  const statements: ConditionAtom[] = [];
  const places = new Map<string, number>();
  const placeOf = new Map<ConditionAtom, number>();
  const gates = new Set<string>();
  const visit = (condition: Condition | null): void => {
    for (const statement of statementsOf(condition)) {
      const key = JSON.stringify(statement);
      const place = places.get(key) ?? statements.push(statement) - 1;
      places.set(key, place);
      placeOf.set(statement, place);
      if (gates.has(statement.task)) continue;
      gates.add(statement.task);
      visit(graph.tasks.find(({ path }) => path === statement.task)?.precondition ?? null);
    }
  };
  visit(task.precondition);
  return { task, gates: graph.tasks.filter(({ path }) => gates.has(path)), statements, placeOf };
}

/**
 * Whether a task is asked in each of some worlds, by what every statement about its gates comes to there.
 * @param truths one column per statement, as if its gate were asked: TRUE, FALSE or UNKNOWN
 * @param worlds how many there are
 * @returns 1 where it is asked. Shape [worlds]
 */
export function askedIn(
  { task, gates, statements, placeOf }: GatesAbove,
  truths: readonly TruthColumn[],
  worlds: number,
): Uint8Array {
  // in the order of the flow, so that what a condition reads is there
  const known = [...truths];
  const askedBy = (condition: Condition | null): Uint8Array => {
    if (condition === null) return new Uint8Array(worlds).fill(1);
    const own = evaluateCondition(condition, (statement) => at(known, placeOf.get(statement) ?? -1));
    return own.map((truth) => (truth === TRUE ? 1 : 0));
  };
  for (const gate of gates) {
    const asked = askedBy(gate.precondition);
    statements.forEach(({ task: path }, i) => {
      if (path !== gate.path) return;
      known[i] = at(truths, i).map((value, world) => (u8At(asked, world) === 0 ? UNKNOWN : value));
    });
  }
  return askedBy(task.precondition);
}
