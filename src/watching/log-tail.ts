/** @file The last lines of a file that grows. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { printableLine } from "../platform/printable.js";

const MOST_BYTES = 128 * 1024;

/** Lines as a terminal would have left them, oldest first; of a long file its last part; none where it is not there. */
export function lastLines(file: string): string[] {
  const text = lastPart(file);
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  // progress bars write over themselves
  return lines.map((line) =>
    printableLine(stripVTControlCharacters(line.replace(/\r+$/, "").split("\r").at(-1) ?? "")),
  );
}

function lastPart(file: string): string {
  try {
    const descriptor = openSync(file, "r");
    try {
      const { size } = fstatSync(descriptor);
      const start = Math.max(0, size - MOST_BYTES);
      const bytes = Buffer.alloc(Math.min(size, MOST_BYTES));
      const read = readSync(descriptor, bytes, 0, bytes.length, start);
      const text = bytes.subarray(0, read).toString("utf8");
      // the first line is cut
      return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
}
