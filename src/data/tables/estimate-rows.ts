/** @file About how many rows tables have, before they are read: from the end of a Parquet file, or the first lines of a text. */
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { literalPath, withDuckDB } from "./duckdb.js";
import { isQuery, quoted } from "./sql.js";

/** What is read of a text. */
const HEAD_BYTES = 1 << 18;
const LINE_FEED = 10;

/**
 * Estimates the rows of all tables together, in milliseconds.
 * @param sources files, relative to `folder`, or queries
 * @param leastBytes of all files together; fewer are not looked at
 * @returns null where that is not cheap to tell: queries, packed texts, JSON lists, files that cannot be read
 */
export async function estimateRows(
  sources: readonly string[],
  folder: string,
  leastBytes: number,
): Promise<number | null> {
  if (sources.some(isQuery)) return null;
  const paths = sources.map((source) => resolve(folder, source));
  try {
    const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
    if (sizes.reduce((sum, size) => sum + size, 0) < leastBytes) return null;
    let rows = 0;
    for (const [i, path] of paths.entries()) {
      const own = await rowsOf(path, sizes[i] ?? 0);
      if (own === null) return null;
      rows += own;
    }
    return rows;
  } catch {
    // what is wrong with a table is told by whoever reads it
    return null;
  }
}

async function rowsOf(path: string, size: number): Promise<number | null> {
  if (/\.(parquet|pq)$/i.test(path)) return rowsOfParquet(path);
  return /\.(csv|tsv|jsonl|ndjson)$/i.test(path) ? rowsOfLines(path, size) : null;
}

function rowsOfParquet(path: string): Promise<number> {
  return withDuckDB(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT sum(num_rows)::DOUBLE FROM parquet_file_metadata(${quoted(literalPath(path))})`,
    );
    return Number(reader.getRows()[0]?.[0]);
  });
}

/** As if all lines were as long as the first ones, header and line breaks in cells included. */
async function rowsOfLines(path: string, size: number): Promise<number | null> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const lines = buffer.subarray(0, bytesRead).filter((byte) => byte === LINE_FEED).length;
    return lines === 0 ? null : Math.round((size / bytesRead) * lines);
  } finally {
    await file.close();
  }
}
