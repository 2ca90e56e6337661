/** @file How many filled and empty cells of a column stand beside each value of a gate, counted once for all statements. */
import { i32At } from "../../arrays.js";
import type { RowSet } from "./bits.js";
import type { GateSets } from "./gate-sets.js";
import type { Held } from "./statements.js";

export class Tally {
  readonly #filled: Int32Array;
  readonly #empty: Int32Array;

  constructor(sets: GateSets, { filled, empty }: { readonly filled: RowSet; readonly empty: RowSet }) {
    [this.#filled, this.#empty] = [sumsOf(sets.countsIn(filled)), sumsOf(sets.countsIn(empty))];
  }

  /** Cells with and without a label, of those that stand beside these values. */
  of(held: Held): { readonly there: number; readonly missing: number } {
    if ("from" in held) {
      const within = (sums: Int32Array): number => i32At(sums, held.to) - i32At(sums, held.from);
      return { there: within(this.#filled), missing: within(this.#empty) };
    }
    let [there, missing] = [0, 0];
    for (const value of held) {
      there += i32At(this.#filled, value + 1) - i32At(this.#filled, value);
      missing += i32At(this.#empty, value + 1) - i32At(this.#empty, value);
    }
    return { there, missing };
  }
}

/** At each place the sum of all before. */
function sumsOf(counts: Int32Array): Int32Array {
  const sums = new Int32Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) sums[i + 1] = i32At(sums, i) + i32At(counts, i);
  return sums;
}
