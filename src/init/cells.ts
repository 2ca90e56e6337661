/** @file Cells of a table as texts, and what texts look like. */
import type { Cells } from "../data/tables/cells.js";
import { isMissing } from "../tasks/behaviour.js";

/** What was counted about one column, once. */
export interface ColumnFacts {
  readonly column: string;
  /** One text a row, trimmed; empty where the cell is missing. Lists are JSON. */
  readonly cells: readonly string[];
  readonly filled: number;
  /** Different texts that are not empty, in the order in which they come. */
  readonly distinct: ReadonlySet<string>;
  /** Whether cells are lists, and not texts. */
  readonly isList: boolean;
}

export function factsOf(column: string, raw: Cells): ColumnFacts {
  // by what is written: most cells of a column say what others say
  const texts = new Map<unknown, string>();
  const distinct = new Set<string>();
  let filled = 0;
  let isList = false;
  const cells = raw.map((cell) => {
    isList ||= Array.isArray(cell);
    const known = texts.get(cell);
    const text = known ?? textOf(cell);
    if (known === undefined) texts.set(cell, text);
    if (text === "") return text;
    filled++;
    if (known === undefined) distinct.add(text);
    return text;
  });
  return { column, cells, filled, distinct, isList };
}

/** A cell as labels read it: trimmed, in Unicode form NFC; missing ones are empty. */
function textOf(cell: unknown): string {
  if (isMissing(cell)) return "";
  return (Array.isArray(cell) ? JSON.stringify(cell.map(String)) : String(cell).trim()).normalize("NFC");
}

/** Whether nine of ten cells that are not empty are like this. */
export function mostly({ cells, filled }: ColumnFacts, is: (cell: string) => boolean): boolean {
  let others = filled - Math.ceil(0.9 * filled);
  for (const cell of cells) if (cell !== "" && !is(cell) && others-- === 0) return false;
  return filled > 0;
}

export function all({ distinct }: ColumnFacts, is: (cell: string) => boolean): boolean {
  for (const cell of distinct) if (!is(cell)) return false;
  return true;
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
