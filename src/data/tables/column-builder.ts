/** @file A column of DuckDB's chunks → cells: read from its typed vectors, without a value of DuckDB's for each cell. */
import type { DuckDBType, DuckDBValue, DuckDBVector } from "@duckdb/node-api";

import { type CellBlock, codeBlock, numberBlock, plainBlock, TextBytes } from "./cell-blocks.js";
import { type Cells, PackedCells } from "./cells.js";
import type { SharedTexts } from "./shared-texts.js";
import { bytesOf, isValid, itemsOf, validityOf } from "./vector-data.js";

/** Rows of a block; columns of no more are plain arrays. */
export const BLOCK_ROWS = 65_536;

/** Gathers the cells of one column. */
export interface ColumnBuilder {
  append(vector: DuckDBVector): void;
  cells(): Cells;
}

/**
 * @param cellOf a value of DuckDB's as a plain one, for those columns that are no numbers, truths or texts
 * @param size rows of a block
 */
export function columnBuilder(
  type: DuckDBType,
  texts: SharedTexts,
  cellOf: (value: DuckDBValue) => unknown,
  size = BLOCK_ROWS,
): ColumnBuilder {
  const name = type.toString();
  if (NUMBERS.has(name)) return new NumberBuilder(size, false, cellOf);
  if (name === "BOOLEAN") return new NumberBuilder(size, true, cellOf);
  if (name === "VARCHAR" && type.alias !== "JSON") return new TextBuilder(size, texts);
  return new PlainBuilder(size, cellOf);
}

/** Of dates and the like vectors hold numbers, too, which are not what their cells say. */
const NUMBERS: ReadonlySet<string> = new Set([
  ...["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE"],
]);

/** What all builders share: blocks that are full. */
abstract class BlockBuilder implements ColumnBuilder {
  readonly size: number;
  /** Cells since the last full block. */
  #pending = 0;
  readonly #blocks: CellBlock[] = [];

  constructor(size: number) {
    this.size = size;
  }

  append(vector: DuckDBVector): void {
    const put = this.reader(vector);
    for (let i = 0; i < vector.itemCount; i++) {
      put(i, this.#pending++);
      if (this.#pending === this.size) this.#seal();
    }
  }

  cells(): Cells {
    if (this.#pending > 0) this.#seal();
    const [first, ...more] = this.#blocks;
    if (first === undefined) return [];
    return more.length > 0
      ? new PackedCells(this.#blocks, this.size)
      : Array.from({ length: first.length }, (_, i) => first.at(i));
  }

  #seal(): void {
    this.#blocks.push(this.block(this.#pending));
    this.#pending = 0;
  }

  /** Puts item i of a vector to a place in the block. */
  protected abstract reader(vector: DuckDBVector): (i: number, place: number) => void;
  protected abstract block(length: number): CellBlock;
}

class NumberBuilder extends BlockBuilder {
  readonly #numbers: Float64Array;
  readonly #filled: Uint8Array;
  readonly #isTruth: boolean;
  readonly #cellOf: (value: DuckDBValue) => unknown;

  constructor(size: number, isTruth: boolean, cellOf: (value: DuckDBValue) => unknown) {
    super(size);
    this.#numbers = new Float64Array(size);
    this.#filled = new Uint8Array(size);
    this.#isTruth = isTruth;
    this.#cellOf = cellOf;
  }

  protected reader(vector: DuckDBVector): (i: number, place: number) => void {
    const [numbers, filled] = [this.#numbers, this.#filled];
    const validity = validityOf(vector);
    const numberAt = validity === null ? null : this.#numbersIn(vector);
    if (numberAt === null || validity === null) {
      return (i, place) => {
        const cell = this.#cellOf(vector.getItem(i));
        filled[place] = cell === null ? 0 : 1;
        numbers[place] = Number(cell ?? 0);
      };
    }
    return (i, place) => {
      const isFilled = isValid(validity, i);
      filled[place] = isFilled ? 1 : 0;
      numbers[place] = isFilled ? numberAt(i) : 0;
    };
  }

  #numbersIn(vector: DuckDBVector): ((i: number) => number) | null {
    if (this.#isTruth) {
      const bytes = bytesOf(vector);
      return bytes === null ? null : (i) => (bytes.getUint8(i) === 0 ? 0 : 1);
    }
    const items = itemsOf(vector);
    return items === null ? null : (i) => Number(items[i]);
  }

  protected block(length: number): CellBlock {
    return numberBlock(this.#numbers.subarray(0, length), this.#filled.subarray(0, length), this.#isTruth);
  }
}

/** Bytes of an entry of a vector of texts, and of a text that lies within it after its length. */
const ENTRY = 16;
const MOST_BYTES = 12;

class TextBuilder extends BlockBuilder {
  readonly #texts: SharedTexts;
  #own: (string | null)[] = [];
  /** Once the texts of a block were too many for codes. */
  #bytes: TextBytes | null = null;

  constructor(size: number, texts: SharedTexts) {
    super(size);
    this.#texts = texts;
  }

  protected reader(vector: DuckDBVector): (i: number, place: number) => void {
    const textAt = this.#texts.reader(vector);
    const [entries, validity] = [bytesOf(vector), validityOf(vector)];
    return (i, place) => {
      if (this.#bytes === null) this.#own[place] = textAt(i);
      else if (entries === null || validity === null) this.#bytes.add(place, textAt(i));
      else if (!isValid(validity, i)) this.#bytes.add(place, null);
      else {
        const length = entries.getUint32(ENTRY * i, true);
        if (length > MOST_BYTES) this.#bytes.add(place, textAt(i));
        else this.#bytes.addBytes(place, entries, ENTRY * i + 4, length);
      }
    };
  }

  protected block(length: number): CellBlock {
    const bytes = this.#bytes;
    if (bytes !== null) return bytes.block(length);
    const texts = this.#own.slice(0, length);
    if (length < this.size) return plainBlock(texts);
    const codes = codeBlock(texts);
    if (codes !== null) return codes;
    const varied = new TextBytes(this.size);
    texts.forEach((text, i) => {
      varied.add(i, text);
    });
    this.#bytes = varied;
    this.#own = [];
    return varied.block(length);
  }
}

class PlainBuilder extends BlockBuilder {
  readonly #cells: unknown[] = [];
  readonly #cellOf: (value: DuckDBValue) => unknown;

  constructor(size: number, cellOf: (value: DuckDBValue) => unknown) {
    super(size);
    this.#cellOf = cellOf;
  }

  protected reader(vector: DuckDBVector): (i: number, place: number) => void {
    return (i, place) => {
      this.#cells[place] = this.#cellOf(vector.getItem(i));
    };
  }

  protected block(length: number): CellBlock {
    return plainBlock(this.#cells.slice(0, length));
  }
}
