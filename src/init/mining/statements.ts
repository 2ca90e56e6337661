/** @file What can be said of one gate: statements, with the rows on which they are true, false or could be either. */
import { at, f64At } from "../../arrays.js";
import type { Condition } from "../../flow/graph.js";
import {
  anyBoth,
  anyOutside,
  both,
  count,
  countBoth,
  either,
  emptySet,
  firstOf,
  forEachInBoth,
  type RowSet,
  without,
} from "./bits.js";
import type { GateSets } from "./gate-sets.js";

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

/** A gate and the rows on which its empty cells are missing labels rather than questions that were not asked. */
export interface Gate {
  readonly index: number;
  readonly sets: GateSets;
  readonly missing: RowSet;
  /** Rows with a value, and those on which it is missing. */
  readonly asked: RowSet;
  /** Where labels are missing only if the gate was asked, which hangs on another missing label. */
  readonly doubtful: RowSet;
  /** On how many of these it was asked, by the rows that are known; 0 to 1. */
  readonly askedShare: number;
  readonly hints: readonly Hint[];
}

/** What a label of another task says of a gate whose own label is missing. */
export interface Hint {
  /** Rows on which that task's condition, which reads this gate alone, is true. */
  readonly holds: RowSet;
  /** Rows on which it must be, although the gate's label is missing. */
  readonly rows: RowSet;
}

export function gateOf(
  index: number,
  sets: GateSets,
  { missing, doubtful, askedShare }: MissingLabels,
  hints: readonly Hint[],
): Gate {
  return { index, sets, missing, doubtful, askedShare, hints, asked: either(sets.known, missing) };
}

/** Where a gate's labels are missing, and where that is sure. */
export type MissingLabels = Pick<Gate, "missing" | "doubtful" | "askedShare">;

/**
 * Statements about one gate that are not false on any of these rows, and false somewhere.
 * @param rows on which they must be possible
 */
export function statementsOn(gate: Gate, rows: RowSet): Statement[] {
  const { sets } = gate;
  // where the gate was not asked, nothing about it is possible
  if (anyOutside(rows, gate.asked)) return [];
  const { form } = sets.column;
  switch (form.kind) {
    case "none":
      return [];
    case "binary":
    case "labels": {
      const found: Statement[] = [];
      sets.atoms.forEach((yes, label) => {
        const no = at(sets.others, label);
        if (!anyBoth(rows, no)) found.push(labelled(gate, label, true));
        if (!anyBoth(rows, yes)) found.push(labelled(gate, label, false));
      });
      return found;
    }
    case "classes": {
      const seen = new Set(sets.atoms.flatMap((rowsOf, index) => (anyBoth(rowsOf, rows) ? [index] : [])));
      return seen.size === 0 || seen.size === form.names.length ? [] : [oneOf(gate, seen, form.names.length)];
    }
    case "number":
      return ranges(gate, rows);
    default:
      return form satisfies never;
  }
}

/**
 * Statements about one gate of which `or` is made: yes, no, a label, the classes whose rows are filled most, a step of
 * a number.
 * @param filled rows with a label of the task whose condition is looked for
 */
export function* simpleStatements(gate: Gate, filled: RowSet): Generator<Statement> {
  const { sets } = gate;
  const { form } = sets.column;
  switch (form.kind) {
    case "none":
      return;
    case "binary":
    case "labels":
      for (let label = 0; label < sets.atoms.length; label++) {
        yield labelled(gate, label, true);
        yield labelled(gate, label, false);
      }
      return;
    case "classes": {
      const order = classesByFilledShare(sets, filled);
      for (let size = 1; size < order.length; size++)
        yield oneOf(gate, new Set(order.slice(0, size)), form.names.length);
      return;
    }
    case "number":
      for (const { value, from } of sets.steps) {
        yield atLeast(gate, value, from);
        yield below(gate, value, without(sets.known, from));
      }
      return;
    default:
      form satisfies never;
  }
}

/** Those that make a task be asked have the larger share of filled rows, whatever else it hangs on. */
function classesByFilledShare({ atoms, counts }: GateSets, filled: RowSet): number[] {
  const share = atoms.map((rowsOf, index) => countBoth(rowsOf, filled) / Math.max(1, at(counts, index)));
  return atoms.map((_, index) => index).sort((a, b) => at(share, b) - at(share, a) || a - b);
}

/**
 * A condition as the gates are known now.
 * @param gates those that it reads, and others
 */
export function statementOf(condition: Condition, gates: readonly Gate[]): Statement {
  if (condition.kind === "and" || condition.kind === "or") {
    const of = condition.of.map((each) => statementOf(each, gates));
    return of.reduce(condition.kind === "and" ? conjunction : disjunction);
  }
  const atom = condition.kind === "not" ? condition.of : condition;
  const gate = gates.find(({ sets }) => "task" in atom && sets.column.name === atom.task);
  if (gate === undefined) throw new RangeError("a condition reads a gate that it cannot hang on");
  const { sets } = gate;
  switch (atom.kind) {
    case "true":
      return labelled(gate, 0, condition.kind !== "not");
    case "has":
      return labelled(gate, atom.label, condition.kind !== "not");
    case "isOneOf":
      return oneOf(gate, new Set(atom.classes), sets.atoms.length);
    case "atLeast":
      return atLeast(gate, atom.value, sets.fromLimit(atom.value));
    case "below":
      return below(gate, atom.value, without(sets.known, sets.fromLimit(atom.value)));
    default:
      throw new RangeError(`conditions on ${atom.kind} are not made here`);
  }
}

/** A binary gate, or one label of a multilabel, said or denied. */
function labelled(gate: Gate, label: number, isSaid: boolean): Statement {
  const { sets } = gate;
  const { form, name: task } = sets.column;
  const said: Condition = form.kind === "binary" ? { kind: "true", task } : { kind: "has", task, label };
  const cost = form.kind === "binary" ? Math.LN2 : Math.log(2 * sets.atoms.length);
  const [yes, no] = [at(sets.atoms, label), at(sets.others, label)];
  return isSaid ? new Literal(gate, said, yes, cost, no) : new Literal(gate, { kind: "not", of: said }, no, cost, yes);
}

function oneOf(gate: Gate, classes: ReadonlySet<number>, width: number): Statement {
  const { atoms, known, column } = gate.sets;
  const condition: Condition = { kind: "isOneOf", task: column.name, classes: [...classes].sort((a, b) => a - b) };
  // as many choices as there are sets of this size: Stirling is not needed for so few
  const size = Math.min(classes.size, width - classes.size);
  let cost = Math.log(width);
  for (let i = 0; i < size; i++) cost += Math.log((width - i) / (i + 1));
  let holds = emptySet(32 * known.length);
  for (const index of classes) holds = either(holds, at(atoms, index));
  return new Literal(gate, condition, holds, cost);
}

/** `atLeast` and `below` at the edges of what the rows show. */
function ranges(gate: Gate, rows: RowSet): Statement[] {
  const { sets } = gate;
  const { values } = sets.column;
  const [lowest, highest] = [
    sets.atoms.findIndex((bin) => anyBoth(bin, rows)),
    sets.atoms.findLastIndex((bin) => anyBoth(bin, rows)),
  ];
  if (lowest < 0) return [];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  forEachInBoth(at(sets.atoms, lowest), rows, (row) => {
    low = Math.min(low, f64At(values, row));
  });
  forEachInBoth(at(sets.atoms, highest), rows, (row) => {
    high = Math.max(high, f64At(values, row));
  });
  const { distinct } = sets;
  const [first, last] = [firstOf(distinct, low), firstOf(distinct, high)];
  const found: Statement[] = [];
  if (first > 0) found.push(atLeast(gate, roundest(f64At(distinct, first - 1), low), sets.fromValue(first)));
  if (last < distinct.length - 1) {
    const upTo = without(sets.known, sets.fromValue(last + 1));
    found.push(below(gate, roundest(high, f64At(distinct, last + 1)), upTo));
  }
  const [from, to] = found;
  return from !== undefined && to !== undefined ? [from, to, conjunction(from, to)] : found;
}

function atLeast(gate: Gate, value: number, holds: RowSet): Statement {
  const condition: Condition = { kind: "atLeast", task: gate.sets.column.name, value };
  return new Literal(gate, condition, holds, costOfLimit(gate, value));
}

function below(gate: Gate, value: number, holds: RowSet): Statement {
  const condition: Condition = { kind: "below", task: gate.sets.column.name, value };
  return new Literal(gate, condition, holds, costOfLimit(gate, value));
}

/**
 * Nats of the choice of a limit and its direction. People choose round ones: each decimal more is half as likely, and
 * there are ten times as many of them.
 */
function costOfLimit({ sets: { distinct } }: Gate, value: number): number {
  const range = f64At(distinct, distinct.length - 1) - f64At(distinct, 0);
  let step = 10 ** (Math.ceil(Math.log10(range)) - 1);
  let decimals = 1;
  while (Math.abs(value / step - Math.round(value / step)) > ROUNDING && decimals < MAX_DECIMALS) {
    step /= 10;
    decimals++;
  }
  return (1 + decimals) * Math.LN2 + Math.log(Math.max(1, range / step));
}

/** Quotients as close to a whole number as that are one. */
const ROUNDING = 1e-6;
const MAX_DECIMALS = 12;

/** The number with the fewest decimals above `low` and not above `high`, as people choose their limits. */
export function roundest(low: number, high: number): number {
  // steps larger than both are 0 or nothing
  const largest = Math.max(Math.abs(low), Math.abs(high), Number.MIN_VALUE);
  for (let decimals = Math.max(-12, -Math.ceil(Math.log10(largest)) - 1); decimals <= 12; decimals++) {
    const step = 10 ** -decimals;
    const value = Math.floor(high / step) * step;
    // by way of text, so that 0.1 is not 0.1000000000000001
    const rounded = Number(value.toFixed(Math.max(0, decimals)));
    if (rounded > low && rounded <= high) return rounded;
  }
  return high;
}

/** Limits to each side that are tried besides one. */
const NEIGHBOURS = 3;
/** Of gates with more classes than that no neighbours are tried. */
const MAX_CLASSES = 12;

/** Statements that differ in one limit or class, or lack one side of an `and` or `or`. */
export function neighboursOf(statement: Statement): Statement[] {
  const [left, right] = statement.operands;
  if (left === undefined || right === undefined) return statement instanceof Literal ? statement.neighbours() : [];
  const join = statement.condition.kind === "and" ? conjunction : disjunction;
  return [
    left,
    right,
    ...neighboursOf(left).map((other) => join(other, right)),
    ...neighboursOf(right).map((other) => join(left, other)),
  ];
}

function neighbouringLimits({ distinct }: GateSets, value: number): number[] {
  const { length } = distinct;
  const place = value > f64At(distinct, length - 1) ? length : firstOf(distinct, value);
  const [lowest, highest] = [Math.max(1, place - NEIGHBOURS), Math.min(length - 1, place + NEIGHBOURS)];
  if (lowest > highest) return [];
  const limits = new Set([roundest(f64At(distinct, lowest - 1), f64At(distinct, highest))]);
  for (let at = lowest; at <= highest; at++) limits.add(roundest(f64At(distinct, at - 1), f64At(distinct, at)));
  limits.delete(value);
  return [...limits];
}

/** A range of numbers says something where so many of the known ones lie outside. */
const SAYING = 0.2;

/** A statement about one gate. Most are dropped by what they cost and where they hold, so the rest is made when asked. */
class Literal implements Statement {
  readonly gates: readonly number[];
  readonly parts: readonly Statement[] = [this];
  readonly operands: readonly Statement[] = [];
  readonly #gate: Gate;
  #held: RowSet | undefined;
  #fails: RowSet | undefined;
  #possible: RowSet | undefined;
  #doubtful: RowSet | undefined;

  /** @param fails made from the gate's known rows where it is not given */
  constructor(
    gate: Gate,
    readonly condition: Condition,
    readonly holds: RowSet,
    readonly cost: number,
    fails?: RowSet,
  ) {
    this.#gate = gate;
    this.#fails = fails;
    this.gates = [gate.index];
  }

  get held(): RowSet {
    if (this.#held !== undefined) return this.#held;
    let held = this.holds;
    // true there, since it is true wherever that other condition is
    for (const hint of this.#gate.hints) if (!anyOutside(hint.holds, this.holds)) held = either(held, hint.rows);
    this.#held = held;
    return held;
  }

  get fails(): RowSet {
    this.#fails ??= without(this.#gate.sets.known, this.holds);
    return this.#fails;
  }

  get possible(): RowSet {
    this.#possible ??= either(this.holds, this.#gate.missing);
    return this.#possible;
  }

  get doubtful(): RowSet {
    this.#doubtful ??= this.#doubt();
    return this.#doubtful;
  }

  #doubt(): RowSet {
    const { sets, doubtful } = this.#gate;
    // what holds of nearly all numbers says hardly more than that there is one, and doubt would make that cheap
    const saysLittle = sets.column.form.kind === "number" && count(this.fails) < SAYING * count(sets.known);
    return saysLittle ? without(doubtful, doubtful) : doubtful;
  }

  get askedShare(): number {
    return this.#gate.askedShare;
  }

  neighbours(): Statement[] {
    const { condition } = this;
    const gate = this.#gate;
    const { sets } = gate;
    switch (condition.kind) {
      case "isOneOf": {
        const { form } = sets.column;
        const width = form.kind === "classes" ? form.names.length : 0;
        if (width > MAX_CLASSES) return [];
        return Array.from({ length: width }, (_, index) => {
          const classes = new Set(condition.classes);
          if (!classes.delete(index)) classes.add(index);
          return classes;
        })
          .filter(({ size }) => size > 0 && size < width)
          .map((classes) => oneOf(gate, classes, width));
      }
      case "atLeast":
        return neighbouringLimits(sets, condition.value).map((value) => {
          return atLeast(gate, value, sets.fromLimit(value));
        });
      case "below":
        return neighbouringLimits(sets, condition.value).map((value) => {
          return below(gate, value, without(sets.known, sets.fromLimit(value)));
        });
      default:
        return [];
    }
  }
}

/** Both statements (Kleene). */
export function conjunction(left: Statement, right: Statement): Statement {
  return {
    condition: { kind: "and", of: [left.condition, right.condition] },
    holds: both(left.holds, right.holds),
    held: both(left.held, right.held),
    fails: either(left.fails, right.fails),
    possible: both(left.possible, right.possible),
    ...doubtOf(left, right),
    cost: left.cost + right.cost,
    gates: [...new Set([...left.gates, ...right.gates])],
    parts: [...left.parts, ...right.parts],
    operands: [left, right],
  };
}

/** One of the statements, or both (Kleene). */
export function disjunction(left: Statement, right: Statement): Statement {
  return {
    condition: { kind: "or", of: [left.condition, right.condition] },
    holds: either(left.holds, right.holds),
    held: either(left.held, right.held),
    fails: without(without(either(left.fails, right.fails), left.possible), right.possible),
    possible: either(left.possible, right.possible),
    // where one of them may be true for want of its own label alone, the other's doubt says nothing
    ...doubtOf(left, right, either(without(left.possible, left.doubtful), without(right.possible, right.doubtful))),
    cost: left.cost + right.cost,
    gates: [...new Set([...left.gates, ...right.gates])],
    parts: [],
    operands: [left, right],
  };
}

/** Where either part is doubtful, and how much so: as the part with more such rows. @param sure rows that are not */
function doubtOf(left: Statement, right: Statement, sure?: RowSet): Pick<Statement, "doubtful" | "askedShare"> {
  const main = count(left.doubtful) >= count(right.doubtful) ? left : right;
  const doubtful = either(left.doubtful, right.doubtful);
  return { doubtful: sure === undefined ? doubtful : without(doubtful, sure), askedShare: main.askedShare };
}
