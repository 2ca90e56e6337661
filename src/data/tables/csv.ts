/** @file The head of a CSV file: its delimiter, its column names and whether rows are lines. */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { DataError, InterruptedError } from "../../errors.js";

export interface CsvHead {
  readonly delimiter: string;
  /** Trimmed; a nameless column is called `column<i>`, counted from 0. */
  readonly names: readonly string[];
  /** How lines end, as DuckDB writes it, where a name has a line break in it, by which that is guessed wrongly. */
  readonly lineEnd: string | null;
  /** Lines of the whole file, the header among them. */
  readonly lines: number;
}

/**
 * Reads what must not be guessed from a sample: DuckDB's sniffer would skip ragged rows and rename columns.
 * @param file name for messages
 * @throws DataError if the file is empty, is not UTF-8 text or names a column twice
 */
export async function readCsvHead(path: string, file: string, signal?: AbortSignal): Promise<CsvHead> {
  const { head: bytes, lines } = await scan(path, file, signal);
  if (bytes.length === 0) throw new DataError(`${file} is empty. Write a header line and one line per row.`, { file });
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new DataError(`${file} is UTF-16 text. Save it as UTF-8.`, { file });
  }
  const header = firstRecord(bytes);
  const delimiter = delimiterOf(path, header);
  const names = parseRecord(header, delimiter).map((name, i) => name.trim() || `column${i}`);
  return {
    delimiter,
    names,
    lineEnd: /[\r\n]/.test(header) ? lineEndAfter(header, bytes) : null,
    lines,
  };
}

function lineEndAfter(header: string, bytes: Buffer): string {
  const mark = bytes[0] === 0xef ? 3 : 0;
  const end = bytes.subarray(mark + Buffer.byteLength(header)).toString("latin1", 0, 2);
  return end === "\r\n" ? "\\r\\n" : end.startsWith("\r") ? "\\r" : "\\n";
}

/**
 * Reads a file piece by piece.
 * @returns its first record with what follows it for a few bytes, and how many lines there are in all
 */
async function scan(path: string, file: string, signal: AbortSignal | undefined) {
  const bytes = createReadStream(path, { highWaterMark: PIECE_BYTES });
  const packed = path.endsWith(".gz");
  const unpacking = createGunzip();
  // errors of reading reach what unpacks, which waits for more else
  const pieces: AsyncIterable<Buffer> = packed
    ? bytes.on("error", (error) => unpacking.destroy(error)).pipe(unpacking)
    : bytes;
  let head = Buffer.alloc(0);
  let isWhole = false;
  let [lines, last] = [0, LINE_FEED];
  try {
    for await (const piece of pieces) {
      if (signal?.aborted === true) throw new InterruptedError("Interrupted.");
      if (!isWhole) {
        head = Buffer.concat([head, piece]);
        isWhole = endOfRecord(head) + BYTES_AFTER <= head.length;
      }
      lines += lineFeedsIn(piece);
      last = piece.at(-1) ?? last;
    }
  } catch (cause) {
    if (!packed || cause instanceof InterruptedError) throw cause;
    throw new DataError(`${file} cannot be unpacked: ${(cause as Error).message}.`, { file }, { cause });
  } finally {
    bytes.destroy();
  }
  return { head, lines: last === LINE_FEED ? lines : lines + 1 };
}

const PIECE_BYTES = 1 << 20;
/** What ends a line, and one more: that shows how lines end. */
const BYTES_AFTER = 3;

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Where the first record ends; the length where it does not. */
function endOfRecord(bytes: Buffer): number {
  let quoted = false;
  for (let end = 0; end < bytes.length; end++) {
    const byte = bytes[end];
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && (byte === LINE_FEED || byte === CARRIAGE_RETURN)) return end;
  }
  return bytes.length;
}

function firstRecord(bytes: Buffer): string {
  return bytes.toString("utf8", 0, endOfRecord(bytes)).replace(/^\uFEFF/, "");
}

/** A comma, unless the name says tab or the header holds no comma but semicolons or tabs. */
function delimiterOf(path: string, header: string): string {
  if (/\.tsv(\.gz)?$/i.test(path)) return "\t";
  return [",", ";", "\t"].find((delimiter) => header.includes(delimiter)) ?? ",";
}

/** Fields of one record (RFC 4180). */
function parseRecord(record: string, delimiter: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < record.length; i++) {
    const char = record[i] as string;
    if (quoted && char === '"' && record[i + 1] === '"') {
      field += '"';
      i++;
    } else if (char === '"') {
      quoted = !quoted;
    } else if (char === delimiter && !quoted) {
      fields.push(field);
      field = "";
    } else {
      field += char;
    }
  }
  return [...fields, field];
}

function lineFeedsIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
