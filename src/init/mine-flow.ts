/**
 * @file The flow that a table's empty cells speak of: where a label is there only where others are answered a certain
 * way, that is its precondition.
 *
 * Each condition of up to two gates is judged by how short a message it makes of which cells are filled (minimum
 * description length, Rissanen 1978): the condition itself, then the labels missing where it holds. A filled cell where
 * it does not hold rules it out.
 */
import { logGamma } from "../analysis/statistics/log-gamma.js";
import { at } from "../arrays.js";
import type { Condition } from "../flow/graph.js";
import { anyOutside, both, count, countBoth, emptySet, type RowSet, rowsWhere, sameRows, without } from "./bits.js";
import type { LabelColumn } from "./label-column.js";
import { conjunction, disjunction, type Gate, type Statement, simpleStatements, statementsOn } from "./statements.js";

/** What was found out about one column. */
export interface MinedTask {
  readonly name: string;
  /** Null: asked of every row. */
  readonly given: Condition | null;
  /** Rows with a label. */
  readonly filled: number;
  /** Rows on which the precondition holds by the table's own labels. */
  readonly active: number;
  /** Conditions of other gates that hold on the same rows. */
  readonly equivalent: readonly Condition[];
  /** Conditions that would hold but for these rows, which have a label although the condition is false. */
  readonly almost: readonly { readonly condition: Condition; readonly exceptions: readonly number[] }[];
}

export interface MinedFlow {
  /** In an order in which every gate comes before what it gates, else as the columns come. */
  readonly tasks: readonly MinedTask[];
}

/** Conditions are searched on so many rows, and then judged on all. */
const SEARCHED_ROWS = 10_000;
/** Rounds after which conditions no longer wait for those of their gates. */
const ROUNDS = 6;
/** A column with so many of its cells filled is taken to be asked everywhere, until its own condition is known. */
const NEARLY_COMPLETE = 0.85;
/** Alternatives that are named. */
const NAMED = 3;
/** Of a condition that almost holds: at most this share of the filled cells are exceptions. */
const ALMOST = 0.05;

/** Finds the preconditions of label columns. The same table gives the same flow. */
export function mineFlow(columns: readonly LabelColumn[]): MinedFlow {
  const total = columns[0]?.values.length ?? 0;
  const stride = Math.max(1, Math.floor(total / SEARCHED_ROWS));
  const searched =
    stride === 1
      ? columns
      : columns.map((column) => ({ ...column, values: column.values.filter((_, row) => row % stride === 0) }));
  const sampled = new FlowSearch(searched);
  sampled.run();
  const search = stride === 1 ? sampled : new FlowSearch(columns, sampled);
  return { tasks: search.order().map((index) => search.describe(index)) };
}

/** The search over one set of rows. */
class FlowSearch {
  readonly #columns: readonly LabelColumn[];
  readonly #rows: number;
  readonly #filled: readonly RowSet[];
  readonly #all: RowSet;
  #chosen: (Statement | null)[];

  /** @param found conditions of a part of the rows, which are judged again on all of them */
  constructor(columns: readonly LabelColumn[], found?: FlowSearch) {
    this.#columns = columns;
    this.#rows = columns[0]?.values.length ?? 0;
    this.#all = rowsWhere(this.#rows, () => true);
    this.#filled = columns.map(({ values }) => rowsWhere(this.#rows, (row) => !Number.isNaN(at(values, row))));
    this.#chosen = columns.map(() => null);
    if (found !== undefined) this.#refit(found);
  }

  /** Chooses every column's condition, again and again, until knowing the gates' conditions changes nothing. */
  run(): void {
    for (let round = 0; round < ROUNDS; round++) {
      const before = this.#chosen.map((statement) => JSON.stringify(statement?.condition ?? null));
      for (let index = 0; index < this.#columns.length; index++) {
        this.#chosen[index] = null;
        this.#chosen[index] = this.#best(index, this.#gatesFor(index));
      }
      if (this.#chosen.every((statement, i) => JSON.stringify(statement?.condition ?? null) === before[i])) return;
    }
  }

  /** The conditions of a search of fewer rows, found again on these: thresholds and classes may have grown. */
  #refit(found: FlowSearch): void {
    for (const index of found.order()) {
      const gates = found.#chosen[index]?.gates;
      if (gates === undefined) continue;
      this.#chosen[index] = this.#best(
        index,
        this.#gatesFor(index).filter((gate) => gates.includes(gate.index)),
      );
    }
  }

  /** Columns that the condition of this one may read: all but itself and those that hang on it. */
  #gatesFor(index: number): Gate[] {
    return this.#columns.flatMap((column, i) => {
      if (i === index || column.form.kind === "none" || this.#hangsOn(i, index)) return [];
      return [{ index: i, column, missing: this.#missing(i) }];
    });
  }

  #hangsOn(index: number, gate: number, seen = new Set<number>()): boolean {
    if (seen.has(index)) return false;
    seen.add(index);
    return (this.#chosen[index]?.gates ?? []).some((each) => each === gate || this.#hangsOn(each, gate, seen));
  }

  /** Empty cells that are missing labels: those where the question was, or may have been, asked. */
  #missing(index: number): RowSet {
    const filled = at(this.#filled, index);
    const empty = without(this.#all, filled);
    const chosen = this.#chosen[index];
    if (chosen != null) return both(empty, chosen.possible);
    return count(filled) >= NEARLY_COMPLETE * this.#rows ? empty : emptySet(this.#rows);
  }

  #best(index: number, gates: readonly Gate[]): Statement | null {
    const filled = at(this.#filled, index);
    let best: { statement: Statement | null; length: number } = { statement: null, length: this.#length(filled, null) };
    for (const statement of this.#candidates(filled, gates)) {
      const length = this.#length(filled, statement);
      // of equals the first: the one whose gates were declared first
      if (length < best.length - 1e-9) best = { statement, length };
    }
    return best.statement;
  }

  /** Conditions that are possible on all filled rows, the simple ones first. */
  *#candidates(filled: RowSet, gates: readonly Gate[]): Generator<Statement> {
    const single = gates.flatMap((gate) => statementsOn(gate, filled, this.#rows));
    const narrowing = single.filter(({ possible }) => anyOutside(this.#all, possible));
    yield* narrowing;
    for (const [i, left] of narrowing.entries()) {
      for (const right of narrowing.slice(i + 1)) {
        // one that holds wherever the other does, as what a gate hangs on, says nothing more
        if (anyOutside(left.holds, right.possible) && anyOutside(right.holds, left.possible)) {
          yield conjunction(left, right);
        }
      }
    }
    for (const gate of gates) {
      for (const left of simpleStatements(gate, filled, this.#rows))
        yield* this.#disjunctions(filled, left, gate, gates);
    }
  }

  *#disjunctions(filled: RowSet, left: Statement, gate: Gate, gates: readonly Gate[]): Generator<Statement> {
    // that it is possible on all of them already makes it a condition by itself
    const rest = without(filled, left.holds);
    if (!anyOutside(filled, left.possible) || count(rest) === count(filled)) return;
    for (const other of gates) {
      if (other.index === gate.index) continue;
      for (const right of statementsOn(other, without(filled, left.possible), this.#rows)) {
        if (right.gates.length > 1) continue;
        yield disjunction(left, right);
        // what the other one covers need not be covered by this one: a wider step, another set of classes
        const [form, uncovered] = [gate.column.form.kind, without(filled, right.possible)];
        if (form === "binary" || form === "labels" || count(uncovered) === 0) continue;
        for (const wider of statementsOn(gate, uncovered, this.#rows)) {
          if (wider.gates.length === 1) yield ordered(disjunction(wider, right), gate.index, other.index, wider, right);
        }
      }
    }
  }

  /**
   * Length of the message in nats: the choice of the condition, then the empty cells where it holds under a missing
   * rate of its own (Beta-binomial, uniform prior), then cells where a gate's label is missing, as a mixture.
   */
  #length(filled: RowSet, statement: Statement | null): number {
    if (statement === null) {
      const there = count(filled);
      return betaBinomial(there, this.#rows - there);
    }
    const { holds, possible, fails } = statement;
    if (anyOutside(filled, possible)) return Number.POSITIVE_INFINITY;
    const [there, held] = [countBoth(holds, filled), count(holds)];
    const open = without(possible, holds);
    const [openThere, opened] = [countBoth(open, filled), count(open)];
    const missingRate = (held - there + 1) / (held + 2);
    const share = ((held + 1) / (held + count(fails) + 2)) * (1 - missingRate);
    const mixture = openThere * Math.log(share) + (opened - openThere) * Math.log(1 - share);
    return betaBinomial(there, held - there) - mixture + statement.cost + this.#choiceOfGates(statement.gates.length);
  }

  /** Which columns they are, and the usual price of a parameter (Schwarz 1978), so that chance does not buy a gate. */
  #choiceOfGates(gates: number): number {
    return gates * (Math.log(Math.max(2, this.#columns.length)) + 0.5 * Math.log(this.#rows));
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
    const gates = this.#gatesFor(index);
    return {
      name: at(this.#columns, index).name,
      given: chosen?.condition ?? null,
      filled: count(filled),
      active: chosen === null ? this.#rows : count(chosen.holds),
      equivalent: chosen === null ? [] : this.#equivalent(chosen, filled, gates),
      almost: chosen === null ? this.#almost(filled, gates) : [],
    };
  }

  #equivalent(chosen: Statement, filled: RowSet, gates: readonly Gate[]): Condition[] {
    const text = JSON.stringify(chosen.condition);
    return gates
      .flatMap((gate) => statementsOn(gate, filled, this.#rows))
      .filter(({ condition, holds }) => JSON.stringify(condition) !== text && sameRows(holds, chosen.holds))
      .slice(0, NAMED)
      .map(({ condition }) => condition);
  }

  /** Statements about one gate that a few filled cells contradict. */
  #almost(filled: RowSet, gates: readonly Gate[]): MinedTask["almost"] {
    const there = count(filled);
    if (there === this.#rows) return [];
    const found = gates.flatMap((gate) =>
      simpleStatements(gate, filled, this.#rows).flatMap((statement) => {
        const exceptions = without(filled, statement.possible);
        const number = count(exceptions);
        if (number === 0 || number > Math.max(1, ALMOST * there)) return [];
        // it would have to explain the empty cells
        const kept = without(filled, exceptions);
        const gain = this.#length(filled, null) - this.#length(kept, statement) - number * Math.log(this.#rows);
        return gain > 0 ? [{ condition: statement.condition, exceptions, gain }] : [];
      }),
    );
    return found
      .sort((a, b) => b.gain - a.gain)
      .slice(0, NAMED)
      .map(({ condition, exceptions }) => ({ condition, exceptions: this.#rowsOf(exceptions) }));
  }

  #rowsOf(set: RowSet): number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.#rows; row++) if (((at(set, row >>> 5) >>> (row & 31)) & 1) === 1) rows.push(row);
    return rows;
  }
}

/** The disjunction with its operands in the order in which their gates were declared. */
function ordered(either: Statement, left: number, right: number, first: Statement, second: Statement): Statement {
  return left < right ? either : disjunction(second, first);
}

/** −log of the probability of k of k + m under a rate of uniform prior: log((k + m + 1)! / (k! m!)). */
function betaBinomial(there: number, missing: number): number {
  return logGamma(there + missing + 2) - logGamma(there + 1) - logGamma(missing + 1);
}
