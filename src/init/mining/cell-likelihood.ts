/**
 * @file How likely it is that just these cells of a table are empty, under a flow: exact, summed over the values that
 * missing labels may have.
 *
 * A task is asked where its condition is true; of the asked cells some are missing, at a rate of the task's own. A
 * missing gate has each of its values as often as the rows that are known.
 */
import { at, f64At } from "../../arrays.js";
import { type Condition, gatesOf } from "../../flow/graph.js";
import type { LabelColumn } from "./label-column.js";

/** A task of a flow, with what is taken to be known of it. */
export interface AskedColumn {
  readonly column: LabelColumn;
  /** Null: asked of every row. */
  readonly condition: Condition | null;
  /** Of the asked cells: how many are missing; 0 to 1. */
  readonly missingRate: number;
}

/** Codes of a cell besides those of its values. */
const EMPTY = -1;
const NOT_ASKED = -2;

/** Probability of a row that contradicts the flow, which so counts much and leaves conditions comparable. */
const IMPOSSIBLE = 1e-30;

const [FALSE, TRUE, UNKNOWN] = [0, 1, 2];

/** A condition on the codes of a row: Kleene's three values. */
type Test = (codes: Int32Array) => number;

/** Rows that look the same: the code of each column, and how many they are. */
interface Pattern {
  readonly codes: Int32Array;
  rows: number;
}

/** Values of a gate that no condition tells apart: one of them, and the share of the known rows that have one. */
interface ValueGroup {
  readonly value: number;
  share: number;
}

/** What the columns before the varied one may be on rows of one pattern, and how likely that is. */
interface Before {
  readonly codes: Int32Array;
  readonly probability: number;
}

/** Probabilities of rows, apart from the missing rate of the varied column. */
interface Row {
  /** That they are as they are, and that its cell was not asked; this is 0 of filled ones. */
  notAsked: number;
  /** The same where it was asked. */
  asked: number;
  readonly rows: number;
}

/** The same table under conditions of one of its columns, of which each in turn is judged. */
export class CellLikelihood {
  readonly #columns: readonly AskedColumn[];
  readonly #positions: ReadonlyMap<string, number>;
  /** Columns that do not hang on the varied one, gates before what they gate; then the varied one and those that do. */
  readonly #before: readonly number[];
  readonly #varied: number;
  readonly #after: readonly number[];
  /** Of columns that a condition reads; null for the others. */
  readonly #groups: readonly (readonly ValueGroup[] | null)[];
  readonly #patterns: readonly (Pattern & { readonly before: readonly Before[] })[];
  readonly #tests: readonly (Test | null)[];

  /**
   * @param columns with all gates of their conditions and of the candidates; conditions read no cycle
   * @param varied position of the column whose condition is sought; no gate of a candidate hangs on it
   * @param candidates what `logLikelihood` will be asked of
   */
  constructor(columns: readonly AskedColumn[], varied: number, candidates: readonly Condition[]) {
    this.#columns = columns;
    this.#varied = varied;
    this.#positions = new Map(columns.map(({ column }, index) => [column.name, index]));
    const order = this.#topological();
    const hanging = new Set([varied]);
    for (const index of order) if (this.#gatesAt(index).some((gate) => hanging.has(gate))) hanging.add(index);
    this.#before = order.filter((index) => !hanging.has(index));
    this.#after = order.filter((index) => hanging.has(index) && index !== varied);
    const conditions = [...candidates, ...columns.flatMap(({ condition }) => (condition === null ? [] : [condition]))];
    const literals = columns.map(({ column }) => literalsOn(column.name, conditions));
    const coded = columns.map(({ column }, index) => valueGroups(column, at(literals, index)));
    this.#groups = coded.map(({ groups }, index) => (at(literals, index).length === 0 ? null : groups));
    this.#tests = columns.map(({ condition }, index) =>
      condition === null || index === varied ? null : this.#test(condition),
    );
    this.#patterns = patternsOf(coded.map(({ codes }) => codes)).map((pattern) => ({
      ...pattern,
      before: this.#possible(pattern.codes),
    }));
  }

  /**
   * In nats, at the likeliest missing rate of the varied column.
   * @param candidate of the varied column; null: asked of every row
   */
  logLikelihood(candidate: Condition | null): number {
    const test = candidate === null ? null : this.#test(candidate);
    const empty: Row[] = [];
    let [sum, filled] = [0, 0];
    for (const { codes, before, rows } of this.#patterns) {
      const row: Row = { notAsked: 0, asked: 0, rows };
      for (const state of before) this.#add(row, codes, state, test);
      if (at(codes, this.#varied) === EMPTY) {
        empty.push(row);
      } else {
        sum += rows * Math.log(Math.max(row.asked, IMPOSSIBLE));
        filled += rows;
      }
    }
    return sum + likeliest(empty, filled);
  }

  /** All that is possible of the columns before the varied one. */
  #possible(observed: Int32Array): Before[] {
    const found: Before[] = [];
    const codes = new Int32Array(this.#columns.length).fill(NOT_ASKED);
    this.#walk(observed, this.#before, 0, codes, 1, (probability) => {
      found.push({ codes: codes.slice(), probability });
    });
    return found;
  }

  /** What a candidate makes of a state: the varied column's cell, then those that hang on it. */
  #add(row: Row, observed: Int32Array, { codes, probability }: Before, test: Test | null): void {
    const varied = this.#varied;
    const code = at(observed, varied);
    const isAsked = test === null || test(codes) === TRUE;
    if (!isAsked && code !== EMPTY) return;
    const add = (share: number): void => {
      if (isAsked) row.asked += share;
      else row.notAsked += share;
    };
    const after = (value: number, share: number): void => {
      if (this.#after.length === 0) {
        add(share);
        return;
      }
      codes[varied] = value;
      this.#walk(observed, this.#after, 0, codes, share, add);
      codes[varied] = NOT_ASKED;
    };
    const groups = this.#groups[varied] ?? null;
    if (!isAsked) after(NOT_ASKED, probability);
    else if (code !== EMPTY || groups === null) after(code, probability);
    else for (const [value, { share }] of groups.entries()) after(value, probability * share);
  }

  /**
   * Over all values of what is missing of some columns.
   * @param codes of the columns before; those of these are filled in on the way
   * @param visit is told the probability of each way
   */
  #walk(
    observed: Int32Array,
    order: readonly number[],
    step: number,
    codes: Int32Array,
    probability: number,
    visit: (probability: number) => void,
  ): void {
    const index = order[step];
    if (index === undefined) {
      visit(probability);
      return;
    }
    const next = (code: number, share: number): void => {
      codes[index] = code;
      this.#walk(observed, order, step + 1, codes, share, visit);
    };
    const test = this.#tests[index] ?? null;
    const code = at(observed, index);
    const isAsked = test === null || test(codes) === TRUE;
    if (!isAsked) {
      if (code === EMPTY) next(NOT_ASKED, probability);
      return;
    }
    const { missingRate } = at(this.#columns, index);
    const groups = this.#groups[index] ?? null;
    if (code !== EMPTY) next(code, probability * (1 - missingRate));
    else if (groups === null) next(EMPTY, probability * missingRate);
    else for (const [value, { share }] of groups.entries()) next(value, probability * missingRate * share);
  }

  #test(condition: Condition): Test {
    switch (condition.kind) {
      case "not": {
        const of = this.#test(condition.of);
        return (codes) => {
          const value = of(codes);
          return value === UNKNOWN ? UNKNOWN : 1 - value;
        };
      }
      case "and":
      case "or": {
        const tests = condition.of.map((each) => this.#test(each));
        const decisive = condition.kind === "or" ? TRUE : FALSE;
        return (codes) => {
          let result = 1 - decisive;
          for (const test of tests) {
            const value = test(codes);
            if (value === decisive) return decisive;
            if (value === UNKNOWN) result = UNKNOWN;
          }
          return result;
        };
      }
      default: {
        const index = this.#position(condition.task);
        const truth = (this.#groups[index] ?? []).map(({ value }) => Number(holdsFor(condition, value)));
        return (codes) => truth[codes[index] ?? EMPTY] ?? UNKNOWN;
      }
    }
  }

  #position(name: string): number {
    const index = this.#positions.get(name);
    if (index === undefined) throw new RangeError(`no column ${name} among those of the likelihood`);
    return index;
  }

  #gatesAt(index: number): number[] {
    const condition = index === this.#varied ? null : (this.#columns[index]?.condition ?? null);
    return condition === null ? [] : [...gatesOf(condition)].map((gate) => this.#position(gate));
  }

  #topological(): number[] {
    const ordered: number[] = [];
    const visit = (index: number): void => {
      if (ordered.includes(index)) return;
      for (const gate of this.#gatesAt(index)) visit(gate);
      ordered.push(index);
    };
    this.#columns.forEach((_, index) => {
      visit(index);
    });
    return ordered;
  }
}

type Literal = Exclude<Condition, { kind: "not" | "and" | "or" }>;

function holdsFor(literal: Literal, value: number): boolean {
  switch (literal.kind) {
    case "true":
      return value === 1;
    case "isOneOf":
      return literal.classes.includes(value);
    case "has":
      return ((value >>> literal.label) & 1) === 1;
    case "atLeast":
      return value >= literal.value;
    case "below":
      return value < literal.value;
    default:
      return literal satisfies never;
  }
}

function literalsOn(task: string, conditions: readonly Condition[]): Literal[] {
  const found = new Map<string, Literal>();
  const visit = (condition: Condition): void => {
    if (condition.kind === "not") visit(condition.of);
    else if (condition.kind === "and" || condition.kind === "or") condition.of.forEach(visit);
    else if (condition.task === task) found.set(JSON.stringify(condition), condition);
  };
  conditions.forEach(visit);
  return [...found.values()];
}

/** Values by which literals they make true, and of each row its group. */
function valueGroups(
  { values }: LabelColumn,
  literals: readonly Literal[],
): { readonly groups: readonly ValueGroup[]; readonly codes: Int32Array } {
  const [byTruth, byValue] = [new Map<string | number, number>(), new Map<number, number>()];
  const groups: ValueGroup[] = [];
  const groupOf = (value: number): number => {
    const truth = truthOf(literals, value);
    const index = byTruth.get(truth) ?? groups.length;
    if (index === groups.length) groups.push({ value, share: 0 });
    byTruth.set(truth, index);
    byValue.set(value, index);
    return index;
  };
  let known = 0;
  const codes = new Int32Array(values.length).fill(EMPTY);
  for (let row = 0; row < values.length; row++) {
    const value = f64At(values, row);
    if (Number.isNaN(value)) continue;
    const code = byValue.get(value) ?? groupOf(value);
    codes[row] = code;
    at(groups, code).share++;
    known++;
  }
  for (const group of groups) group.share /= known;
  return { groups, codes };
}

/** Literals whose truth a whole number has room for. */
const BITS = 52;

/** Which of the literals hold for a value, as one word. */
function truthOf(literals: readonly Literal[], value: number): string | number {
  if (literals.length > BITS) return literals.map((literal) => (holdsFor(literal, value) ? "1" : "0")).join("");
  let bits = 0;
  for (const literal of literals) bits = 2 * bits + (holdsFor(literal, value) ? 1 : 0);
  return bits;
}

/** @param columns of each its codes by row */
function patternsOf(columns: readonly Int32Array[]): Pattern[] {
  const found = new Map<string, Pattern>();
  const rows = columns[0]?.length ?? 0;
  for (let row = 0; row < rows; row++) {
    let key = "";
    for (const codes of columns) key += String.fromCharCode((codes[row] ?? EMPTY) + 1);
    const known = found.get(key);
    if (known === undefined) {
      found.set(key, { codes: Int32Array.from(columns, (codes) => codes[row] ?? EMPTY), rows: 1 });
    } else {
      known.rows++;
    }
  }
  return [...found.values()];
}

/** Steps towards the likeliest missing rate: more change nothing that matters. */
const STEPS = 12;

/** Of empty cells, and so many filled ones, at the missing rate that makes them likeliest (expectation maximization). */
function likeliest(empty: readonly Row[], filled: number): number {
  let rate = 0.05;
  for (let step = 0; step < STEPS; step++) {
    let missing = 0;
    for (const { notAsked, asked, rows } of empty)
      missing += (rows * rate * asked) / Math.max(notAsked + rate * asked, IMPOSSIBLE);
    // one of each kind besides, so that it is never 0 or 1
    rate = (missing + 1) / (missing + filled + 2);
  }
  let sum = filled * Math.log(1 - rate);
  for (const { notAsked, asked, rows } of empty) sum += rows * Math.log(Math.max(notAsked + rate * asked, IMPOSSIBLE));
  return sum;
}
