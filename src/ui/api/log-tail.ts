/** @file The end of what a run printed. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { runFiles } from "../../records/run-folder.js";
import type { LogAnswer } from "./types.js";

/** However long the lines are, no more of the file is read. */
const BYTES = 262_144;

/** @param runDir of a run of the store */
export function logTail(runDir: string, lines: number): LogAnswer {
  const { text, isCut } = endOf(runFiles(runDir).stdout);
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  const shown = all.slice(-lines);
  return { lines: shown, is_cut: isCut || shown.length < all.length };
}

function endOf(file: string): { readonly text: string; readonly isCut: boolean } {
  let opened: number;
  try {
    opened = openSync(file, "r");
  } catch {
    // a run that another program trained may print nothing
    return { text: "", isCut: false };
  }
  try {
    const status = fstatSync(opened);
    if (!status.isFile()) return { text: "", isCut: false };
    const start = Math.max(0, status.size - BYTES);
    const buffer = Buffer.alloc(Math.min(BYTES, status.size));
    const read = readSync(opened, buffer, 0, buffer.length, start);
    const text = buffer.subarray(0, read).toString("utf8");
    // the first line has lost its beginning
    return { text: start === 0 ? text : text.slice(text.indexOf("\n") + 1), isCut: start > 0 };
  } finally {
    closeSync(opened);
  }
}
