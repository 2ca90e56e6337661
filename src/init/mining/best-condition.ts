/**
 * @file The condition that says best which cells of a column are filled.
 *
 * Each condition of up to two gates is judged by how short a message it makes of which cells are filled (minimum
 * description length, Rissanen 1978): the condition itself, then the labels missing where it holds. A filled cell where
 * it does not hold rules it out.
 */
import { at } from "../../arrays.js";
import { logGamma } from "../../analysis/statistics/log-gamma.js";
import { anyBoth, anyOutside, both, count, countBoth, countEither, countThree, type RowSet, without } from "./bits.js";
import { conjunction, disjunction } from "./combinations.js";
import type { Statement } from "./statement.js";
import {
  canCover,
  type Gate,
  leastCost,
  simpleStatements,
  statementOf,
  statementsOn,
  type Worth,
} from "./statements.js";
import { Tally } from "./tally.js";

/** The cells of one column, and how many columns there are to choose gates from. */
export interface FilledCells {
  readonly filled: RowSet;
  readonly empty: RowSet;
  readonly rows: number;
  readonly columns: number;
}

/** @returns null where no condition says it in fewer words than none */
export function bestCondition(cells: FilledCells, gates: readonly Gate[]): Statement | null {
  // nothing is to be explained where no cell is empty
  if (count(cells.empty) === 0) return null;
  const search = new Search(cells);
  search.singles(gates);
  search.pairs(gates);
  return search.best.statement;
}

/** Conditions of one gate that are judged exactly, and that are put together in pairs for it. */
const SINGLES = 10;
/** Conditions of two gates that are judged exactly. */
const PAIRS = 10;
/** Nats by which a condition of two gates may be longer than the shortest then. */
const SLACK = 6;

/** Up to so many gates all pairs of them are looked at again; of more only those that come into question. */
const FEW_GATES = 12;

/**
 * Conditions among which the best one may be, as the message is only nearly as long as it says.
 * @param known the best one when less was known of the gates
 */
export function likelyConditions(cells: FilledCells, gates: readonly Gate[], known: Statement | null): Statement[] {
  if (count(cells.empty) === 0) return [];
  const search = new Search(cells, SLACK);
  const singles = shortest(search.singles(gates), cells, SINGLES);
  const named = new Set([...singles, ...(known === null ? [] : [known])].flatMap((statement) => statement.gates));
  search.pairs(gates.length <= FEW_GATES ? gates : gates.filter(({ index }) => named.has(index)));
  const joined = singles.flatMap((left, i) =>
    singles
      .slice(i + 1)
      .flatMap((right) => (left.gates[0] === right.gates[0] ? [] : [inOrderOfGates(left, right, conjunction)])),
  );
  const again = known === null ? [] : [statementOf(known.condition, gates)];
  return [...again, ...singles, ...shortest(search.considered, cells, PAIRS), ...shortest(joined, cells, SINGLES)];
}

function shortest(statements: readonly Statement[], cells: FilledCells, number: number): Statement[] {
  return statements
    .map((statement) => ({ statement, length: messageLength(cells, statement) }))
    .sort((a, b) => a.length - b.length)
    .slice(0, number)
    .map(({ statement }) => statement);
}

function inOrderOfGates(left: Statement, right: Statement, join: typeof conjunction): Statement {
  return at(left.gates, 0) < at(right.gates, 0) ? join(left, right) : join(right, left);
}

/** Lengths as close as that are the same: rounding does not decide. */
const SAME = 1e-9;

/** Of a number's different values: how many at each end are tried as margins. */
const MARGINS = [0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005];

/** What no range of a gate's numbers may hold, beside a statement that costs so many nats at least. */
interface Margins {
  readonly least: number;
  /** Rows with the smallest and the largest numbers; null: any range may say enough. */
  readonly rows: { readonly low: RowSet; readonly high: RowSet } | null;
}

class Search {
  best: { readonly statement: Statement | null; readonly length: number };
  /** All that were not much longer than the best so far. */
  readonly considered: Statement[] = [];
  readonly #cells: FilledCells;
  readonly #slack: number;
  #narrowing: readonly Statement[] = [];
  readonly #tallies = new Map<number, Tally>();
  readonly #margins = new Map<number, Margins>();
  /** Nats of the choice of two gates. */
  readonly #choiceOfPair: number;
  #widened: { readonly gate: number; readonly beside: Set<Statement> } = { gate: -1, beside: new Set() };

  /** @param slack nats by which a condition may be longer than the best one and still be considered */
  constructor(cells: FilledCells, slack = -SAME) {
    this.#cells = cells;
    this.#slack = slack;
    this.#choiceOfPair = choiceOfGates(cells, 2);
    this.best = { statement: null, length: messageLength(cells, null) };
  }

  /** Conditions on one gate that are possible on all filled rows. */
  singles(gates: readonly Gate[]): readonly Statement[] {
    const { filled, empty } = this.#cells;
    const found = gates.flatMap((gate) => statementsOn(gate, filled));
    this.#narrowing = found.filter(({ possible }) => anyOutside(empty, possible));
    for (const statement of this.#narrowing) this.#consider(statement);
    return this.#narrowing;
  }

  /** Conditions on two gates; the singles have been looked at before. */
  pairs(gates: readonly Gate[]): void {
    this.#conjunctions();
    for (const gate of gates) this.#disjunctions(gate, gates);
  }

  #conjunctions(): void {
    const { filled, empty } = this.#cells;
    this.#narrowing.forEach((left, i) => {
      for (const right of this.#narrowing.slice(i + 1)) {
        const held = (cells: RowSet) => countThree(cells, left.holds, right.holds);
        if (!this.#canBeBetter(left, right, held(empty), () => held(filled))) continue;
        // one that holds wherever the other does, as what a gate hangs on, says nothing more
        if (anyOutside(left.holds, right.possible) && anyOutside(right.holds, left.possible))
          this.#consider(conjunction(left, right));
      }
    });
  }

  /** Of what is said of a gate with what covers the rest of the filled rows. */
  #disjunctions(gate: Gate, gates: readonly Gate[]): void {
    const { filled, empty } = this.#cells;
    for (const left of simpleStatements(gate, filled)) {
      const [there, missing] = [countBoth(filled, left.holds), countBoth(empty, left.holds)];
      if (there === 0 || !this.#canBeBetter(left, null, missing, () => there)) continue;
      const rest = without(filled, left.possible);
      // that it is possible on all of them already makes it a condition by itself
      if (count(rest) === 0) continue;
      for (const other of gates) {
        if (other.index !== gate.index) this.#covered(left, gate, other, rest);
      }
    }
  }

  #covered(left: Statement, gate: Gate, other: Gate, rest: RowSet): void {
    const { filled, empty } = this.#cells;
    if (!canCover(other, rest)) return;
    const least = leastCost(gate);
    if (this.#spansTooMuch(other, least, rest)) return;
    for (const right of statementsOn(other, rest, this.#worthBeside(least))) {
      const missing = countBoth(empty, right.holds);
      if (!this.#canBeBetter(right, null, missing, () => countBoth(filled, right.holds))) continue;
      this.#considerEither(left, right, gate.index < other.index);
      // what the other one covers need not be covered by this one: a wider step, another set of classes
      const { kind } = gate.sets.column.form;
      if (kind === "binary" || kind === "labels" || this.#isWidened(gate, right)) continue;
      const isCertain = !anyOutside(right.possible, right.held);
      for (const covered of isCertain ? [right.held] : [right.possible, right.held]) {
        const uncovered = without(filled, covered);
        if (count(uncovered) === 0) continue;
        for (const wider of statementsOn(gate, uncovered, this.#worthBeside(right.cost))) {
          this.#considerEither(wider, right, gate.index < other.index);
        }
      }
    }
  }

  /** Whether rows have such small and such large numbers that no range of them all says enough. */
  #spansTooMuch(gate: Gate, least: number, rows: RowSet): boolean {
    if (gate.sets.column.form.kind !== "number") return false;
    let margins = this.#margins.get(gate.index);
    // beside a statement that costs more there may be some where there were none
    if (margins === undefined || (margins.rows === null && least > margins.least)) {
      margins = this.#marginsOf(gate, least);
      this.#margins.set(gate.index, margins);
    }
    // those of another gate beside it hold for statements that cost as much
    if (margins.rows === null || least < margins.least) return false;
    return anyBoth(rows, margins.rows.low) && anyBoth(rows, margins.rows.high);
  }

  /** The smallest and the largest numbers that no statement can hold both of: few, but enough to be met soon. */
  #marginsOf(gate: Gate, least: number): Margins {
    const { sets } = gate;
    const { length } = sets.distinct;
    const isWorth = this.#worthBeside(least);
    for (const share of MARGINS) {
      const from = Math.floor(share * length);
      if (from === 0) return { least, rows: null };
      if (isWorth(gate, leastCost(gate), { from, to: length - from })) continue;
      const low = without(sets.known, sets.fromValue(from));
      return { least, rows: { low, high: sets.fromValue(length - from) } };
    }
    return { least, rows: null };
  }

  /** Whether all that covers the rest has been looked for before: steps of a number leave the same rest, often. */
  #isWidened(gate: Gate, right: Statement): boolean {
    if (this.#widened.gate !== gate.index) this.#widened = { gate: gate.index, beside: new Set() };
    const { beside } = this.#widened;
    return beside.size === beside.add(right).size;
  }

  /** @param cost nats of the other gate's statement, at least */
  #worthBeside(cost: number): Worth {
    return (gate, own, held) => {
      const words = own + cost + this.#choiceOfPair;
      const most = this.best.length + this.#slack;
      if (words >= most) return false;
      const { there, missing } = this.#tallyOf(gate).of(held);
      return words + betaBinomial(there, missing) < most;
    };
  }

  #tallyOf(gate: Gate): Tally {
    const known = this.#tallies.get(gate.index);
    if (known !== undefined) return known;
    const tally = new Tally(gate.sets, this.#cells);
    this.#tallies.set(gate.index, tally);
    return tally;
  }

  /** @param inOrder whether the first one's gate was declared before the second's */
  #considerEither(left: Statement, right: Statement, inOrder: boolean): void {
    const { filled, empty } = this.#cells;
    const held = (cells: RowSet) => countEither(cells, left.holds, right.holds);
    if (!this.#canBeBetter(left, right, held(empty), () => held(filled))) return;
    this.#consider(inOrder ? disjunction(left, right) : disjunction(right, left));
  }

  /**
   * Whether a condition of two gates may be shorter than the best so far, by what is certain of it before it is made:
   * some rows on which it holds.
   * @param missing of these without a label
   * @param there of these with one
   */
  #canBeBetter(left: Statement, right: Statement | null, missing: number, there: () => number): boolean {
    const words = left.cost + (right?.cost ?? 0) + this.#choiceOfPair;
    const most = this.best.length + this.#slack;
    return words < most && words + betaBinomial(there(), missing) < most;
  }

  #consider(statement: Statement): void {
    const length = messageLength(this.#cells, statement, this.best.length + Math.max(0, this.#slack));
    if (this.#slack > 0 && length < this.best.length + this.#slack) this.considered.push(statement);
    // of equals the first: the one whose gates were declared first
    if (length < this.best.length - SAME) this.best = { statement, length };
  }
}

/**
 * Length of the message in nats: the choice of the condition, then the empty cells where it holds under a missing
 * rate of its own (Beta-binomial, uniform prior), then cells where a gate's label is missing, as a mixture.
 * @param most from which on the exact length does not matter: then it is infinite
 */
export function messageLength(
  cells: FilledCells,
  statement: Statement | null,
  most = Number.POSITIVE_INFINITY,
): number {
  const { filled, rows } = cells;
  if (statement === null) {
    const there = count(filled);
    return betaBinomial(there, rows - there);
  }
  const { held, possible, fails } = statement;
  if (anyOutside(filled, possible)) return Number.POSITIVE_INFINITY;
  const [there, all] = [countBoth(held, filled), count(held)];
  const certain = betaBinomial(there, all - there) + statement.cost + choiceOfGates(cells, statement.gates.length);
  if (certain >= most) return Number.POSITIVE_INFINITY;
  const open = without(possible, held);
  const missingRate = (all - there + 1) / (all + 2);
  const share = ((all + 1) / (all + count(fails) + 2)) * (1 - missingRate);
  const doubtful = both(open, statement.doubtful);
  const mixture =
    logLikelihood(without(open, doubtful), filled, share) +
    adaptiveLogLikelihood(doubtful, filled, share * statement.askedShare);
  return certain - mixture;
}

/** Of which of some cells are filled, each with the same probability. */
function logLikelihood(cells: RowSet, filled: RowSet, share: number): number {
  const [all, there] = [count(cells), countBoth(cells, filled)];
  return there * Math.log(share) + (all - there) * Math.log(1 - share);
}

/** Rows that the first guess of a rate counts as. */
const GUESS_WEIGHT = 8;

/** The same where the probability itself is unknown: a Beta distribution around a guess. */
function adaptiveLogLikelihood(cells: RowSet, filled: RowSet, guess: number): number {
  const [all, there] = [count(cells), countBoth(cells, filled)];
  const [yes, no] = [GUESS_WEIGHT * guess, GUESS_WEIGHT * (1 - guess)];
  return logBeta(there + yes, all - there + no) - logBeta(yes, no);
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** On how many rows a condition is true, of those where it hangs on a missing label and the cell is empty; 0 to 1. */
export function shareOfOpen({ held, possible, fails, doubtful, askedShare }: Statement, empty: RowSet): number {
  const open = both(without(possible, held), empty);
  const [all, asked] = [count(held), count(open)];
  if (asked === 0) return 1;
  const share = (all + 1) / (all + count(fails) + 2);
  const inDoubt = countBoth(open, doubtful) / asked;
  return share * (1 - inDoubt + inDoubt * askedShare);
}

/** Which columns they are, and the usual price of a parameter (Schwarz 1978), so that chance does not buy a gate. */
export function choiceOfGates({ columns, rows }: FilledCells, gates: number): number {
  return gates * (Math.log(Math.max(2, columns)) + Math.log(rows));
}

/** −log of the probability of k of k + m under a rate of uniform prior: log((k + m + 1)! / (k! m!)). */
function betaBinomial(there: number, missing: number): number {
  return logFactorial(there + missing + 1) - logFactorial(there) - logFactorial(missing);
}

/** By number, as they are first needed; NaN before. */
let logFactorials = new Float64Array(1024).fill(Number.NaN);

function logFactorial(number: number): number {
  const known = logFactorials[number];
  if (known === undefined) {
    const longer = new Float64Array(2 * number).fill(Number.NaN);
    longer.set(logFactorials);
    logFactorials = longer;
  } else if (!Number.isNaN(known)) {
    return known;
  }
  const made = logGamma(number + 1);
  logFactorials[number] = made;
  return made;
}
