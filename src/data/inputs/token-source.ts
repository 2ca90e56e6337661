/** @file Sequences of ids, read row by row and padded per batch. */
import { at } from "../../arrays.js";
import type { TokenSource, TokensInputSpec } from "../dataset.js";

/**
 * @param encoded ids of every row of the tables
 * @param kept rows of the tables that are rows of the source
 */
export function tokenSource(spec: TokensInputSpec, encoded: readonly Int32Array[], kept: Int32Array): TokenSource {
  const sequence = (row: number): Int32Array => at(encoded, kept[row] as number);
  return {
    spec,
    lengths: Int32Array.from(kept, (_, row) => sequence(row).length),
    read(rows) {
      let longest = 1;
      for (let i = 0; i < rows.length; i++) longest = Math.max(longest, sequence(at(rows, i)).length);
      const out = new Int32Array(rows.length * longest);
      for (let i = 0; i < rows.length; i++) out.set(sequence(at(rows, i)), i * longest);
      return out;
    },
    close() {},
  };
}
