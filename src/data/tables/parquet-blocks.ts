/** @file Parquet files of ours, read block by block as typed columns: no object for a cell, and no more in memory than a block. */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBVector } from "@duckdb/node-api";
import { at, f32At, i32At } from "../../arrays.js";
import { StoreError } from "../../errors.js";
import { literalPath, withDuckDB } from "./duckdb.js";
import { quoted } from "./sql.js";
import { firstLine } from "./table-writer.js";

/** Lists of numbers, one after the other; NaN for a number that is missing. */
export interface NumberLists {
  /** List i is items[ends[i − 1] … ends[i]), from 0; one that is missing is empty. */
  readonly ends: Int32Array;
  readonly items: Float32Array;
}

/** What a column is read as. */
export type ColumnKind = "number" | "text" | "lists";

/** Columns to read, by name. */
export type BlockColumns = Readonly<Record<string, ColumnKind>>;

export interface ScanOptions {
  /** Rows whose text is the one given, by column: parts of the file that have none are not read. */
  readonly where?: Readonly<Record<string, string>>;
}

/** A Parquet file that is open for queries. */
export class ParquetFile {
  readonly #connection: DuckDBConnection;
  readonly #source: string;

  constructor(connection: DuckDBConnection, source: string) {
    this.#connection = connection;
    this.#source = source;
  }

  /**
   * Hands out the file's rows, in no order.
   * @param onBlock is given some of them, which are good until it returns
   */
  async scan(columns: BlockColumns, { where = {} }: ScanOptions, onBlock: (block: Block) => void): Promise<void> {
    const wanted = Object.entries(columns).flatMap(([name, kind]) => expressions(quoted(name, '"'), kind));
    const conditions = Object.entries(where).map(([name, text]) => `${quoted(name, '"')} = ${quoted(text)}`);
    const filter = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
    const result = await this.#connection.stream(`SELECT ${wanted.join(", ")} FROM ${this.#source}${filter}`);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      onBlock(new Block(chunk, columns));
    }
  }

  /** One row of numbers about all rows; NaN where one is missing. @param select SQL expressions */
  async summarize(select: readonly string[]): Promise<number[]> {
    const expressed = select.map((one) => `(${one})::DOUBLE`).join(", ");
    const reader = await this.#connection.runAndReadAll(`SELECT ${expressed} FROM ${this.#source}`);
    const [row = []] = reader.getRows();
    return select.map((_, i) => {
      const value = at(row, i);
      return typeof value === "number" ? value : Number.NaN;
    });
  }
}

/**
 * Lends a Parquet file of ours.
 * @throws StoreError where it cannot be read
 */
export async function withParquet<Result>(
  file: string,
  use: (parquet: ParquetFile) => Promise<Result>,
): Promise<Result> {
  const source = `read_parquet(${quoted(literalPath(file))})`;
  try {
    return await withDuckDB((connection) => use(new ParquetFile(connection, source)));
  } catch (error) {
    throw new StoreError(`${file} cannot be read: ${firstLine(error)}.`, { file }, { cause: error });
  }
}

/** What is asked of DuckDB for a column: of lists also their lengths, which say in one number what is there. */
function expressions(column: string, kind: ColumnKind): string[] {
  switch (kind) {
    case "number":
      return [`${column}::DOUBLE`];
    case "text":
      return [column];
    case "lists":
      return [column, `coalesce(len(${column}), 0)::INTEGER`];
    default:
      return kind satisfies never;
  }
}

/** Some rows of a file, at most as many as DuckDB puts into a chunk. */
export class Block {
  readonly rows: number;
  readonly #chunk: DuckDBDataChunk;
  /** Place in the chunk of each column that was asked for. */
  readonly #places: ReadonlyMap<string, number>;

  constructor(chunk: DuckDBDataChunk, columns: BlockColumns) {
    this.rows = chunk.rowCount;
    this.#chunk = chunk;
    let place = 0;
    const places = new Map<string, number>();
    for (const [name, kind] of Object.entries(columns)) {
      places.set(name, place);
      place += expressions("", kind).length;
    }
    this.#places = places;
  }

  /** Of a column read as numbers; NaN where missing. */
  numbers(name: string): Float64Array {
    return numbersOf(this.#vector(name));
  }

  /** Of a column read as text. */
  texts(name: string): (string | null)[] {
    return textsOf(this.#vector(name));
  }

  /** Of a column read as lists. */
  lists(name: string): NumberLists {
    return listsOf(this.#vector(name), this.#vector(name, 1));
  }

  #vector(name: string, beside = 0): DuckDBVector {
    const place = this.#places.get(name);
    if (place === undefined) throw new RangeError(`the column ${name} was not asked for`);
    return this.#chunk.getColumnVector(place + beside);
  }
}

function numbersOf(vector: DuckDBVector): Float64Array {
  const numbers = new Float64Array(vector.itemCount);
  for (let i = 0; i < numbers.length; i++) numbers[i] = numberAt(vector, i);
  return numbers;
}

function numberAt(vector: DuckDBVector, i: number): number {
  const item: unknown = vector.getItem(i);
  return typeof item === "number" ? item : Number.NaN;
}

function textsOf(vector: DuckDBVector): (string | null)[] {
  return Array.from({ length: vector.itemCount }, (_, i) => {
    const item: unknown = vector.getItem(i);
    return typeof item === "string" ? item : null;
  });
}

/** A vector that knows where its lists lie in the vector of all their items. */
interface ListVector extends DuckDBVector {
  readonly childVector: DuckDBVector;
  getEntryOffset(itemIndex: number): number;
}

function isListVector(vector: DuckDBVector): vector is ListVector {
  return "childVector" in vector && "getEntryOffset" in vector;
}

function listsOf(vector: DuckDBVector, lengths: DuckDBVector): NumberLists {
  if (!isListVector(vector)) throw new RangeError("the column holds no lists");
  const rows = vector.itemCount;
  const ends = new Int32Array(rows);
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    sum += numberAt(lengths, i);
    ends[i] = sum;
  }
  const items = new Float32Array(sum);
  const { childVector } = vector;
  let to = 0;
  for (let i = 0; i < rows; i++) {
    const end = i32At(ends, i);
    if (to === end) continue;
    const shift = vector.getEntryOffset(i) - to;
    for (; to < end; to++) items[to] = numberAt(childVector, to + shift);
  }
  return { ends, items };
}

/** Copies list i of a block. @returns its length */
export function copyList({ ends, items }: NumberLists, i: number, target: Float32Array, to: number): number {
  const from = i === 0 ? 0 : i32At(ends, i - 1);
  const end = i32At(ends, i);
  for (let k = from; k < end; k++) target[to + k - from] = f32At(items, k);
  return end - from;
}

/** Length of list i of a block. */
export function listLength({ ends }: NumberLists, i: number): number {
  return i32At(ends, i) - (i === 0 ? 0 : i32At(ends, i - 1));
}
