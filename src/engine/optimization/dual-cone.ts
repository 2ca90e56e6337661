/** @file The nearest vector that no task objects to: a small quadratic program over products of gradients. */
import { at, f64At } from "../../arrays.js";

/** A number of this size, beside those of unit vectors, is rounding. */
const ROUNDING = 1e-12;
/** For each variable: usually it takes one or two in all, and never this many but for rounding that goes in circles. */
const MOST_ROUNDS = 20;

/**
 * Projection of one gradient onto the dual cone of all: the nearest vector whose product with none of them is negative.
 * It is the gradient plus a sum of all gradients with weights s ≥ 0 that minimize ½·sᵀGs + sᵀGe, e the gradient's own
 * unit vector (Quinton & Rey 2024, Proposition 1, with v = e + s). Solved exactly by the active sets of Lawson & Hanson,
 * "Solving Least Squares Problems" (1974), chapter 23, on the Gram matrix of unit vectors.
 * @param products G: products of the gradients with each other, none of which is zero
 * @param own index of the gradient that is projected
 * @returns s; all 0 where nothing is in conflict with it
 */
export function projectOnDualCone(products: readonly (readonly number[])[], own: number): Float64Array {
  const norms = products.map((row, i) => Math.sqrt(at(row, i)));
  const unit = (i: number, j: number): number => at(at(products, i), j) / (at(norms, i) * at(norms, j));
  const solution = leastSquares(norms.length, unit, (i) => -unit(i, own));
  return solution.map((share, i) => (share * at(norms, own)) / at(norms, i));
}

/**
 * Minimizes ½·xᵀAx − bᵀx over x ≥ 0.
 * @param a symmetric, positive semidefinite, 1 on its diagonal
 */
function leastSquares(size: number, a: (i: number, j: number) => number, b: (i: number) => number): Float64Array {
  let x: Float64Array = new Float64Array(size);
  let free: readonly number[] = [];
  // what rounding has thrown out again at once is not tried until something else has moved
  const barred = new Set<number>();
  for (let round = 0; round < MOST_ROUNDS * size; round++) {
    const entering = steepest(size, (i) => (free.includes(i) || barred.has(i) ? 0 : slopeAt(x, a, b, i)));
    if (entering === null) return x;
    const settled = settle(x, [...free, entering], a, b);
    if (settled === null || !settled.free.includes(entering)) {
      barred.add(entering);
      continue;
    }
    barred.clear();
    ({ x, free } = settled);
  }
  return x;
}

/** Where the objective falls fastest; the first of equals; null: nowhere. */
function steepest(size: number, slope: (i: number) => number): number | null {
  let [best, place]: [number, number | null] = [ROUNDING, null];
  for (let i = 0; i < size; i++) {
    const own = slope(i);
    if (own > best) [best, place] = [own, i];
  }
  return place;
}

function slopeAt(x: Float64Array, a: (i: number, j: number) => number, b: (i: number) => number, i: number): number {
  let slope = b(i);
  for (let j = 0; j < x.length; j++) slope -= a(i, j) * f64At(x, j);
  return slope;
}

/**
 * The minimum over the free variables, the others being 0, where none of it is negative; else those that come to 0 on
 * the way there are free no more, and it is sought again.
 * @returns null where the free variables depend on each other
 */
function settle(
  start: Float64Array,
  begin: readonly number[],
  a: (i: number, j: number) => number,
  b: (i: number) => number,
): { readonly x: Float64Array; readonly free: readonly number[] } | null {
  let free = begin;
  const x = start.slice();
  for (;;) {
    const wanted = solve(free, a, b);
    if (wanted === null) return null;
    // how much of the way each variable can go; what has just been freed is 0, and cannot go below
    const short = free.map((i, k) => {
      const [from, to] = [f64At(x, i), at(wanted, k)];
      if (to > 0) return 1;
      return from === 0 ? 0 : from / (from - to);
    });
    const part = Math.min(1, ...short);
    for (const [k, i] of free.entries())
      x[i] = part === 1 ? at(wanted, k) : f64At(x, i) + part * (at(wanted, k) - f64At(x, i));
    if (wanted.every((value) => value > 0)) return { x, free };
    const leaving = free.filter((i, k) => at(wanted, k) <= 0 && (at(short, k) <= part || f64At(x, i) <= ROUNDING));
    for (const i of leaving) x[i] = 0;
    free = free.filter((i) => !leaving.includes(i));
  }
}

/** Solves A z = b over some variables by Cholesky; null where A is singular there. */
function solve(
  free: readonly number[],
  a: (i: number, j: number) => number,
  b: (i: number) => number,
): readonly number[] | null {
  const size = free.length;
  const lower = free.map(() => new Float64Array(size));
  const z = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const row = at(lower, i);
    let right = b(at(free, i));
    for (let j = 0; j <= i; j++) {
      const other = at(lower, j);
      let sum = a(at(free, i), at(free, j));
      for (let k = 0; k < j; k++) sum -= f64At(row, k) * f64At(other, k);
      if (i > j) row[j] = sum / f64At(other, j);
      else if (sum > ROUNDING) row[i] = Math.sqrt(sum);
      else return null;
    }
    for (let k = 0; k < i; k++) right -= f64At(row, k) * f64At(z, k);
    z[i] = right / f64At(row, i);
  }
  for (let i = size - 1; i >= 0; i--) {
    let right = f64At(z, i);
    for (let k = i + 1; k < size; k++) right -= f64At(at(lower, k), i) * f64At(z, k);
    z[i] = right / f64At(at(lower, i), i);
  }
  return [...z];
}
