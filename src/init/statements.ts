/** @file What can be said of one gate: statements, with the rows on which they are true, false or could be either. */
import { at } from "../arrays.js";
import type { Condition } from "../flow/graph.js";
import { both, either, emptySet, hasRow, type RowSet, rowsWhere, without } from "./bits.js";
import type { LabelColumn } from "./label-column.js";

/** A condition with the rows that it holds on. */
export interface Statement {
  readonly condition: Condition;
  /** Rows on which it is true. */
  readonly holds: RowSet;
  /** Rows on which it is false. */
  readonly fails: RowSet;
  /** Rows on which it is true, or would be for some value of a missing label. */
  readonly possible: RowSet;
  /** How many bits of choice it took, in nats. */
  readonly cost: number;
  /** Positions of its gates among the columns. */
  readonly gates: readonly number[];
}

/** A gate and the rows on which its empty cells are missing labels rather than questions that were not asked. */
export interface Gate {
  readonly index: number;
  readonly column: LabelColumn;
  readonly missing: RowSet;
}

/**
 * Statements about one gate that are not false on any of these rows.
 * @param rows on which they must be possible
 * @param count of all rows
 */
export function statementsOn(gate: Gate, rows: RowSet, count: number): Statement[] {
  return candidates(gate, rows, count).filter(
    ({ possible }) => !rows.some((word, i) => (word & ~at(possible, i)) !== 0),
  );
}

/**
 * Statements about one gate of which `or` is made: yes, no, a label, the classes whose rows are filled most, a step of
 * a number.
 * @param filled rows with a label of the task whose condition is looked for
 */
export function simpleStatements(gate: Gate, filled: RowSet, count: number): Statement[] {
  const { form, values } = gate.column;
  if (form.kind === "classes") {
    const order = classesByFilledShare(values, filled, form.names.length);
    return order.slice(0, -1).map((_, i) => oneOf(gate, new Set(order.slice(0, i + 1)), form.names.length, count));
  }
  if (form.kind !== "number") return candidates(gate, emptySet(count), count);
  const known = Float64Array.from(new Set(values.filter((value) => !Number.isNaN(value)))).sort();
  const steps = Math.min(STEPS, known.length - 1);
  return Array.from({ length: Math.max(0, steps) }, (_, i) => {
    const value = at(known, Math.floor(((i + 1) * known.length) / (steps + 1)));
    return [atLeast(gate, value, known.length, count), below(gate, value, known.length, count)];
  }).flat();
}

/** Those that make a task be asked have the larger share of filled rows, whatever else it hangs on. */
function classesByFilledShare(values: Float64Array, filled: RowSet, width: number): number[] {
  const [rows, there] = [new Float64Array(width), new Float64Array(width)];
  values.forEach((value, row) => {
    if (Number.isNaN(value)) return;
    rows[value] = at(rows, value) + 1;
    if (hasRow(filled, row)) there[value] = at(there, value) + 1;
  });
  const share = (index: number): number => at(there, index) / Math.max(1, at(rows, index));
  return Array.from({ length: width }, (_, index) => index).sort((a, b) => share(b) - share(a) || a - b);
}

/** Places along a number's values at which `or` is tried before its exact place is found. */
const STEPS = 12;

function candidates(gate: Gate, rows: RowSet, count: number): Statement[] {
  const { form, values } = gate.column;
  const task = gate.column.name;
  switch (form.kind) {
    case "none":
      return [];
    case "binary": {
      const yes = statement(gate, { kind: "true", task }, count, Math.LN2, (value) => value === 1);
      return [yes, negated(yes)];
    }
    case "labels":
      return form.names.flatMap((_, label) => {
        const cost = Math.log(2 * form.names.length);
        const has = statement(gate, { kind: "has", task, label }, count, cost, (v) => ((v >>> label) & 1) === 1);
        return [has, negated(has)];
      });
    case "classes": {
      const seen = new Set<number>();
      forEachRow(rows, (row) => {
        const value = at(values, row);
        if (!Number.isNaN(value)) seen.add(value);
      });
      if (seen.size === 0 || seen.size === form.names.length) return [];
      return [oneOf(gate, seen, form.names.length, count)];
    }
    case "number":
      return ranges(gate, rows, count);
    default:
      return form satisfies never;
  }
}

function oneOf(gate: Gate, classes: ReadonlySet<number>, width: number, count: number): Statement {
  const condition: Condition = { kind: "isOneOf", task: gate.column.name, classes: [...classes].sort((a, b) => a - b) };
  // as many choices as there are sets of this size: Stirling is not needed for so few
  const size = Math.min(classes.size, width - classes.size);
  let cost = Math.log(width);
  for (let i = 0; i < size; i++) cost += Math.log((width - i) / (i + 1));
  return statement(gate, condition, count, cost, (value) => classes.has(value));
}

/** `atLeast` and `below` at the edges of what the rows show. */
function ranges(gate: Gate, rows: RowSet, count: number): Statement[] {
  const { values } = gate.column;
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  forEachRow(rows, (row) => {
    const value = at(values, row);
    if (value < low) low = value;
    if (value > high) high = value;
  });
  if (low > high) return [];
  let [next, previous, distinct] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const value of new Set(values)) {
    if (value > high && value < next) next = value;
    if (value < low && value > previous) previous = value;
    distinct++;
  }
  const found: Statement[] = [];
  if (Number.isFinite(previous)) found.push(atLeast(gate, roundest(previous, low), distinct, count));
  if (Number.isFinite(next)) found.push(below(gate, roundest(high, next), distinct, count));
  const [from, to] = found;
  return from !== undefined && to !== undefined ? [from, to, conjunction(from, to)] : found;
}

function atLeast(gate: Gate, value: number, distinct: number, count: number): Statement {
  const condition: Condition = { kind: "atLeast", task: gate.column.name, value };
  return statement(gate, condition, count, Math.log(2 * distinct), (cell) => cell >= value);
}

function below(gate: Gate, value: number, distinct: number, count: number): Statement {
  const condition: Condition = { kind: "below", task: gate.column.name, value };
  return statement(gate, condition, count, Math.log(2 * distinct), (cell) => cell < value);
}

/** The number with the fewest decimals above `low` and not above `high`, as people choose their limits. */
export function roundest(low: number, high: number): number {
  for (let decimals = -12; decimals <= 12; decimals++) {
    const step = 10 ** -decimals;
    const value = Math.floor(high / step) * step;
    // by way of text, so that 0.1 is not 0.1000000000000001
    const rounded = Number(value.toFixed(Math.max(0, decimals)));
    if (rounded > low && rounded <= high) return rounded;
  }
  return high;
}

function statement(
  { index, column, missing }: Gate,
  condition: Condition,
  count: number,
  cost: number,
  is: (value: number) => boolean,
): Statement {
  const { values } = column;
  const holds = rowsWhere(count, (row) => !Number.isNaN(at(values, row)) && is(at(values, row)));
  const fails = rowsWhere(count, (row) => !Number.isNaN(at(values, row)) && !is(at(values, row)));
  return { condition, holds, fails, possible: either(holds, missing), cost, gates: [index] };
}

function negated({ condition, holds, fails, possible, cost, gates }: Statement): Statement {
  const missing = without(possible, holds);
  return {
    condition: { kind: "not", of: condition },
    holds: fails,
    fails: holds,
    possible: either(fails, missing),
    cost,
    gates,
  };
}

/** Both statements (Kleene). */
export function conjunction(left: Statement, right: Statement): Statement {
  return {
    condition: { kind: "and", of: [left.condition, right.condition] },
    holds: both(left.holds, right.holds),
    fails: either(left.fails, right.fails),
    possible: both(left.possible, right.possible),
    cost: left.cost + right.cost,
    gates: [...new Set([...left.gates, ...right.gates])],
  };
}

/** One of the statements, or both (Kleene). */
export function disjunction(left: Statement, right: Statement): Statement {
  return {
    condition: { kind: "or", of: [left.condition, right.condition] },
    holds: either(left.holds, right.holds),
    fails: both(left.fails, right.fails),
    possible: either(left.possible, right.possible),
    cost: left.cost + right.cost,
    gates: [...new Set([...left.gates, ...right.gates])],
  };
}

function forEachRow(rows: RowSet, visit: (row: number) => void): void {
  rows.forEach((word, i) => {
    for (let rest = word; rest !== 0; rest &= rest - 1) visit(32 * i + (31 - Math.clz32(rest & -rest)));
  });
}
