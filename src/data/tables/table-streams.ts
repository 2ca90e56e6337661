/**
 * @file Tables that are made block by block, in typed columns, and written to Parquet while they are made: of a table
 * of any length, no more is in memory than a block, and what DuckDB gathers for one group of rows.
 */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBVector } from "@duckdb/node-api";
import { at } from "../../arrays.js";
import { quoted } from "./sql.js";
import { type CellType, replaceFile, type TableColumn, typesOf } from "./table-writer.js";
import { bytesOf, itemsOf } from "./vector-data.js";

/** Rows of a table that are made alike. */
export interface StreamedPart {
  readonly rows: number;
  /** Columns that its blocks fill: never NULL in one of numbers or truths, where SQL says what stands for it. */
  readonly columns: readonly { readonly name: string; readonly type: CellType }[];
  /** SQL expressions over these columns: one for each column of the table. */
  readonly select: readonly string[];
  /** Fills a block. @param from its first row among those of the part */
  fill(block: StreamedBlock, from: number): void;
}

/** The columns of some rows, to be filled. */
export class StreamedBlock {
  readonly rows: number;
  readonly #vectors: readonly DuckDBVector[];
  readonly #places: ReadonlyMap<string, number>;

  constructor(chunk: DuckDBDataChunk, names: readonly string[]) {
    this.rows = chunk.rowCount;
    this.#vectors = names.map((_, i) => chunk.getColumnVector(i));
    this.#places = new Map(names.map((name, i) => [name, i]));
  }

  /** [rows] of a column of type INTEGER. */
  integers(name: string): Int32Array {
    const items = itemsOf(this.#vector(name));
    if (items instanceof Int32Array) return items;
    throw new RangeError(`the column ${name} holds no integers`);
  }

  /** [rows] of a column of type FLOAT. */
  floats(name: string): Float32Array {
    const items = itemsOf(this.#vector(name));
    if (items instanceof Float32Array) return items;
    throw new RangeError(`the column ${name} holds no floats`);
  }

  /** [rows] of a column of type DOUBLE. */
  doubles(name: string): Float64Array {
    const items = itemsOf(this.#vector(name));
    if (items instanceof Float64Array) return items;
    throw new RangeError(`the column ${name} holds no doubles`);
  }

  /** [rows], 0 or 1, of a column of type BOOLEAN. */
  truths(name: string): Uint8Array {
    const bytes = bytesOf(this.#vector(name));
    if (bytes !== null) return new Uint8Array(bytes.buffer, bytes.byteOffset, this.rows);
    throw new RangeError(`the column ${name} holds no truths`);
  }

  /** A cell of a column of type VARCHAR or FLOAT[]. */
  put(name: string, row: number, cell: string | readonly (number | null)[] | null): void {
    const vector = this.#vector(name);
    if (!("setItem" in vector) || typeof vector.setItem !== "function") throw new RangeError(`${name} is not written`);
    vector.setItem(row, typeof cell === "string" || cell === null ? cell : { items: cell });
  }

  /** Hands all columns over. */
  flush(): void {
    for (const vector of this.#vectors) vector.flush();
  }

  #vector(name: string): DuckDBVector {
    const place = this.#places.get(name);
    if (place === undefined) throw new RangeError(`there is no column ${name}`);
    return at(this.#vectors, place);
  }
}

// as many rows as DuckDB puts into a chunk, and by default into a group
const CHUNK_ROWS = 2048;
const GROUP_ROWS = 122_880;
/** Cells of a group of rows; wide lists have groups of fewer rows. */
const GROUP_NUMBERS = 16_000_000;

/**
 * Writes the parts, one after the other, to a Parquet file that appears complete or not at all.
 * @param numbersPerRow at most, over all lists of a row
 * @throws InterruptedError if the signal fires; StoreError where the file cannot be written
 */
export async function writeStreamed(
  file: string,
  columns: readonly TableColumn[],
  parts: readonly StreamedPart[],
  { numbersPerRow, signal }: { readonly numbersPerRow: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await replaceFile(file, signal, async (connection, writing) => {
    // one thread writes the rows in their order, and gathers but one group of them
    await connection.run("SET threads = 1");
    const failure = await registerParts(connection, parts);
    const selects = parts.map(({ select }, part) => {
      const cells = columns.map(({ name, type }, i) => `(${at(select, i)})::${type} AS ${quoted(name, '"')}`);
      return `SELECT ${cells.join(", ")} FROM part(${part})`;
    });
    const none = `SELECT ${columns.map(({ name, type }) => `NULL::${type} AS ${quoted(name, '"')}`).join(", ")} LIMIT 0`;
    const group = Math.max(CHUNK_ROWS, Math.min(GROUP_ROWS, Math.floor(GROUP_NUMBERS / Math.max(1, numbersPerRow))));
    try {
      await connection.run(
        `COPY (${selects.length === 0 ? none : selects.join(" UNION ALL ")}) TO ${quoted(writing)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${group})`,
      );
    } catch (error) {
      throw failure.cause ?? error;
    }
  });
}

/** Makes `part(i)` a table of the connection. @returns where the failure of a block is kept, as DuckDB keeps its text alone */
async function registerParts(
  connection: DuckDBConnection,
  parts: readonly StreamedPart[],
): Promise<{ readonly cause: unknown }> {
  const duckdb = await import("@duckdb/node-api");
  const types = typesOf(duckdb);
  const failure: { cause: unknown } = { cause: null };
  connection.registerTableFunction(
    duckdb.DuckDBTableFunction.create({
      name: "part",
      parameterTypes: [duckdb.INTEGER],
      bindFunction(info) {
        const index = Number(info.getParameter(0));
        const part = at(parts, index);
        for (const { name, type } of part.columns) info.addResultColumn(name, types[type]);
        info.setCardinality(part.rows, true);
        info.setBindData({ part });
      },
      initFunction(info) {
        info.setMaxThreads(1);
        info.setInitData({ next: 0 });
      },
      mainFunction(info, chunk) {
        try {
          const { part } = info.bindData as { readonly part: StreamedPart };
          const state = info.initData as { next: number };
          chunk.rowCount = Math.min(CHUNK_ROWS, part.rows - state.next);
          if (chunk.rowCount === 0) return;
          const block = new StreamedBlock(
            chunk,
            part.columns.map(({ name }) => name),
          );
          part.fill(block, state.next);
          block.flush();
          state.next += block.rows;
        } catch (error) {
          failure.cause = error;
          info.setError(String(error));
        }
      },
    }),
  );
  return failure;
}
