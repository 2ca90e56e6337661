/** @file Cells of a table corrected into a new file: a CSV file byte by byte but for those cells, or Parquet. */
import { existsSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { at } from "../../arrays.js";
import { lineOf, StoreError, UsageError } from "../../errors.js";
import { readCsvHead } from "./csv.js";
import { literalPath, withDuckDB } from "./duckdb.js";
import { quoted } from "./sql.js";

/** What a cell shall say. */
export interface CellCorrection {
  /** From 0. */
  readonly row: number;
  readonly column: string;
  /** Empty: the cell is emptied. */
  readonly text: string;
}

/** A correction that the file cannot take, and why. */
export interface RefusedCorrection extends CellCorrection {
  readonly reason: string;
}

const KINDS = /\.(csv|tsv|parquet|pq)(\.gz)?$/i;

/** @throws UsageError where the file is of a kind that is not written */
export function assertCorrectable(file: string): void {
  if (KINDS.test(file)) return;
  throw new UsageError(
    `${file} cannot be corrected: only CSV and Parquet files can. Export it as one of these, and train on that.`,
    { file },
  );
}

/** The first free name beside a file: `labels.corrected.csv`, `labels.corrected-2.csv`, … */
export function correctedName(file: string): string {
  const [ending = ""] = KINDS.exec(file) ?? [];
  const stem = basename(file).slice(0, basename(file).length - ending.length);
  for (let number = 1; ; number++) {
    const name = join(dirname(file), `${stem}.corrected${number === 1 ? "" : `-${number}`}${ending}`);
    if (!existsSync(name)) return name;
  }
}

/**
 * Writes a corrected copy, which appears complete or not at all; the file itself stays as it is.
 * @param out must not exist
 * @returns corrections that could not be made
 * @throws UsageError for another kind of file, DataError, StoreError
 */
export async function writeCorrected(
  file: string,
  out: string,
  corrections: readonly CellCorrection[],
): Promise<RefusedCorrection[]> {
  assertCorrectable(file);
  const writing = `${out}.writing-${process.pid}`;
  try {
    const refused = /\.(parquet|pq)$/i.test(file)
      ? await correctParquet(file, writing, corrections)
      : await correctCsv(file, writing, corrections);
    await rename(writing, out);
    return refused;
  } catch (error) {
    await rm(writing, { force: true });
    throw new StoreError(`${out} cannot be written: ${lineOf(error)}.`, { file: out }, { cause: error });
  }
}

async function correctCsv(
  file: string,
  writing: string,
  corrections: readonly CellCorrection[],
): Promise<RefusedCorrection[]> {
  const { names, delimiter } = await readCsvHead(file, file);
  const bytes = await readFile(file);
  const isPacked = file.toLowerCase().endsWith(".gz");
  const text = (isPacked ? await promisify(gunzip)(bytes) : bytes).toString("utf8");
  const records = fieldSpans(text, delimiter).slice(1);
  const refused: RefusedCorrection[] = [];
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  for (const correction of corrections) {
    const fields = records[correction.row];
    const field = fields?.[names.indexOf(correction.column)];
    if (field === undefined) {
      const reason = fields === undefined ? `the table has ${records.length} rows` : "there is no such column";
      refused.push({ ...correction, reason });
      continue;
    }
    edits.push({ from: at(field, 0), to: at(field, 1), text: csvField(correction.text, delimiter) });
  }
  let [written, end] = ["", 0];
  for (const edit of edits.sort((a, b) => a.from - b.from)) {
    written += text.slice(end, edit.from) + edit.text;
    end = edit.to;
  }
  const whole = Buffer.from(written + text.slice(end));
  const handle = await open(writing, "wx");
  try {
    await handle.writeFile(isPacked ? await promisify(gzip)(whole) : whole);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return refused;
}

function csvField(text: string, delimiter: string): string {
  return text.includes(delimiter) || /["\r\n]/.test(text) ? quoted(text, '"') : text;
}

/** Where the fields of each record stand in the text, the header first; empty lines between records are none. */
function fieldSpans(text: string, delimiter: string): (readonly (readonly [from: number, to: number])[])[] {
  const records: [number, number][][] = [];
  let fields: [number, number][] = [];
  let from = text.startsWith("\uFEFF") ? 1 : 0;
  let isQuoted = false;
  const endRecord = (end: number): void => {
    fields.push([from, end]);
    const isEmpty = fields.length === 1 && from === end && (records[0]?.length ?? 1) > 1;
    if (!isEmpty) records.push(fields);
    fields = [];
  };
  for (let i = from; i < text.length; i++) {
    const letter = text[i];
    if (letter === '"') isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (letter === delimiter) {
      fields.push([from, i]);
      from = i + 1;
    } else if (letter === "\n" || letter === "\r") {
      endRecord(i);
      if (letter === "\r" && text[i + 1] === "\n") i++;
      from = i + 1;
    }
  }
  if (from < text.length || fields.length > 0) endRecord(text.length);
  return records;
}

/** Name of a column that no table has, for the number of each row. */
const ROW = "cool corrected row";

async function correctParquet(
  file: string,
  writing: string,
  corrections: readonly CellCorrection[],
): Promise<RefusedCorrection[]> {
  return withDuckDB(async (connection) => {
    await connection.run(
      `CREATE TABLE corrected AS SELECT * EXCLUDE (file_row_number), file_row_number AS ${quoted(ROW, '"')}
       FROM read_parquet(${quoted(literalPath(file))}, file_row_number = true)`,
    );
    const columns = await connection.runAndReadAll(
      "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'corrected'",
    );
    const types = new Map(columns.getRows().map(([name, type]) => [String(name), String(type)]));
    const rows = Number((await connection.runAndReadAll("SELECT count(*) FROM corrected")).value(0, 0));
    const refused: RefusedCorrection[] = [];
    for (const correction of corrections) {
      const { row, column, text } = correction;
      const type = column === ROW ? undefined : types.get(column);
      if (type === undefined || row < 0 || row >= rows) {
        refused.push({
          ...correction,
          reason: type === undefined ? "there is no such column" : `the table has ${rows} rows`,
        });
        continue;
      }
      try {
        await connection.run(
          `UPDATE corrected SET ${quoted(column, '"')} = CAST($1 AS ${type}) WHERE ${quoted(ROW, '"')} = ${row}`,
          [text === "" ? null : text],
        );
      } catch {
        refused.push({ ...correction, reason: `${JSON.stringify(text)} is no ${type}` });
      }
    }
    await connection.run(
      `COPY (SELECT * EXCLUDE (${quoted(ROW, '"')}) FROM corrected ORDER BY ${quoted(ROW, '"')})
       TO ${quoted(writing)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    return refused;
  });
}
