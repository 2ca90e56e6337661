/** @file Diffs for the terminal: coloured where that is wanted, and never with control characters of their own. */
import { printable } from "../platform/printable.js";
import { useColour } from "./tables/tables.js";

const [RED, GREEN, CYAN, BOLD, RESET] = ["\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[1m", "\x1b[0m"];

/** A unified diff, its lines coloured on a terminal that wants it (no-color.org). */
export function colourDiff(diff: string, colour: boolean = useColour()): string {
  return diff
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => printable(line))
    .map((line) => (colour ? colourLine(line) : line))
    .join("\n");
}

function colourLine(line: string): string {
  const colour = lineColour(line);
  return colour === null ? line : `${colour}${line}${RESET}`;
}

function lineColour(line: string): string | null {
  if (/^(diff |index |--- |\+\+\+ |new file|deleted file)/.test(line)) return BOLD;
  if (line.startsWith("@@")) return CYAN;
  if (line.startsWith("-")) return RED;
  return line.startsWith("+") ? GREEN : null;
}
