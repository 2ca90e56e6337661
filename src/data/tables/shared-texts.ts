/**
 * @file Texts of DuckDB's vectors, where cells that say the same are the same string: columns of a table of labels say
 * few different things, and decoding takes longer than all else that is done to a short cell.
 */
import type { DuckDBVector } from "@duckdb/node-api";
import { u32At } from "../../arrays.js";
import { bytesOf, isValid, validityOf } from "./vector-data.js";

/** Bytes of a `string_t`, and of a text that lies within it, padded with zeros. */
const ENTRY = 16;
const MOST_BYTES = 12;
const SLOTS = 65_536;

/** Remembers the last short text of each slot. */
export class SharedTexts {
  readonly #keys = new Uint32Array((SLOTS * ENTRY) / 4);
  readonly #texts: (string | undefined)[] = new Array(SLOTS);

  /** Reads texts of a vector. */
  reader(vector: DuckDBVector): (i: number) => string | null {
    const [entries, validity] = [bytesOf(vector), validityOf(vector)];
    if (entries === null || validity === null) return (i) => textOf(vector, i);
    return (i) => (isValid(validity, i) ? (this.#textAt(entries, i, vector) ?? textOf(vector, i)) : null);
  }

  /** @returns null for a text that is too long */
  #textAt(entries: DataView, i: number, vector: DuckDBVector): string | null {
    const place = ENTRY * i;
    const length = entries.getUint32(place, true);
    if (length > MOST_BYTES) return null;
    const [a, b, c] = [word(entries, place + 4), word(entries, place + 8), word(entries, place + 12)];
    const slot = Math.imul(a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ length, 0xc2b2ae35) >>> 16;
    const keys = this.#keys;
    const at = 4 * slot;
    const known = this.#texts[slot];
    const isSame =
      u32At(keys, at) === length && u32At(keys, at + 1) === a && u32At(keys, at + 2) === b && u32At(keys, at + 3) === c;
    if (known !== undefined && isSame) return known;
    const text = ((a | b | c) & NOT_ASCII) === 0 ? asciiAt(entries, place + 4, length) : vector.getItem(i);
    if (typeof text !== "string") return null;
    this.#texts[slot] = text;
    keys[at] = length;
    keys[at + 1] = a;
    keys[at + 2] = b;
    keys[at + 3] = c;
    return text;
  }
}

/** Of four bytes: the bits that letters of ASCII do not have. */
const NOT_ASCII = 0x80808080;

function asciiAt(entries: DataView, place: number, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(entries.getUint8(place + i));
  return text;
}

const word = (entries: DataView, place: number): number => entries.getUint32(place, true);

function textOf(vector: DuckDBVector, i: number): string | null {
  const item: unknown = vector.getItem(i);
  return typeof item === "string" ? item : null;
}
