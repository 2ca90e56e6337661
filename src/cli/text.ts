/** @file Texts of unknown origin, made fit for one cell of a terminal's table. */
import { printableLine } from "../platform/printable.js";
import { displayWidth } from "./tables/display-width.js";
import { tableColumns } from "./tables/table-layout.js";

/** `–` for what is not there; control characters (colours, line breaks) are shown, not obeyed. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  // JSON has no word for NaN and the infinities
  return printableLine(typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value));
}

/**
 * A sentence on as many lines as the terminal makes of it; only a word that is longer than a line makes a longer one.
 * @param indent before all lines but the first
 */
export function fill(text: string, { columns = tableColumns(), indent = "" } = {}): string {
  const lines: string[] = [];
  const [first = "", ...words] = text.split(/(?<=\S) /);
  let line = first;
  for (const word of words) {
    if (displayWidth(`${line} ${word}`) > columns) {
      lines.push(line);
      line = `${indent}${word}`;
    } else line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes with three digits: `14.2 MB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toPrecision(3)} ${UNITS[power]}`;
}

/**
 * Warnings as lines to print: what is said of several tasks in the same words is said once, behind their names.
 * @param warnings each `path: what is the matter`, or without a path
 */
export function warningLines(warnings: readonly string[]): string[] {
  const subjects = new Map<string, string[]>();
  for (const warning of warnings) {
    const end = warning.lastIndexOf(": ");
    const matter = warning.slice(end < 0 ? 0 : end + 2);
    const known = subjects.get(matter) ?? [];
    subjects.set(matter, end < 0 ? known : [...known, warning.slice(0, end)]);
  }
  return [...subjects].map(([matter, names]) =>
    ["warning", ...(names.length > 0 ? [names.join(", ")] : []), matter].join(": "),
  );
}
