/** @file Two statements under `and` or `or`. Most are dropped by their cost, so that their rows are found when asked for. */
import type { Condition } from "../../flow/graph.js";
import { both, count, either, type RowSet, without } from "./bits.js";
import type { Statement } from "./statement.js";

/** Both statements (Kleene). */
export function conjunction(left: Statement, right: Statement): Statement {
  return new Combination("and", left, right);
}

/** One of the statements, or both (Kleene). */
export function disjunction(left: Statement, right: Statement): Statement {
  return new Combination("or", left, right);
}

class Combination implements Statement {
  readonly condition: Condition;
  readonly cost: number;
  readonly gates: readonly number[];
  readonly parts: readonly Statement[];
  readonly operands: readonly [Statement, Statement];
  readonly #isAnd: boolean;
  #holds: RowSet | undefined;
  #held: RowSet | undefined;
  #fails: RowSet | undefined;
  #possible: RowSet | undefined;
  #doubtful: RowSet | undefined;

  constructor(kind: "and" | "or", left: Statement, right: Statement) {
    this.#isAnd = kind === "and";
    this.condition = { kind, of: [left.condition, right.condition] };
    this.cost = left.cost + right.cost;
    this.gates = [...new Set([...left.gates, ...right.gates])];
    this.parts = this.#isAnd ? [...left.parts, ...right.parts] : [];
    this.operands = [left, right];
  }

  get holds(): RowSet {
    this.#holds ??= this.#of(({ holds }) => holds);
    return this.#holds;
  }

  get held(): RowSet {
    this.#held ??= this.#of(({ held }) => held);
    return this.#held;
  }

  get possible(): RowSet {
    this.#possible ??= this.#of(({ possible }) => possible);
    return this.#possible;
  }

  #of(rows: (part: Statement) => RowSet): RowSet {
    const [left, right] = this.operands;
    return this.#isAnd ? both(rows(left), rows(right)) : either(rows(left), rows(right));
  }

  get fails(): RowSet {
    if (this.#fails !== undefined) return this.#fails;
    const [left, right] = this.operands;
    const oneFails = either(left.fails, right.fails);
    this.#fails = this.#isAnd ? oneFails : without(without(oneFails, left.possible), right.possible);
    return this.#fails;
  }

  /** Where either part is doubtful. */
  get doubtful(): RowSet {
    if (this.#doubtful !== undefined) return this.#doubtful;
    const [left, right] = this.operands;
    const doubtful = either(left.doubtful, right.doubtful);
    // where one of them may be true for want of its own label alone, the other's doubt says nothing
    const sure = (part: Statement): RowSet => without(part.possible, part.doubtful);
    this.#doubtful = this.#isAnd ? doubtful : without(doubtful, either(sure(left), sure(right)));
    return this.#doubtful;
  }

  /** As that of the part with more doubtful rows. */
  get askedShare(): number {
    const [left, right] = this.operands;
    return (count(left.doubtful) >= count(right.doubtful) ? left : right).askedShare;
  }
}
