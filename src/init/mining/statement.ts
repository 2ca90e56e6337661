/** @file A condition of up to two gates, with the rows on which it is true, false, or could be either. */
import type { Condition } from "../../flow/graph.js";
import type { RowSet } from "./bits.js";

/** A condition with the rows that it holds on. */
export interface Statement {
  readonly condition: Condition;
  /** Rows on which it is true. */
  readonly holds: RowSet;
  /** Rows on which it is true, or must be: another task that hangs on it has a label. */
  readonly held: RowSet;
  /** Rows on which it is false; of a disjunction also those on which one part is false and the other was not asked. */
  readonly fails: RowSet;
  /** Rows on which it is true, or would be for some value of a missing label. */
  readonly possible: RowSet;
  /** Rows of these on which not even the gate need have been asked. */
  readonly doubtful: RowSet;
  /** On how many of the doubtful rows the gate was asked, by the rows that are known; 0 to 1. */
  readonly askedShare: number;
  /** How many bits of choice it took, in nats. */
  readonly cost: number;
  /** Positions of its gates among the columns. */
  readonly gates: readonly number[];
  /** Statements about one gate that are all true where it is; of a disjunction none is certain. */
  readonly parts: readonly Statement[];
  /** What it is put together from with `and` or `or`; none of a statement about one gate's label, class or limit. */
  readonly operands: readonly Statement[];
}
