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

/**
 * How often errors of one task are smaller: what makes errors of different numbers comparable. Beyond the largest that was
 * seen, ranks go on with how many times as large an error is, so that few errors still say where intervals end.
 */
export class ErrorRanks {
  readonly #sorted: Float64Array;

  constructor(errors: readonly number[]) {
    this.#sorted = Float64Array.from(errors).sort();
  }

  /** Share of the errors that are smaller, from 0 up to 1, which no finite error beyond a positive one reaches. */
  rankOf(error: number): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (f64At(this.#sorted, middle) < error) low = middle + 1;
      else high = middle;
    }
    const largest = this.#sorted.at(-1);
    const beyond = largest === undefined || low < this.#sorted.length ? 0 : 1 - largest / error;
    return (low + beyond) / (this.#sorted.length + 1);
  }

  /** The largest error whose rank is at most this one; Infinity where no error was seen. */
  errorAt(rank: number): number {
    const place = rank * (this.#sorted.length + 1);
    const inside = this.#sorted[Math.floor(place + ROUNDING)];
    if (inside !== undefined) return inside;
    const largest = this.#sorted.at(-1);
    if (largest === undefined || rank >= 1) return Number.POSITIVE_INFINITY;
    return largest / (1 - Math.max(0, place - this.#sorted.length));
  }
}
