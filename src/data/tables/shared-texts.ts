/**
 * @file Texts of DuckDB's vectors, where cells that say the same are the same string: columns of a table of labels say
 * few different things, and decoding takes longer than all else that is done to a short cell.
 */
import type { DuckDBValue, DuckDBVector } from "@duckdb/node-api";
import { u32At, u8At } from "../../arrays.js";

/** Bytes of a `string_t`, and of a text that lies within it, padded with zeros. */
const ENTRY = 16;
const MOST_BYTES = 12;
const SLOTS = 65_536;

/** Remembers the last short text of each slot. */
export class SharedTexts {
  readonly #keys = new Uint32Array((SLOTS * ENTRY) / 4);
  readonly #texts: (string | undefined)[] = new Array(SLOTS);

  /** Appends the values of a vector to cells. */
  append(vector: DuckDBVector, cells: unknown[], cellOf: (value: DuckDBValue) => unknown): void {
    const entries = entriesOf(vector);
    if (entries === null) {
      for (let i = 0; i < vector.itemCount; i++) cells.push(cellOf(vector.getItem(i)));
      return;
    }
    const isValid = validityOf(entries);
    for (let i = 0; i < vector.itemCount; i++) {
      if (!isValid(i)) cells.push(null);
      else cells.push(this.#textAt(entries.dataView, i, vector) ?? cellOf(vector.getItem(i)));
    }
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

/** Whether there is a value: DuckDB's bits are read by bytes where they are as known here, since its own way is slow. */
function validityOf({ validity }: Entries): (i: number) => boolean {
  const bits = "data" in validity ? validity.data : undefined;
  const offset = "offset" in validity ? validity.offset : undefined;
  if (bits === null) return () => true;
  if (!(bits instanceof BigUint64Array) || offset !== 0) return (i) => validity.itemValid(i);
  // the first value is the lowest bit of the first byte: machines that this runs on are little-endian
  const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength);
  return (i) => ((u8At(bytes, i >>> 3) >>> (i & 7)) & 1) === 1;
}

const word = (entries: DataView, place: number): number => entries.getUint32(place, true);

interface Entries {
  readonly dataView: DataView;
  readonly validity: { itemValid(i: number): boolean; readonly data?: unknown; readonly offset?: unknown };
}

/** Null where it does not hold texts, or is made otherwise than is known here: then values are read one by one. */
function entriesOf(vector: DuckDBVector): Entries | null {
  return vector.type.toString() === "VARCHAR" && hasEntries(vector) ? vector : null;
}

function hasEntries(vector: object): vector is Entries {
  return (
    "dataView" in vector &&
    vector.dataView instanceof DataView &&
    "validity" in vector &&
    typeof vector.validity === "object" &&
    vector.validity !== null &&
    "itemValid" in vector.validity
  );
}
