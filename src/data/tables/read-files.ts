/** @file Files that tables are read from, so that what is written beside them is none of these. */
import { isAbsolute, join, resolve } from "node:path";
import { refuseRead } from "../../platform/written-files.js";
import { accessOf, withDuckDB } from "./duckdb.js";
import { isQuery } from "./sql.js";

/** A table as it is named: a file, or a query. */
export interface NamedTable {
  readonly table: string;
  /** Folder that its file names are relative to. */
  readonly folder: string;
}

/**
 * @param inputs images, tables and queries that a person names, from the working folder
 * @param tables others that the work was made of
 * @throws UsageError where the file to write is one that they are read from
 */
export async function refuseInputs(
  out: string,
  inputs: readonly string[],
  tables: readonly NamedTable[],
): Promise<void> {
  const named = inputs.map((table) => ({ table, folder: process.cwd() }));
  refuseRead(out, await filesRead([...named, ...tables]));
}

/**
 * Files of tables: of a query those that it names in quotes, or by a pattern. A text in quotes that is no file's name is
 * taken for one, too: nobody writes to it.
 * @returns absolute paths
 */
async function filesRead(tables: readonly NamedTable[]): Promise<string[]> {
  const files: string[] = [];
  for (const { table, folder } of tables) {
    if (isQuery(table)) files.push(...(await filesIn(table, folder)));
    else files.push(resolve(folder, table));
  }
  return files;
}

// what stands in a comment is no text
const QUOTED = /--[^\n]*|\/\*[\s\S]*?\*\/|'((?:[^']|'')*)'|"((?:[^"]|"")*)"/g;

async function filesIn(query: string, folder: string): Promise<string[]> {
  const names = [...query.matchAll(QUOTED)].flatMap(([, single, double]) => {
    const name = single?.replaceAll("''", "'") ?? double?.replaceAll('""', '"') ?? "";
    if (name === "") return [];
    return [isAbsolute(name) || /^(~|file:)/.test(name) ? name : join(folder, name)];
  });
  const { files } = accessOf(names);
  const patterns = names.filter((name) => /[*?[]/.test(name));
  if (patterns.length === 0) return [...files];
  const matched = await withDuckDB(async (connection) => {
    const found: string[] = [];
    for (const pattern of patterns) {
      const reader = await connection.runAndReadAll("SELECT file FROM glob($1::VARCHAR)", [pattern]);
      found.push(...reader.getRows().map(([file]) => String(file)));
    }
    return found;
  });
  return [...files, ...matched];
}
