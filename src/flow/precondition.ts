/** @file Kleene's strong three-valued logic, column by column. */
import { u8At } from "../arrays.js";
import type { Condition, ConditionAtom } from "./graph.js";

export const FALSE = 0;
export const TRUE = 1;
export const UNKNOWN = 2;

/** FALSE, TRUE or UNKNOWN for each row. */
export type TruthColumn = Uint8Array;

/** Negation of FALSE, TRUE and UNKNOWN. */
export const NOT = Uint8Array.of(TRUE, FALSE, UNKNOWN);
/** Conjunction, at left * 3 + right. */
export const AND = Uint8Array.of(FALSE, FALSE, FALSE, FALSE, TRUE, UNKNOWN, FALSE, UNKNOWN, UNKNOWN);
/** Disjunction, at left * 3 + right. */
export const OR = Uint8Array.of(FALSE, TRUE, UNKNOWN, TRUE, TRUE, TRUE, UNKNOWN, TRUE, UNKNOWN);

/** Tables of a logic of so many values. */
export interface Logic {
  readonly values: number;
  readonly not: Uint8Array;
  /** At left * values + right. */
  readonly and: Uint8Array;
  readonly or: Uint8Array;
}

/** FALSE, TRUE and UNKNOWN. */
export const KLEENE: Logic = { values: 3, not: NOT, and: AND, or: OR };

/**
 * Evaluates a condition for all rows at once.
 * Kleene, Introduction to Metamathematics (1952), §64: `false and unknown = false`, `true or unknown = true`.
 * @param truthOf the rows' truth of one statement; its result is not changed
 */
export function evaluateCondition(
  condition: Condition,
  truthOf: (atom: ConditionAtom) => TruthColumn,
  logic: Logic = KLEENE,
): TruthColumn {
  const evaluated = (one: Condition): TruthColumn => evaluateCondition(one, truthOf, logic);
  switch (condition.kind) {
    case "not":
      return evaluated(condition.of).map((t) => u8At(logic.not, t));
    case "and":
      return fold(condition.of.map(evaluated), logic.and, logic.values);
    case "or":
      return fold(condition.of.map(evaluated), logic.or, logic.values);
    default:
      return truthOf(condition);
  }
}

function fold([first, ...rest]: readonly TruthColumn[], table: Uint8Array, values: number): TruthColumn {
  if (first === undefined) throw new Error("a conjunction or disjunction has at least one operand");
  const result = first.slice();
  for (const column of rest) {
    for (let row = 0; row < result.length; row++) {
      result[row] = u8At(table, u8At(result, row) * values + u8At(column, row));
    }
  }
  return result;
}
