/** @file Kleene's strong three-valued logic, column by column. */
import { u8At } from "../arrays.js";
import type { Condition, ConditionAtom } from "./graph.js";

export const FALSE = 0;
export const TRUE = 1;
export const UNKNOWN = 2;

/** FALSE, TRUE or UNKNOWN for each row. */
export type TruthColumn = Uint8Array;

const NOT = Uint8Array.of(TRUE, FALSE, UNKNOWN);
// indexed by left * 3 + right
const AND = Uint8Array.of(FALSE, FALSE, FALSE, FALSE, TRUE, UNKNOWN, FALSE, UNKNOWN, UNKNOWN);
const OR = Uint8Array.of(FALSE, TRUE, UNKNOWN, TRUE, TRUE, TRUE, UNKNOWN, TRUE, UNKNOWN);

/**
 * Evaluates a condition for all rows at once.
 * Kleene, Introduction to Metamathematics (1952), §64: `false and unknown = false`, `true or unknown = true`.
 * @param truthOf the rows' truth of one statement; its result is not changed
 */
export function evaluateCondition(condition: Condition, truthOf: (atom: ConditionAtom) => TruthColumn): TruthColumn {
  switch (condition.kind) {
    case "not":
      return evaluateCondition(condition.of, truthOf).map((t) => u8At(NOT, t));
    case "and":
      return fold(condition.of, AND, truthOf);
    case "or":
      return fold(condition.of, OR, truthOf);
    default:
      return truthOf(condition);
  }
}

function fold(
  conditions: readonly Condition[],
  table: Uint8Array,
  truthOf: (atom: ConditionAtom) => TruthColumn,
): TruthColumn {
  const [first, ...rest] = conditions.map((c) => evaluateCondition(c, truthOf));
  if (first === undefined) throw new Error("a conjunction or disjunction has at least one operand");
  const result = first.slice();
  for (const column of rest) {
    for (let row = 0; row < result.length; row++) {
      result[row] = u8At(table, u8At(result, row) * 3 + u8At(column, row));
    }
  }
  return result;
}
