/** @file The condition of one column by the exact likelihood of its cells, and those that fit as well or nearly so. */
import { at } from "../../arrays.js";
import { type Condition, gatesOf } from "../../flow/graph.js";
import { choiceOfGates, type FilledCells, likelyConditions } from "./best-condition.js";
import { anyOutside, count, type RowSet } from "./bits.js";
import { type AskedColumn, CellLikelihood } from "./cell-likelihood.js";
import type { Statement } from "./statement.js";
import { type Gate, neighboursOf } from "./statements.js";

/** A condition and others of as few gates: no row speaks against them, or hardly any. */
export interface ExactChoice {
  /** Null: asked of every row. */
  readonly statement: Statement | null;
  /** That make the table just as likely. */
  readonly equal: readonly Statement[];
  /** That make it less likely, but no more than by {@link NEARLY} beyond what their fewer words make up for. */
  readonly near: readonly Statement[];
}

/** Of two conditions that explain a table: one up to so many times as likely as the other does not rule it out. */
const NEARLY = 100;
/** Nats within which two likelihoods are the same. */
const SAME = 1e-6;
/** Conditions whose neighbours are tried, too. */
const VARIED = 4;
/** Columns up to which also those are looked at that hang on the gates: they tell of gates that are missing. */
const WIDE = 12;

interface Judged {
  readonly statement: Statement;
  readonly likelihood: number;
  /** Likelihood, less the choice of the condition. */
  readonly score: number;
}

/**
 * @param index of the column whose condition is chosen
 * @param flow the other columns under the conditions that they have so far; none of the gates hangs on the column
 * @param known the condition that the column has so far
 */
export function exactChoice(
  index: number,
  cells: FilledCells,
  gates: readonly Gate[],
  flow: readonly AskedColumn[],
  known: Statement | null,
): ExactChoice {
  const found = unlike(likelyConditions(cells, gates, known));
  if (found.length === 0) return { statement: null, equal: [], near: [] };
  const judge = judgeOf(index, cells, flow, found);
  const first = judge.all(found);
  const varied = unlike(
    [...first]
      .sort((a, b) => b.score - a.score)
      .slice(0, VARIED)
      .flatMap(({ statement }) => neighboursOf(statement)),
    found,
  ).filter(({ possible }) => !anyOutside(cells.filled, possible));
  const judged = [...first, ...judgeOf(index, cells, flow, [...found, ...varied]).all(varied)];
  const best = judged.reduce((one, other) => (other.score > one.score ? other : one));
  if (judge.always >= best.score) return { statement: null, equal: [], near: [] };
  const { statement } = judged
    .filter((other) => fitsLike(other, best, 0))
    .reduce((one, other) => (isBefore(other, one) ? other : one));
  const others = judged.filter((other) => other.statement !== statement && !isSame(other.statement, statement));
  const equal = others.filter((other) => fitsLike(other, best, 0));
  const near = others.filter((other) => isNear(other, best) && !equal.includes(other));
  return { statement, equal: bestOfEachGates(equal), near: bestOfEachGates(near) };
}

/** Judges conditions of a column, all others as they are. */
function judgeOf(
  index: number,
  cells: FilledCells,
  flow: readonly AskedColumn[],
  statements: readonly Statement[],
): { readonly all: (statements: readonly Statement[]) => Judged[]; readonly always: number } {
  const conditions = statements.map(({ condition }) => condition);
  const columns = relevant(index, flow, conditions);
  const likelihood = new CellLikelihood(
    columns.map((column) => at(flow, column)),
    columns.indexOf(index),
    conditions,
  );
  return {
    all: (judged) =>
      judged.map((statement) => {
        const value = likelihood.logLikelihood(statement.condition);
        const words = statement.cost + choiceOfGates(cells, statement.gates.length);
        return { statement, likelihood: value, score: value - words };
      }),
    always: likelihood.logLikelihood(null),
  };
}

/** Positions of columns that matter to the likelihood: the gates, what they hang on, and what hangs on any of these. */
function relevant(index: number, flow: readonly AskedColumn[], candidates: readonly Condition[]): number[] {
  const positions = new Map(flow.map(({ column }, i) => [column.name, i]));
  const gatesAt = flow.map(({ condition }) =>
    condition === null ? [] : [...gatesOf(condition)].flatMap((name) => positions.get(name) ?? []),
  );
  const withGates = (of: Iterable<number>): Set<number> => {
    const all = new Set(of);
    // a set visits what is added while it is walked
    for (const each of all) for (const gate of at(gatesAt, each)) all.add(gate);
    return all;
  };
  const own = candidates.flatMap((condition) => [...gatesOf(condition)].flatMap((name) => positions.get(name) ?? []));
  const above = withGates([index, ...own]);
  const hanging = gatesAt.flatMap((gates, i) => (gates.some((gate) => above.has(gate)) ? [i] : []));
  const all = withGates([...above, ...hanging]);
  return [...(all.size <= WIDE ? all : above)].sort((a, b) => a - b);
}

function fitsLike(other: Judged, best: Judged, nats: number): boolean {
  return (
    other.likelihood >= best.likelihood - nats - SAME && other.statement.gates.length <= best.statement.gates.length
  );
}

/** A condition that takes fewer words may be less likely by as much. */
function isNear(other: Judged, best: Judged): boolean {
  const nats = Math.log(NEARLY);
  return fitsLike(other, best, Math.max(nats, nats + best.likelihood - best.score - other.likelihood + other.score));
}

/** Fewer gates first, then the ones that were declared first, then the condition that takes fewer words. */
function isBefore({ statement: one }: Judged, { statement: other }: Judged): boolean {
  if (one.gates.length !== other.gates.length) return one.gates.length < other.gates.length;
  const [left, right] = [sorted(one.gates), sorted(other.gates)];
  for (const [i, gate] of left.entries()) if (gate !== right[i]) return gate < at(right, i);
  return one.cost < other.cost - SAME;
}

function isSame(one: Statement, other: Statement): boolean {
  return sorted(one.gates).join() === sorted(other.gates).join() && areEqual(one.holds, other.holds);
}

function areEqual(left: RowSet, right: RowSet): boolean {
  return left.every((word, i) => word === right[i]);
}

/** Of those with the same gates the one with the best score, the best first. */
function bestOfEachGates(judged: readonly Judged[]): Statement[] {
  const best = new Map<string, Judged>();
  for (const each of judged) {
    const key = sorted(each.statement.gates).join();
    const known = best.get(key);
    if (known === undefined || each.score > known.score) best.set(key, each);
  }
  return [...best.values()].sort((a, b) => b.score - a.score).map(({ statement }) => statement);
}

function sorted(gates: readonly number[]): number[] {
  return [...gates].sort((a, b) => a - b);
}

/** Each condition once, and none of those that are known; conditions that are true nowhere say nothing. */
function unlike(statements: readonly Statement[], known: readonly Statement[] = []): Statement[] {
  const seen = new Set(known.map(({ condition }) => JSON.stringify(condition)));
  return statements.filter(({ condition, holds }) => {
    const text = JSON.stringify(condition);
    if (seen.has(text) || count(holds) === 0) return false;
    seen.add(text);
    return true;
  });
}
