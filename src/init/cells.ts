/** @file Cells of a table as texts, and what texts look like. */
import { at, i32At } from "../arrays.js";
import type { Cells } from "../data/tables/cells.js";
import { isMissing } from "../tasks/behaviour.js";

/** What was counted about one column, once. */
export interface ColumnFacts {
  readonly column: string;
  readonly rows: number;
  /** Different texts that are not empty, trimmed, in the order in which they come. Lists are JSON. */
  readonly texts: readonly string[];
  /** On how many rows each of them stands. */
  readonly counts: readonly number[];
  /** Which of them stands on each row; −1 where the cell is missing. */
  readonly codes: Int32Array;
  /** Rows with a text. */
  readonly filled: number;
  /** Whether cells are lists, and not texts. */
  readonly isList: boolean;
}

/** By the cells of a column: what it is is guessed from them, and then it is proposed. */
const counted = new WeakMap<Cells, ColumnFacts>();

export function factsOf(column: string, raw: Cells): ColumnFacts {
  const known = counted.get(raw);
  if (known?.column === column) return known;
  const facts = count(column, raw);
  counted.set(raw, facts);
  return facts;
}

function count(column: string, raw: Cells): ColumnFacts {
  // by what is written, then by what is read of it: most cells of a column say what others say
  const places = new Map<unknown, number>();
  const [texts, counts]: [string[], number[]] = [[], []];
  const codes = new Int32Array(raw.length);
  let filled = 0;
  let isList = false;
  raw.forEach((cell, row) => {
    let place = places.get(cell);
    if (place === undefined) {
      const text = textOf(cell);
      isList ||= Array.isArray(cell);
      place = text === "" ? MISSING : (places.get(text) ?? texts.length);
      places.set(cell, place);
      if (place === texts.length) {
        places.set(text, place);
        texts.push(text);
        counts.push(0);
      }
    }
    codes[row] = place;
    if (place === MISSING) return;
    counts[place] = at(counts, place) + 1;
    filled++;
  });
  return { column, rows: raw.length, texts, counts, codes, filled, isList };
}

const MISSING = -1;

/** The text of a row; empty where its cell is missing. */
export function textAt({ texts, codes }: ColumnFacts, row: number): string {
  return texts[i32At(codes, row)] ?? "";
}

/** A cell as labels read it: trimmed, in Unicode form NFC; missing ones are empty. */
function textOf(cell: unknown): string {
  if (isMissing(cell)) return "";
  return (Array.isArray(cell) ? JSON.stringify(cell.map(String)) : String(cell).trim()).normalize("NFC");
}

/** Whether nine of ten cells that are not empty are like this. */
export function mostly({ texts, counts, filled }: ColumnFacts, is: (cell: string) => boolean): boolean {
  let others = filled - Math.ceil(0.9 * filled);
  for (let place = 0; place < texts.length; place++) {
    if (is(at(texts, place))) continue;
    others -= at(counts, place);
    if (others < 0) return false;
  }
  return filled > 0;
}

export function all({ texts }: ColumnFacts, is: (cell: string) => boolean): boolean {
  return texts.every((text) => is(text));
}

export const isImagePath = (cell: string): boolean => /\.(jpe?g|png|webp|tiff?|gif|bmp|avif)$/i.test(cell);
export const isNumber = (cell: string): boolean => cell !== "" && Number.isFinite(Number(cell));
/** Three words or more. */
export const isSentence = (cell: string): boolean => /\S\s+\S+\s+\S/.test(cell);
/** A calendar day or a moment, as ISO 8601 and most spreadsheets write it. */
export const isDate = (cell: string): boolean =>
  /^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([T ]\d{1,2}:\d{2}.*)?$/.test(cell) ||
  /^\d{1,2}:\d{2}(:\d{2})?$/.test(cell);

const YES = new Set(["1", "true", "1.0"]);
const NO = new Set(["0", "false", "0.0"]);

export const isTruth = (cell: string): boolean => YES.has(cell.toLowerCase()) || NO.has(cell.toLowerCase());
export const isYes = (cell: string): boolean => YES.has(cell.toLowerCase());

/** Labels in a cell of a multilabel: a JSON list, or a text that the delimiter separates; `none` is none of them. */
export function partsOf(cell: string, delimiter: string): string[] {
  const listed = cell.startsWith("[") ? jsonList(cell) : undefined;
  const parts = listed ?? cell.split(delimiter);
  return parts.map((part) => part.trim()).filter((part) => part !== "" && part.toLowerCase() !== "none");
}

function jsonList(cell: string): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(cell);
    return Array.isArray(parsed) ? parsed.map(String) : undefined;
  } catch {
    return undefined;
  }
}
