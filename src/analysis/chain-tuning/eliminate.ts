/**
 * @file The best choice of all thresholds at once, exactly: one question after the other is eliminated, its best threshold
 * being remembered for every choice of those that it hangs on (Bertelè & Brioschi, "Nonserial Dynamic Programming", 1972).
 */
import { at, f64At, u8At } from "../../arrays.js";
import type { CostFactor } from "./cost-factors.js";

/** A table of more numbers than this is not made: four thresholds of 64 candidates. */
export const LARGEST_TABLE = 64 ** 4;

// differences of sums in another order are no differences
const EPSILON = 1e-9;

/** How the best threshold of a question hangs on others. */
interface Answer {
  readonly question: number;
  readonly scope: readonly number[];
  /** Shape as the scope's. */
  readonly best: Uint8Array;
}

/** What all questions depend on together while they are eliminated, the last one first; null: too much. */
function plan(factors: readonly CostFactor[], counts: readonly number[]): boolean {
  let scopes = factors.map(({ scope }) => scope);
  for (let question = counts.length - 1; question >= 0; question--) {
    const own = union(scopes.filter((scope) => scope.includes(question)));
    if (sizeOf(own, counts) > LARGEST_TABLE) return false;
    scopes = [...scopes.filter((scope) => !scope.includes(question)), own.filter((one) => one !== question)];
  }
  return true;
}

const union = (scopes: readonly (readonly number[])[]): number[] => [...new Set(scopes.flat())].sort((a, b) => a - b);

const sizeOf = (scope: readonly number[], counts: readonly number[]): number =>
  scope.reduce((size, question) => size * at(counts, question), 1);

/**
 * The choice of least cost.
 * @param counts candidates of each question
 * @param preferred taken among equals
 * @returns null where tables would be too large
 */
export function leastCost(
  factors: readonly CostFactor[],
  counts: readonly number[],
  preferred: readonly number[],
): number[] | null {
  if (!plan(factors, counts)) return null;
  let left: readonly CostFactor[] = factors;
  const answers: Answer[] = [];
  for (let question = counts.length - 1; question >= 0; question--) {
    const own = left.filter(({ scope }) => scope.includes(question));
    const scope = union(own.map((factor) => factor.scope));
    const others = scope.filter((one) => one !== question);
    const table = sumOf(own, scope, counts);
    const { least, best } = leastOver(table, scope, question, counts, at(preferred, question));
    answers.push({ question, scope: others, best });
    left = [...left.filter((factor) => !factor.scope.includes(question)), { scope: others, table: () => least }];
  }
  const choice = [...preferred];
  // what was eliminated last hangs on nothing
  for (const { question, scope, best } of answers.reverse()) {
    const place = scope.reduce((sum, one) => sum * at(counts, one) + at(choice, one), 0);
    choice[question] = u8At(best, place);
  }
  return choice;
}

/** The sum of factors as one table. A factor that is alone is that itself: tables may be large. */
function sumOf(factors: readonly CostFactor[], scope: readonly number[], counts: readonly number[]): Float64Array {
  const [first, ...others] = factors;
  if (first !== undefined && others.length === 0) return first.table();
  const table = new Float64Array(sizeOf(scope, counts));
  for (const factor of factors) addTo(table, scope, factor, counts);
  return table;
}

/** Adds a factor to a table of a larger scope. */
function addTo(table: Float64Array, scope: readonly number[], factor: CostFactor, counts: readonly number[]): void {
  const values = factor.table();
  const strides = scope.map((question) => {
    const place = factor.scope.indexOf(question);
    return place < 0 ? 0 : sizeOf(factor.scope.slice(place + 1), counts);
  });
  const digits = new Array<number>(scope.length).fill(0);
  let from = 0;
  for (let i = 0; i < table.length; i++) {
    table[i] = f64At(table, i) + f64At(values, from);
    for (let axis = scope.length - 1; axis >= 0; axis--) {
      const digit = at(digits, axis) + 1;
      from += at(strides, axis);
      if (digit < at(counts, at(scope, axis))) {
        digits[axis] = digit;
        break;
      }
      from -= digit * at(strides, axis);
      digits[axis] = 0;
    }
  }
}

/** The least value over one question, and the candidate that has it. */
function leastOver(
  table: Float64Array,
  scope: readonly number[],
  question: number,
  counts: readonly number[],
  preferred: number,
): { readonly least: Float64Array; readonly best: Uint8Array } {
  const axis = scope.indexOf(question);
  const count = at(counts, question);
  const stride = sizeOf(scope.slice(axis + 1), counts);
  const size = table.length / count;
  const [least, best] = [new Float64Array(size), new Uint8Array(size)];
  for (let i = 0; i < size; i++) {
    const from = Math.floor(i / stride) * stride * count + (i % stride);
    let [chosen, value] = [preferred, f64At(table, from + preferred * stride)];
    for (let candidate = 0; candidate < count; candidate++) {
      const own = f64At(table, from + candidate * stride);
      if (own >= value - EPSILON) continue;
      [chosen, value] = [candidate, own];
    }
    [least[i], best[i]] = [value, chosen];
  }
  return { least, best };
}
