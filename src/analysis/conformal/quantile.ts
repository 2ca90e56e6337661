/** @file The quantile of split conformal prediction, and how many rows it takes. */
import { f64At } from "../../arrays.js";

// of products that should be whole numbers
const ROUNDING = 1e-9;

/**
 * The ⌈(n + 1) · level⌉-th smallest of n scores: a new one, exchangeable with them, is no larger with at least that
 * probability. Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World" (2005); Lei et al. (2018).
 * @returns Infinity where there are fewer scores than {@link rowsNeeded}
 */
export function conformalQuantile(scores: Float64Array, level: number): number {
  const rank = Math.ceil((scores.length + 1) * level - ROUNDING);
  return rank > scores.length ? Number.POSITIVE_INFINITY : f64At(scores.slice().sort(), rank - 1);
}

/** The least number of scores of which a quantile is one of them. */
export function rowsNeeded(level: number): number {
  return Math.ceil(level / (1 - level) - ROUNDING);
}

/** How often errors of one task are smaller: what makes errors of different numbers comparable. */
export class ErrorRanks {
  readonly #sorted: Float64Array;

  constructor(errors: readonly number[]) {
    this.#sorted = Float64Array.from(errors).sort();
  }

  /** Share of the errors that are smaller, from 0 up to, not including, 1. */
  rankOf(error: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (f64At(this.#sorted, middle) < error) low = middle + 1;
      else high = middle;
    }
    return low / (this.#sorted.length + 1);
  }

  /** The largest error whose rank is at most this one. */
  errorAt(rank: number): number {
    return this.#sorted[Math.floor(rank * (this.#sorted.length + 1) + ROUNDING)] ?? Number.POSITIVE_INFINITY;
  }
}
