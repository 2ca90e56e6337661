/** @file Rows of a CSV file (RFC 4180, or with ; or tabs), one by one. */
import { StringDecoder } from "node:string_decoder";
import { DataError } from "../../errors.js";
import { blocksOf } from "../../tracking/command/line-tail.js";

const LONGEST_CELL = 1 << 20;

/** Cells of each row, the header first; rows without any are passed over. */
export function* csvRows(file: string): Generator<string[]> {
  let separator: string | null = null;
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  let wasQuote = false;
  for (const text of textsOf(file)) {
    separator ??= separatorOf(text);
    let start = 0;
    for (let at = 0; at < text.length; at += 1) {
      const char = text[at];
      if (isQuoted) {
        if (char !== '"') continue;
        cell += text.slice(start, at);
        [isQuoted, wasQuote, start] = [false, true, at + 1];
      } else if (char === '"') {
        // two quotes within quotes are one
        cell += wasQuote && start === at ? '"' : text.slice(start, at);
        [isQuoted, wasQuote, start] = [true, false, at + 1];
      } else if (char === separator || char === "\n") {
        row.push(cell + text.slice(start, at));
        [cell, start, wasQuote] = ["", at + 1, false];
        if (char === separator) continue;
        const whole = trimmed(row);
        row = [];
        if (whole.some((one) => one !== "")) yield whole;
      }
    }
    cell += text.slice(start);
    if (cell.length > LONGEST_CELL) throw new DataError(`A cell of ${file} has no end: is a quote missing?`, { file });
  }
  row.push(cell);
  const last = trimmed(row);
  if (last.some((one) => one !== "")) yield last;
}

/** Writers that align columns put spaces around cells. */
function trimmed(row: readonly string[]): string[] {
  return row.map((cell) => cell.trim());
}

function* textsOf(file: string): Generator<string> {
  const decoder = new StringDecoder("utf8");
  let isFirst = true;
  for (const block of blocksOf(file, 0)) {
    const text = decoder.write(block);
    yield isFirst ? text.replace(/^\uFEFF/, "") : text;
    isFirst = false;
  }
}

function separatorOf(text: string): string {
  const header = text.split("\n", 1)[0] ?? "";
  const counts = [",", ";", "\t"].map((char) => ({ char, count: header.split(char).length }));
  return counts.reduce((best, one) => (one.count > best.count ? one : best)).char;
}
