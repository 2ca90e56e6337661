/**
 * @file The flow that a table's empty cells speak of: where a label is there only where others are answered a certain
 * way, that is its precondition.
 */
import { at } from "../../arrays.js";
import type { Condition } from "../../flow/graph.js";
import { bestCondition, type FilledCells, messageLength, shareOfOpen } from "./best-condition.js";
import {
  addRow,
  anyOutside,
  both,
  count,
  countBoth,
  countWithout,
  emptySet,
  forEachRow,
  type RowSet,
  rowsWhere,
  without,
} from "./bits.js";
import type { AskedColumn } from "./cell-likelihood.js";
import { type ExactChoice, exactChoice } from "./exact-choice.js";
import { GateSets } from "./gate-sets.js";
import type { LabelColumn } from "./label-column.js";
import { conjunction } from "./combinations.js";
import type { Statement } from "./statement.js";
import { type Gate, gateOf, type Hint, type MissingLabels, simpleStatements, statementsOn } from "./statements.js";

/** What was found out about one column. */
export interface MinedTask {
  readonly name: string;
  /** Null: asked of every row. */
  readonly given: Condition | null;
  /** Rows with a label. */
  readonly filled: number;
  /** Rows on which the precondition holds by the table's own labels. */
  readonly active: number;
  /** Of these the ones with a label; the others with a label are where a gate's own label is missing. */
  readonly held: number;
  /** Conditions of other gates that hold on the same rows. */
  readonly equivalent: readonly Condition[];
  /** Conditions that make the table less likely, but hardly so: a label more would have to be missing. */
  readonly nearly: readonly Condition[];
  /** Conditions that would hold but for these rows, which have a label although the condition is false. */
  readonly almost: readonly { readonly condition: Condition; readonly exceptions: readonly number[] }[];
}

export interface MinedFlow {
  /** In an order in which every gate comes before what it gates, else as the columns come. */
  readonly tasks: readonly MinedTask[];
}

/** Conditions are searched on so many cells, but on so many rows at least, and then judged on all rows. */
const SEARCHED_CELLS = 75_000;
const SEARCHED_ROWS = 1_500;
/** So many filled and so many empty cells of each column are searched, if it has them. */
const SEARCHED_OF_EACH = 100;
/** Rounds after which conditions no longer wait for those of their gates. */
const ROUNDS = 10;
/** A column with so many of its cells filled is taken to be asked everywhere, until its own condition is known. */
const NEARLY_COMPLETE = 0.85;
/** Alternatives that are named. */
const NAMED = 3;
/** Of a condition that almost holds: at most this share of the filled cells are exceptions. */
const ALMOST = 0.05;

/** Flows by the first of their columns: what a table's columns are is guessed from it, and then it is proposed. */
const mined = new WeakMap<LabelColumn, { readonly columns: readonly LabelColumn[]; readonly flow: MinedFlow }>();

/** Finds the preconditions of label columns. The same table gives the same flow. */
export function mineFlow(columns: readonly LabelColumn[]): MinedFlow {
  const [first] = columns;
  if (first === undefined) return { tasks: [] };
  const known = mined.get(first);
  if (known?.columns.length === columns.length && known.columns.every((column, i) => column === columns[i]))
    return known.flow;
  const flow = searchFlow(columns);
  mined.set(first, { columns: [...columns], flow });
  return flow;
}

function searchFlow(columns: readonly LabelColumn[]): MinedFlow {
  const total = columns[0]?.values.length ?? 0;
  const rows = searchedRows(columns, total);
  const sampled = new FlowSearch(
    rows === null
      ? columns
      : columns.map((column) => ({ ...column, values: rows.map((row) => at(column.values, row)) })),
  );
  sampled.run();
  sampled.settle();
  const search = rows === null ? sampled : new FlowSearch(columns, sampled);
  return { tasks: search.order().map((index) => search.describe(index)) };
}

/** Evenly spread rows, and more where a column would be hardly ever filled, or hardly ever empty; null: all. */
function searchedRows(columns: readonly LabelColumn[], total: number): Float64Array | null {
  const enough = Math.max(SEARCHED_ROWS, Math.floor(SEARCHED_CELLS / Math.max(1, columns.length)));
  const stride = Math.floor(total / enough);
  if (stride <= 1) return null;
  const chosen = rowsWhere(total, (row) => row % stride === 0);
  for (const { values } of columns) {
    for (const isEmpty of [false, true]) {
      const those = rowsWhere(total, (row) => Number.isNaN(at(values, row)) === isEmpty);
      let lacking = SEARCHED_OF_EACH - countBoth(those, chosen);
      if (lacking <= 0) continue;
      const more = without(those, chosen);
      const step = Math.max(1, Math.floor(count(more) / lacking));
      let number = 0;
      forEachRow(more, (row) => {
        if (number++ % step !== 0 || lacking-- <= 0) return;
        addRow(chosen, row);
      });
    }
  }
  const rows: number[] = [];
  forEachRow(chosen, (row) => {
    rows.push(row);
  });
  return Float64Array.from(rows);
}

/** The search over one set of rows. */
class FlowSearch {
  readonly #columns: readonly LabelColumn[];
  readonly #rows: number;
  readonly #filled: readonly RowSet[];
  readonly #all: RowSet;
  #chosen: (Statement | null)[];
  readonly #sets: (GateSets | undefined)[] = [];

  /** Of each column, once it is settled. */
  readonly #exact: (ExactChoice | undefined)[] = [];
  #isSettled = false;
  readonly #sample: FlowSearch | undefined;

  /** @param sample search on a part of the rows, whose conditions are judged again on all of them */
  constructor(columns: readonly LabelColumn[], sample?: FlowSearch) {
    this.#isSettled = sample !== undefined;
    this.#columns = columns;
    this.#rows = columns[0]?.values.length ?? 0;
    this.#all = rowsWhere(this.#rows, () => true);
    this.#filled = columns.map(({ values }) => rowsWhere(this.#rows, (row) => !Number.isNaN(at(values, row))));
    this.#chosen = columns.map(() => null);
    this.#sample = sample;
    if (sample !== undefined) this.#refit(sample);
  }

  /** Chooses every column's condition, again and again, until knowing the gates' conditions changes nothing. */
  run(): void {
    this.#untilNothingChanges((index, gates) => this.#best(index, gates));
  }

  /** @param choose the condition of a column; only asked again when that of another one has changed */
  #untilNothingChanges(
    choose: (index: number, gates: readonly Gate[], known: Statement | null) => Statement | null,
  ): void {
    // of each column what its condition was chosen from: whose, and how often these had changed by then
    const chosenFrom: string[] = [];
    const changes = this.#columns.map(() => 0);
    for (let round = 0; round < ROUNDS; round++) {
      const before = changes.join();
      for (let index = 0; index < this.#columns.length; index++) {
        const old = this.#chosen[index];
        this.#chosen[index] = null;
        const from = changes.map((times, i) => (i === index ? 0 : times)).join();
        const isSame = chosenFrom[index] === from;
        const chosen = isSame ? (old ?? null) : choose(index, this.#gatesFor(index), old ?? null);
        this.#chosen[index] = chosen;
        chosenFrom[index] = from;
        if (textOf(chosen) !== textOf(old ?? null)) changes[index] = at(changes, index) + 1;
      }
      if (changes.join() === before) return;
    }
  }

  /**
   * Chooses again by the exact likelihood of all cells, which needs conditions of the others to start from. A column
   * without one now counts as asked everywhere.
   */
  settle(): void {
    this.#isSettled = true;
    this.#untilNothingChanges((index, gates, known) => {
      const choice = exactChoice(index, this.#cells(index), gates, this.#asked(), known);
      this.#exact[index] = choice;
      return choice.statement;
    });
  }

  #asked(): AskedColumn[] {
    return this.#columns.map((column, index) => {
      const filled = at(this.#filled, index);
      const chosen = this.#chosen[index] ?? null;
      const held = chosen?.held ?? this.#all;
      const missing = countWithout(held, filled);
      return { column, condition: chosen?.condition ?? null, missingRate: (missing + 1) / (count(held) + 2) };
    });
  }

  /** The conditions of a search of fewer rows, found again on these: thresholds and classes may have grown. */
  #refit(found: FlowSearch): void {
    for (const index of found.order()) {
      const gates = found.#chosen[index]?.gates;
      if (gates === undefined) continue;
      this.#chosen[index] = this.#best(index, this.#gatesFor(index, new Set(gates)));
    }
  }

  /** Columns that the condition of this one may read: all but itself and those that hang on it. */
  #gatesFor(index: number, among?: ReadonlySet<number>): Gate[] {
    const implied = this.#hintsByGate(index);
    return this.#columns.flatMap((column, i) => {
      if (i === index || column.form.kind === "none" || among?.has(i) === false || this.#hangsOn(i, index)) return [];
      const missing = this.#missing(i);
      return [gateOf(i, this.#setsOf(i), missing, hintsOn(missing.missing, implied.get(i) ?? []))];
    });
  }

  /** What labels of other tasks than this one say of each gate: where they are, and what is true of the gate then. */
  #hintsByGate(index: number): ReadonlyMap<number, readonly Hint[]> {
    const hints = new Map<number, Hint[]>();
    for (let i = 0; i < this.#columns.length; i++) {
      if (i === index) continue;
      for (const { gates, holds } of this.#impliedBy(i)) {
        const [gate] = gates;
        if (gate === undefined || gate === i) continue;
        const own = hints.get(gate) ?? [];
        own.push({ holds, rows: at(this.#filled, i) });
        hints.set(gate, own);
      }
    }
    return hints;
  }

  /** What is true wherever a task is asked: its own condition, and those of the gates that it reads. */
  #impliedBy(index: number, seen = new Set<number>()): Statement[] {
    if (seen.has(index)) return [];
    seen.add(index);
    const parts = this.#chosen[index]?.parts ?? [];
    return [...parts, ...parts.flatMap(({ gates }) => gates.flatMap((gate) => this.#impliedBy(gate, seen)))];
  }

  /** Made when they are first needed: many columns are never asked. */
  #setsOf(index: number): GateSets {
    const made = this.#sets[index] ?? new GateSets(at(this.#columns, index));
    this.#sets[index] = made;
    return made;
  }

  #hangsOn(index: number, gate: number, seen = new Set<number>()): boolean {
    if (seen.has(index)) return false;
    seen.add(index);
    return (this.#chosen[index]?.gates ?? []).some((each) => each === gate || this.#hangsOn(each, gate, seen));
  }

  /** Empty cells that are missing labels: those where the question was, or may have been, asked. */
  #missing(index: number): MissingLabels {
    const filled = at(this.#filled, index);
    const empty = without(this.#all, filled);
    const chosen = this.#chosen[index];
    const none = emptySet(this.#rows);
    if (chosen != null) {
      const missing = both(empty, chosen.possible);
      return { missing, doubtful: without(missing, chosen.held), askedShare: shareOfOpen(chosen, empty) };
    }
    const isComplete = this.#isSettled || count(filled) >= NEARLY_COMPLETE * this.#rows;
    return { missing: isComplete ? empty : none, doubtful: none, askedShare: 1 };
  }

  #best(index: number, gates: readonly Gate[]): Statement | null {
    return bestCondition(this.#cells(index), gates);
  }

  #cells(index: number): FilledCells {
    const filled = at(this.#filled, index);
    return { filled, empty: without(this.#all, filled), rows: this.#rows, columns: this.#columns.length };
  }

  /** Positions of the columns, gates before what they gate. */
  order(): number[] {
    const ordered: number[] = [];
    const visit = (index: number): void => {
      if (ordered.includes(index)) return;
      for (const gate of [...(this.#chosen[index]?.gates ?? [])].sort((a, b) => a - b)) visit(gate);
      ordered.push(index);
    };
    this.#columns.forEach((_, index) => {
      visit(index);
    });
    return ordered;
  }

  describe(index: number): MinedTask {
    const filled = at(this.#filled, index);
    const chosen = this.#chosen[index] ?? null;
    const gates = this.#gatesFor(index, this.#sample?.worthNaming(index));
    return {
      name: at(this.#columns, index).name,
      given: chosen?.condition ?? null,
      filled: count(filled),
      active: chosen === null ? this.#rows : count(chosen.holds),
      held: chosen === null ? count(filled) : countBoth(chosen.holds, filled),
      ...this.#alternatives(chosen, filled, gates, (this.#sample ?? this).#exact[index]),
      almost: chosen === null ? this.#almost(index, gates) : [],
    };
  }

  /** Conditions that fit as well as the chosen one, and nearly as well. */
  #alternatives(
    chosen: Statement | null,
    filled: RowSet,
    gates: readonly Gate[],
    exact: ExactChoice | undefined,
  ): Pick<MinedTask, "equivalent" | "nearly"> {
    if (chosen === null) return { equivalent: [], nearly: [] };
    const [equal, near] = [exact?.equal ?? [], exact?.near ?? []];
    // of each choice of gates one is named
    const named = new Set([chosen, ...equal].map(gatesText));
    const others = this.#equivalent(chosen, filled, gates).filter(
      (statement) => named.size < named.add(gatesText(statement)).size,
    );
    const equivalent = [...equal, ...others].slice(0, NAMED);
    const nearly = near.filter((statement) => !others.some((other) => textOf(other) === textOf(statement)));
    return {
      equivalent: equivalent.map(({ condition }) => condition),
      nearly: nearly.slice(0, NAMED).map(({ condition }) => condition),
    };
  }

  /** Gates that may be named of a column: all rows need not be looked at for the others. */
  worthNaming(index: number): ReadonlySet<number> {
    const chosen = this.#chosen[index] ?? null;
    const gates = this.#gatesFor(index);
    if (chosen === null) return new Set(this.#nearly(index, gates).flatMap(({ statement }) => statement.gates));
    const equivalent = this.#equivalent(chosen, at(this.#filled, index), gates);
    return new Set([chosen, ...equivalent].flatMap((statement) => statement.gates));
  }

  /** Conditions that say the same of these rows, or differ in nothing but what a missing label leaves open. */
  #equivalent(chosen: Statement, filled: RowSet, gates: readonly Gate[]): Statement[] {
    const text = textOf(chosen);
    const single = gates.flatMap((gate) => statementsOn(gate, filled));
    const [left, right] = chosen.parts;
    const pairs =
      left === undefined || right === undefined || left.gates[0] === right.gates[0]
        ? []
        : single.flatMap((other) => [conjunction(other, right), conjunction(left, other)]);
    return [...single, ...pairs]
      .filter((other) => textOf(other) !== text && other.gates.length <= chosen.gates.length && fitsAs(chosen, other))
      .slice(0, NAMED);
  }

  #almost(index: number, gates: readonly Gate[]): MinedTask["almost"] {
    return this.#nearly(index, gates).map(({ statement, exceptions }) => ({
      condition: statement.condition,
      exceptions: this.#rowsOf(exceptions),
    }));
  }

  /** Statements about one gate that a few filled cells contradict, the best first. */
  #nearly(index: number, gates: readonly Gate[]): { readonly statement: Statement; readonly exceptions: RowSet }[] {
    const cells = this.#cells(index);
    const { filled } = cells;
    const there = count(filled);
    if (there === this.#rows) return [];
    const found = gates.flatMap((gate) =>
      [...simpleStatements(gate, filled)].flatMap((statement) => {
        const number = countWithout(filled, statement.possible);
        if (number === 0 || number > Math.max(1, ALMOST * there)) return [];
        const exceptions = without(filled, statement.possible);
        // it would have to explain the empty cells
        const kept = { ...cells, filled: without(filled, exceptions) };
        const gain = messageLength(cells, null) - messageLength(kept, statement) - number * Math.log(this.#rows);
        return gain > 0 ? [{ statement, exceptions, gain }] : [];
      }),
    );
    return found.sort((a, b) => b.gain - a.gain).slice(0, NAMED);
  }

  #rowsOf(set: RowSet): number[] {
    const rows: number[] = [];
    forEachRow(set, (row) => {
      rows.push(row);
    });
    return rows;
  }
}

/** Where the gate's own label is missing. */
function hintsOn(missing: RowSet, hints: readonly Hint[]): Hint[] {
  return hints.map(({ holds, rows }) => ({ holds, rows: both(missing, rows) }));
}

function textOf(statement: Statement | null): string {
  return JSON.stringify(statement?.condition ?? null);
}

function gatesText({ gates }: Statement): string {
  return [...gates].sort((a, b) => a - b).join();
}

/** Of the rows on which a condition is true: so many must be known to be true of one that fits equally. */
const KNOWN_OF_BOTH = 0.8;

function fitsAs(chosen: Statement, other: Statement): boolean {
  if (anyOutside(chosen.holds, other.possible) || anyOutside(other.holds, chosen.possible)) return false;
  return countBoth(chosen.holds, other.holds) >= KNOWN_OF_BOTH * count(chosen.holds);
}
