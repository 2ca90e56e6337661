/** @file What can be said of one gate: statements, with the rows on which they are true, false or could be either. */
import { at, f64At } from "../../arrays.js";
import type { Condition } from "../../flow/graph.js";
import { anyBoth, anyOutside, count, countBoth, either, emptySet, firstOf, type RowSet, without } from "./bits.js";
import { conjunction, disjunction } from "./combinations.js";
import { type GateSets, roundest } from "./gate-sets.js";
import type { Statement } from "./statement.js";

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
  /** Whether there is no row on which it was not. */
  readonly isAlwaysAsked: boolean;
  /** Statements about it that were made, by what they say. */
  readonly made: Map<string, Statement>;
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
  const asked = either(sets.known, missing);
  const isAlwaysAsked = count(asked) === sets.column.values.length;
  return { index, sets, missing, doubtful, askedShare, hints, asked, isAlwaysAsked, made: new Map() };
}

/** Where a gate's labels are missing, and where that is sure. */
export type MissingLabels = Pick<Gate, "missing" | "doubtful" | "askedShare">;

/** Which of a gate's values a statement holds on: classes, or the different numbers from one place to before another. */
export type Held = readonly number[] | { readonly from: number; readonly to: number };

/** Whether a statement is worth being made. @param cost nats of its choice */
export type Worth = (gate: Gate, cost: number, held: Held) => boolean;

/**
 * Statements about one gate that are not false on any of these rows, and false somewhere.
 * @param rows on which they must be possible
 * @param isWorth leaves out others before their rows are looked for
 */
export function statementsOn(gate: Gate, rows: RowSet, isWorth: Worth = () => true): Statement[] {
  const { sets } = gate;
  // where the gate was not asked, nothing about it is possible
  if (!gate.isAlwaysAsked && anyOutside(rows, gate.asked)) return [];
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
      const seen = sets.atoms.flatMap((rowsOf, index) => (anyBoth(rowsOf, rows) ? [index] : []));
      const width = form.names.length;
      if (seen.length === 0 || seen.length === width || !isWorth(gate, costOfClasses(seen.length, width), seen))
        return [];
      return [once(gate, seen.join(), () => oneOf(gate, new Set(seen), width))];
    }
    case "number":
      return ranges(gate, rows, isWorth);
    default:
      return form satisfies never;
  }
}

/** Whether any statement about one gate can be possible on all of these rows: found out sooner than the statements. */
export function canCover(gate: Gate, rows: RowSet): boolean {
  if (!gate.isAlwaysAsked && anyOutside(rows, gate.asked)) return false;
  const { atoms, others, column } = gate.sets;
  switch (column.form.kind) {
    case "none":
      return false;
    case "binary":
    case "labels":
      for (let label = 0; label < atoms.length; label++)
        if (!anyBoth(rows, at(others, label)) || !anyBoth(rows, at(atoms, label))) return true;
      return false;
    case "classes":
      for (const rowsOf of atoms) if (!anyBoth(rows, rowsOf)) return true;
      return false;
    case "number":
      return true;
    default:
      return column.form satisfies never;
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
      for (const { value, from, before } of sets.steps) {
        yield atLeast(gate, value, from, before);
        yield below(gate, value, before, from);
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
  let holds = emptySet(32 * known.length);
  for (const index of classes) holds = either(holds, at(atoms, index));
  return new Literal(gate, condition, holds, costOfClasses(classes.size, width));
}

/** As many choices as there are sets of this size: Stirling is not needed for so few. */
function costOfClasses(number: number, width: number): number {
  const size = Math.min(number, width - number);
  let cost = Math.log(width);
  for (let i = 0; i < size; i++) cost += Math.log((width - i) / (i + 1));
  return cost;
}

/** Nats that every statement about a gate costs at least. */
export function leastCost({ sets }: Gate): number {
  const { form } = sets.column;
  switch (form.kind) {
    case "none":
      return Number.POSITIVE_INFINITY;
    case "binary":
      return Math.LN2;
    case "labels":
      return Math.log(2 * sets.atoms.length);
    case "classes":
      return costOfClasses(1, form.names.length);
    case "number":
      return 2 * Math.LN2;
    default:
      return form satisfies never;
  }
}

/** `atLeast` and `below` at the edges of what the rows show. */
function ranges(gate: Gate, rows: RowSet, isWorth: Worth): Statement[] {
  const { sets } = gate;
  const extent = sets.extentOf(rows);
  if (extent === null) return [];
  const { first, end } = extent;
  const { length } = sets.distinct;
  const [from, to] = [first > 0 ? sets.limitAt(first) : null, end < length ? sets.limitAt(end) : null];
  const found: Statement[] = [];
  const costs = (from?.cost ?? 0) + (to?.cost ?? 0);
  if (from !== null && isWorth(gate, from.cost, { from: first, to: length })) found.push(startingAt(gate, first));
  if (to !== null && isWorth(gate, to.cost, { from: 0, to: end })) found.push(endingAt(gate, end));
  if (from !== null && to !== null && isWorth(gate, costs, { from: first, to: end }))
    found.push(once(gate, `${first}:${end}`, () => conjunction(startingAt(gate, first), endingAt(gate, end))));
  return found;
}

/** `atLeast` the limit between two of the different values: the rows from the second one on. */
function startingAt(gate: Gate, position: number): Statement {
  const { sets } = gate;
  return once(gate, `${position}:`, () => atLeast(gate, sets.limitAt(position).value, sets.fromValue(position)));
}

/** `below` the limit between two of the different values: the rows before the second one. */
function endingAt(gate: Gate, position: number): Statement {
  const { sets } = gate;
  return once(gate, `:${position}`, () =>
    below(gate, sets.limitAt(position).value, without(sets.known, sets.fromValue(position))),
  );
}

/** The statement that was made under this name before, so that the same one is the same object. */
function once(gate: Gate, name: string, make: () => Statement): Statement {
  const known = gate.made.get(name);
  if (known !== undefined) return known;
  const made = make();
  gate.made.set(name, made);
  return made;
}

function atLeast(gate: Gate, value: number, holds: RowSet, fails?: RowSet): Statement {
  const condition: Condition = { kind: "atLeast", task: gate.sets.column.name, value };
  return new Literal(gate, condition, holds, gate.sets.costOf(value), fails);
}

function below(gate: Gate, value: number, holds: RowSet, fails?: RowSet): Statement {
  const condition: Condition = { kind: "below", task: gate.sets.column.name, value };
  return new Literal(gate, condition, holds, gate.sets.costOf(value), fails);
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
