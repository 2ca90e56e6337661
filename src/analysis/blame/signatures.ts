/** @file Rows that are alike in all that decides whether a task is asked: a million rows have a few hundred of them. */
import { at, i32At, u32At, u8At } from "../../arrays.js";
import { CODE_COUNT } from "./gate-errors.js";

/** Kinds of rows. */
export interface Signatures {
  readonly count: number;
  /** Of each row. Shape [rows] */
  readonly ids: Uint32Array;
  /** Whether the question is due, see `askedByLabels`. Shape [count] */
  readonly due: Uint8Array;
  /** Per statement, see `statementCodes`. Shape [count] each */
  readonly codes: readonly Uint8Array[];
}

// due, not due or undecided
const STATUSES = 3;

/**
 * @param due whether the question is due, [rows]
 * @param codes per statement, [rows] each
 */
export function signaturesOf(due: Uint8Array, codes: readonly Uint8Array[]): Signatures {
  let ids = new Uint32Array(due.length);
  let firstRows = due.length === 0 ? [] : [0];
  const refine = (column: Uint8Array, values: number): void => {
    const idOf = new Int32Array(firstRows.length * values).fill(-1);
    const next = new Uint32Array(ids.length);
    const first: number[] = [];
    for (let row = 0; row < ids.length; row++) {
      const key = u32At(ids, row) * values + u8At(column, row);
      if (i32At(idOf, key) < 0) {
        idOf[key] = first.length;
        first.push(row);
      }
      next[row] = i32At(idOf, key);
    }
    [ids, firstRows] = [next, first];
  };
  refine(due, STATUSES);
  for (const column of codes) refine(column, CODE_COUNT);
  const pick = (column: Uint8Array): Uint8Array => Uint8Array.from(firstRows, (row) => at(column, row));
  return { count: firstRows.length, ids, due: pick(due), codes: codes.map(pick) };
}
