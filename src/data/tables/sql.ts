/** @file Relative file names in a SQL query → absolute ones. */
import { isAbsolute, join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";

/** A file name in the text of a query. */
interface FileName {
  /** Offset of its opening quote in the query's UTF-8 bytes. */
  readonly at: number;
  readonly name: string;
}

/** A query, and the files that it names, absolute where they can be told. */
export interface AnchoredQuery {
  readonly query: string;
  readonly names: readonly string[];
}

/**
 * The query with every relative file name made absolute. DuckDB itself would look into the process's working folder
 * first, where a file of the same name may lie that is not the project's.
 * A query that DuckDB cannot print as a tree (a PIVOT) or parse stays as it is.
 */
export async function anchorFileNames(
  connection: DuckDBConnection,
  query: string,
  folder: string,
): Promise<AnchoredQuery> {
  const reader = await connection.runAndReadAll("SELECT json_serialize_sql($1::VARCHAR)", [query]);
  const tree: unknown = JSON.parse(String(reader.value(0, 0)));
  const isRelative = (name: string): boolean => !isAbsolute(name) && !/^(~|\w+:)/.test(name);
  const all = [...fileNames(tree)];
  const names = all.filter(({ name }) => isRelative(name));
  let bytes = Buffer.from(query);
  // from the last to the first, so that earlier offsets stay true
  for (const { at, name } of names.sort((a, b) => b.at - a.at)) {
    const quote = String.fromCharCode(bytes[at] ?? 0);
    if (quote !== "'" && quote !== '"') continue;
    const literal = quoted(name, quote);
    if (bytes.toString("utf8", at, at + Buffer.byteLength(literal)) !== literal) continue;
    const anchored = Buffer.from(quoted(join(folder, name), quote));
    bytes = Buffer.concat([bytes.subarray(0, at), anchored, bytes.subarray(at + Buffer.byteLength(literal))]);
  }
  const absolute = all.map(({ name }) => (isRelative(name) ? join(folder, name) : name));
  return { query: bytes.toString("utf8"), names: absolute };
}

/** Whether a table is SQL, and not a file; comments and brackets may stand before its first word. */
export function isQuery(source: string): boolean {
  return /^(?:[\s(]|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:select|with|from)[\s(*'"]/i.test(source);
}

/** Text as a SQL literal. */
export function quoted(text: string, quote: "'" | '"' = "'"): string {
  return quote + text.replaceAll(quote, quote + quote) + quote;
}

const READERS = /^(read_|parquet_|glob$|sniff_csv$)/i;

/** Tables that are files, and text given to functions that read files. */
function* fileNames(node: unknown): Generator<FileName> {
  if (typeof node !== "object" || node === null) return;
  const { type, table_name, schema_name, query_location, function_name, children } = node as Record<string, unknown>;
  if (type === "BASE_TABLE" && schema_name === "" && /[./*]/.test(String(table_name))) {
    yield { at: Number(query_location), name: String(table_name) };
  }
  if (typeof function_name === "string" && READERS.test(function_name)) yield* textArguments(children);
  for (const child of Object.values(node)) yield* fileNames(child);
}

/** Text constants among a function's arguments, single or in lists; named options are comparisons and left out. */
function* textArguments(children: unknown): Generator<FileName> {
  for (const child of Array.isArray(children) ? children : []) {
    const value: unknown = child.value?.value;
    if (child.class === "CONSTANT" && typeof value === "string")
      yield { at: Number(child.query_location), name: value };
    if (child.function_name === "list_value") yield* textArguments(child.children);
  }
}
