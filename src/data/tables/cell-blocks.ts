/** @file Some cells of a column as typed arrays: numbers as small as they are, few texts as codes, many as bytes. */
import { at, f64At, u32At } from "../../arrays.js";

/** Cells that lie together. */
export interface CellBlock {
  readonly length: number;
  at(i: number): unknown;
  /** Where few values come again and again: of each cell the code of its value; empty cells are marked or have a code, too. */
  readonly codes?: Uint8Array | null;
  /** Where the cells are numbers. */
  readonly numbers?: Numbers | null;
  /** 0 where a cell is empty, whatever its code or number; null, or missing, where none is. */
  readonly filled?: Uint8Array | null;
}

type Numbers = Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

class NumberBlock implements CellBlock {
  readonly length: number;
  readonly filled: Uint8Array | null;
  readonly #numbers: Numbers;
  readonly #isTruth: boolean;

  constructor(numbers: Numbers, filled: Uint8Array | null, isTruth: boolean) {
    this.length = numbers.length;
    this.#numbers = numbers;
    this.filled = filled;
    this.#isTruth = isTruth;
  }

  get codes(): Uint8Array | null {
    const { buffer, byteOffset, length } = this.#numbers;
    return this.#numbers instanceof Int8Array ? new Uint8Array(buffer, byteOffset, length) : null;
  }

  get numbers(): Numbers | null {
    return this.#isTruth ? null : this.#numbers;
  }

  at(i: number): unknown {
    if (this.filled !== null && this.filled[i] === 0) return null;
    const number = this.#numbers[i];
    return this.#isTruth ? number === 1 : number;
  }
}

/** Numbers or, as 0 and 1, truths. @param filled 0 where a cell is empty */
export function numberBlock(numbers: Float64Array, filled: Uint8Array, isTruth: boolean): CellBlock {
  return new NumberBlock(smallest(numbers), filled.includes(0) ? filled.slice() : null, isTruth);
}

const INTEGERS = [
  [Int8Array, 0x7f],
  [Int16Array, 0x7fff],
  [Int32Array, 0x7fffffff],
] as const;

/** The same numbers, to the last bit, in as few bytes as they take. */
function smallest(numbers: Float64Array): Numbers {
  let [isWhole, isSingle, largest] = [true, true, 0];
  for (let i = 0; i < numbers.length; i++) {
    const number = f64At(numbers, i);
    // −0 is no integer: it is written otherwise
    if (isWhole && !(Number.isInteger(number) && !Object.is(number, -0))) isWhole = false;
    if (isSingle && !Object.is(Math.fround(number), number)) isSingle = false;
    if (!isWhole && !isSingle) return numbers.slice();
    largest = Math.max(largest, Math.abs(number));
  }
  const integers = isWhole ? INTEGERS.find(([, limit]) => largest <= limit)?.[0] : undefined;
  if (integers !== undefined) return integers.from(numbers);
  return isSingle ? Float32Array.from(numbers) : numbers.slice();
}

class CodeBlock implements CellBlock {
  readonly length: number;
  readonly codes: Uint8Array;
  readonly #values: readonly (string | null)[];

  constructor(codes: Uint8Array, values: readonly (string | null)[]) {
    this.length = codes.length;
    this.codes = codes;
    this.#values = values;
  }

  at(i: number): unknown {
    return this.#values[this.codes[i] ?? -1];
  }
}

/** Texts of which few differ; null where more than 256 do. */
export function codeBlock(texts: readonly (string | null)[]): CellBlock | null {
  const places = new Map<string | null, number>();
  const codes = new Uint8Array(texts.length);
  for (let i = 0; i < texts.length; i++) {
    const text = at(texts, i);
    let code = places.get(text);
    if (code === undefined) {
      if (places.size === 256) return null;
      code = places.size;
      places.set(text, code);
    }
    codes[i] = code;
  }
  return new CodeBlock(codes, [...places.keys()]);
}

class TextBlock implements CellBlock {
  readonly length: number;
  readonly #bytes: Buffer;
  /** Where each text ends. */
  readonly #ends: Uint32Array;
  readonly #filled: Uint8Array | null;

  constructor(bytes: Buffer, ends: Uint32Array, filled: Uint8Array | null) {
    this.length = ends.length;
    this.#bytes = bytes;
    this.#ends = ends;
    this.#filled = filled;
  }

  at(i: number): unknown {
    if (this.#filled !== null && this.#filled[i] === 0) return null;
    return this.#bytes.toString("utf8", i === 0 ? 0 : u32At(this.#ends, i - 1), u32At(this.#ends, i));
  }
}

/** Gathers texts as bytes. */
export class TextBytes {
  #bytes = Buffer.allocUnsafe(1 << 16);
  readonly #ends: Uint32Array;
  readonly #filled: Uint8Array;
  #end = 0;

  /** @param size texts that it can take */
  constructor(size: number) {
    this.#ends = new Uint32Array(size);
    this.#filled = new Uint8Array(size);
  }

  add(i: number, text: string | null): void {
    if (text !== null) {
      this.#reserve(3 * text.length);
      this.#end += this.#bytes.write(text, this.#end, "utf8");
    }
    this.#close(i, text !== null);
  }

  /** @param from of the bytes of a text in UTF-8 */
  addBytes(i: number, bytes: DataView, from: number, length: number): void {
    this.#reserve(length);
    for (let k = 0; k < length; k++) this.#bytes[this.#end + k] = bytes.getUint8(from + k);
    this.#end += length;
    this.#close(i, true);
  }

  /** The texts so far; from here on others are gathered. @param length of the block */
  block(length: number): CellBlock {
    const filled = this.#filled.subarray(0, length);
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#end));
    this.#end = 0;
    return new TextBlock(bytes, this.#ends.slice(0, length), filled.includes(0) ? filled.slice() : null);
  }

  #close(i: number, isFilled: boolean): void {
    this.#ends[i] = this.#end;
    this.#filled[i] = isFilled ? 1 : 0;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#end + bytes));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/** Cells as they are. */
export function plainBlock(cells: readonly unknown[]): CellBlock {
  return cells.slice();
}
