/** @file Tables of labels: CSV, Parquet, JSON or a SQL query, read by DuckDB. */
import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { DuckDBConnection, DuckDBResult, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { at } from "../../arrays.js";
import { DataError, InterruptedError, nearestNames, shorten } from "../../errors.js";
import { atOnce, type Sliced, yieldTo } from "../../platform/yield-to.js";
import type { Cells } from "./cells.js";
import { columnBuilder } from "./column-builder.js";
import { type CsvHead, readCsvHead } from "./csv.js";
import { accessOf, literalPath, refusalOf, restrict, runSelect, withDuckDB } from "./duckdb.js";
import { SharedTexts } from "./shared-texts.js";
import { anchorFileNames, isQuery, quoted } from "./sql.js";

/** A table in memory, column by column. */
export interface Table {
  readonly rows: number;
  /** Cells are string, number, boolean, null or arrays of these; CSV cells are text, null where empty. */
  readonly columns: ReadonlyMap<string, Cells>;
  /** What messages call it: the file as it was given, or "the SQL query". */
  readonly file: string;
  /** Folder that image paths are relative to: the file's; for a query the project's. */
  readonly baseDir: string;
  /** Line of the first row if every row is one line of a text file, else null. */
  readonly firstLine: number | null;
}

/** How a table is read. */
export interface TableAccess {
  readonly projectDir: string;
  /** Folders and files that a query may read besides the project's folder; relative to it. */
  readonly allow?: readonly string[] | undefined;
  /** Whether a person has typed the query just now: then it may read whatever it names in quotes. */
  readonly typed?: boolean | undefined;
  /** Ends a query, or the reading of what it found. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a whole table.
 * @param source a file (.csv, .tsv, .parquet, .json, .jsonl, .ndjson; text also .gz), or a query that starts with
 *   SELECT, WITH or FROM; both are relative to `projectDir`. A query is one SELECT.
 * @throws DataError if it is missing, has no rows, names a column twice or does not parse; InterruptedError if the
 *   signal fires
 */
export async function readTable(source: string, options: TableAccess): Promise<Table> {
  const projectDir = resolve(options.projectDir);
  const table = isQuery(source)
    ? await readQuery(source, { ...options, projectDir })
    : await readFileTable(source, projectDir, options.signal);
  if (table.rows === 0) throw new DataError(`${table.file} has no rows. Add at least one.`, { file: table.file });
  return table;
}

/** sha256 over the names and cells of all columns, each as the JSON of `[name, cells]`, hex. */
export function tableDigest(table: Table): string {
  return atOnce(tableDigestSliced(table));
}

/** `tableDigest` with room for signals. */
export function* tableDigestSliced(table: Table): Sliced<string> {
  const hash = createHash("sha256");
  for (const [name, cells] of table.columns) {
    hash.update(`[${JSON.stringify(name)},[`);
    let pending: unknown[] = [];
    let before = "";
    for (const cell of cells) {
      pending.push(cell);
      if (pending.length < DIGESTED_AT_ONCE) continue;
      hash.update(before).update(JSON.stringify(pending).slice(1, -1));
      [pending, before] = [[], ","];
      yield;
    }
    if (pending.length > 0) hash.update(before).update(JSON.stringify(pending).slice(1, -1));
    hash.update("]]");
    yield;
  }
  return hash.digest("hex");
}

const DIGESTED_AT_ONCE = 16_384;

/**
 * Cells of a column that must exist.
 * @param asker what asks for it, for the message
 */
export function columnOf(table: Table, column: string, asker: string): Cells {
  const cells = table.columns.get(column);
  if (cells !== undefined) return cells;
  throw new DataError(`${table.file} has no column "${column}" for ${asker}. ${columnHint(table, [column])}`, {
    file: table.file,
    column,
    columns: [...table.columns.keys()],
  });
}

/** Which columns may have been meant. */
export function columnHint(table: Table, wanted: readonly string[]): string {
  const known = [...table.columns.keys()];
  const near = [...new Set(wanted.flatMap((name) => nearestNames(name, known)))].slice(0, 3);
  if (near.length > 0) return `Did you mean ${near.map((name) => `"${name}"`).join(" or ")}?`;
  return `Its columns: ${known.slice(0, 20).join(", ")}${known.length > 20 ? `, … (${known.length} in all)` : ""}.`;
}

/** A row in words; rows count from 1, as does the line, which is named where rows are lines. */
export function placeOf(table: Table, row: number): string {
  return table.firstLine === null ? `row ${row + 1}` : `row ${row + 1} (line ${table.firstLine + row})`;
}

/** A cell's value, short enough for a message. */
export function quoteCell(cell: unknown): string {
  const text = JSON.stringify(cell) ?? String(cell);
  return shorten(text);
}

async function readQuery(
  query: string,
  { projectDir, allow = [], typed = false, signal }: TableAccess,
): Promise<Table> {
  const file = "the SQL query";
  const columns = await withDuckDB(async (connection) => {
    // for the names that stay relative; a comma separates folders
    if (!projectDir.includes(",")) await connection.run(`SET file_search_path = ${quoted(projectDir)}`);
    const anchored = await anchorFileNames(connection, query, projectDir);
    const named = accessOf(typed ? anchored.names : []);
    const allowed = allow.map((path) => resolve(projectDir, path));
    await restrict(connection, {
      folders: [projectDir, ...allowed, ...named.folders],
      files: [...allowed, ...named.files],
    });
    return readColumns(connection, anchored.query, file, signal);
  }, signal);
  return tableOf(columns, file, projectDir);
}

async function readFileTable(source: string, projectDir: string, signal: AbortSignal | undefined): Promise<Table> {
  const path = resolve(projectDir, source);
  await assertFile(path, source);
  const format = FORMATS.find(({ pattern }) => pattern.test(path))?.format;
  if (format === undefined) {
    throw new DataError(
      `${source} is of no known kind. Use .csv, .tsv, .parquet, .json, .jsonl, or a query that starts with SELECT.`,
      { file: source },
    );
  }
  return format === "csv" ? readCsv(path, source, signal) : readTyped(path, source, format, signal);
}

const FORMATS = [
  { pattern: /\.(csv|tsv)(\.gz)?$/i, format: "csv" },
  { pattern: /\.(parquet|pq)$/i, format: "parquet" },
  { pattern: /\.(json|jsonl|ndjson)(\.gz)?$/i, format: "json" },
] as const;

async function readTyped(
  path: string,
  file: string,
  format: "parquet" | "json",
  signal: AbortSignal | undefined,
): Promise<Table> {
  const name = quoted(literalPath(path));
  const from = format === "parquet" ? `read_parquet(${name})` : `read_json(${name}, sample_size = -1)`;
  const columns = await withDuckDB((connection) => readColumns(connection, `FROM ${from}`, file, signal), signal);
  return tableOf(columns, file, dirname(path));
}

/** All cells as text, so that a message can quote what is written in the file. */
async function readCsv(path: string, file: string, signal: AbortSignal | undefined): Promise<Table> {
  const head = await readCsvHead(path, file, signal);
  assertUnique(head.names, file);
  const columns = await withDuckDB((connection) => readColumns(connection, csvQuery(path, head), file, signal), signal);
  const named = columns.map(({ cells }, i) => ({ name: at(head.names, i), cells }));
  const table = tableOf(named, file, dirname(path));
  // a cell with a line break or a blank line would shift the rest
  return { ...table, firstLine: head.lines === table.rows + 1 ? 2 : null };
}

function csvQuery(path: string, head: CsvHead): string {
  // numbered: DuckDB takes names that differ in case only for the same
  const columns = head.names.map((_, i) => `c${i}: 'VARCHAR'`).join(", ");
  // DuckDB finds no rows under a header of several lines: it is then read as a row, and left out
  const [header, rest] =
    head.lineEnd === null ? ["true", ""] : [`false, new_line = ${quoted(head.lineEnd)}`, " OFFSET 1"];
  return `FROM read_csv(${quoted(literalPath(path))}, auto_detect = false, header = ${header}, skip = 0, columns = {${columns}},
    delim = ${quoted(head.delimiter)}, quote = '"', escape = '"')${rest}`;
}

async function assertFile(path: string, source: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return;
  const siblings = await readdir(dirname(path)).catch(() => null);
  const others = (siblings ?? []).filter((name) => name !== basename(path));
  const near = nearestNames(basename(path), others).map((name) => `"${join(dirname(source), name)}"`);
  const hint =
    siblings === null
      ? `There is no folder ${dirname(path)}.`
      : near.length > 0
        ? `Did you mean ${near.join(" or ")}?`
        : isAbsolute(source)
          ? "Correct the name."
          : "Correct the name; it is relative to the project's folder.";
  const problem = found === null ? `There is no table ${path}` : `The table ${path} is not a file`;
  throw new DataError(`${problem}. ${hint}`, { file: source, path });
}

interface Column {
  readonly name: string;
  readonly cells: Cells;
}

function tableOf(columns: readonly Column[], file: string, baseDir: string): Table {
  assertUnique(
    columns.map(({ name }) => name),
    file,
  );
  const rows = columns[0]?.cells.length ?? 0;
  return { rows, columns: new Map(columns.map(({ name, cells }) => [name, cells])), file, baseDir, firstLine: null };
}

function assertUnique(names: readonly string[], file: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new DataError(`${file} has two columns named "${twice}". Rename or remove one of them.`, {
    file,
    column: twice,
  });
}

async function readColumns(
  connection: DuckDBConnection,
  query: string,
  file: string,
  signal: AbortSignal | undefined,
): Promise<Column[]> {
  try {
    return await readAll(await runSelect(connection, query, file), signal);
  } catch (cause) {
    if (cause instanceof DataError || cause instanceof InterruptedError || signal?.aborted === true) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    const reason = refusalOf(message) ?? duckDBReason(message);
    throw new DataError(`${file} cannot be read: ${reason}`, { file, reason }, { cause });
  }
}

/** Chunk after chunk, as DuckDB finds them: what it has read is kept here alone. */
async function readAll(result: DuckDBResult, signal: AbortSignal | undefined): Promise<Column[]> {
  const texts = new SharedTexts();
  const columns = result.columnNames().map((name, i) => {
    const type = result.columnType(i);
    const isJson = holdsJson(type);
    return { name, builder: columnBuilder(type, texts, (value) => cellOf(value, isJson)) };
  });
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    columns.forEach(({ builder }, i) => {
      builder.append(chunk.getColumnVector(i));
    });
    await yieldTo(signal);
  }
  return columns.map(({ name, builder }) => ({ name, cells: builder.cells() }));
}

/** Whether a column's values, or those of its lists, are of several types, each written as JSON. */
function holdsJson(type: DuckDBType): boolean {
  return type.alias === "JSON" || ("valueType" in type && holdsJson(type.valueType));
}

/** DuckDB's value as a plain one. Dates, times and the like become text. */
function cellOf(value: DuckDBValue, isJson: boolean): unknown {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  // a JSON column holds values of several types, each written as JSON
  if (typeof value === "string") return isJson ? JSON.parse(value) : value;
  if (typeof value === "bigint") return Number(value);
  if ("items" in value) return value.items.map((item) => cellOf(item, isJson));
  if ("toDouble" in value) return value.toDouble();
  return String(value);
}

/** The first paragraph of DuckDB's message, on one line, without its advice on options that do not exist here. */
function duckDBReason(message: string): string {
  const [facts = message] = message.split(/\n(?:Possible |Try |\s*LINE |\s*file = )/);
  return facts
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("; ");
}
