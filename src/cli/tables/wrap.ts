/** @file Texts in lines of a table's column: between words, then within names where their parts end. */
import { displayWidth } from "./display-width.js";

// a line may end behind these; a name's own dots and hyphens too, but no number's
const BOUNDARY = /(?<=\s)(?=\S)|(?<=[_/\\,;:=|&])(?=[^\s_/\\,;:=|&])|(?<=[.-])(?=[^\s.\d-])|(?<=[^\s\d.-][.-])(?=\d)/u;

/**
 * A text in lines of at most so many columns. A word or a part of a name is only cut where it is longer than a line.
 * @param columns at least 2, as some characters take two
 */
export function wrapText(text: string, columns: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, Math.max(2, columns)));
}

function wrapLine(line: string, columns: number): string[] {
  if (displayWidth(line) <= columns) return [line];
  // what begins a line marks what is below it: the metrics of a task
  const indent = (/^ */.exec(line) ?? [""])[0].slice(0, Math.floor(columns / 2));
  const lines: string[] = [];
  let current = indent;
  for (const part of line.trimStart().split(BOUNDARY)) {
    if (displayWidth(current + part.trimEnd()) <= columns) {
      current += part;
      continue;
    }
    const isLong = displayWidth(part.trimEnd()) > columns;
    if (!isLong && current.trim() !== "") {
      lines.push(current.trimEnd());
      current = part;
      continue;
    }
    for (const character of part.trimEnd()) {
      if (displayWidth(current + character) > columns) {
        if (current.trim() !== "") lines.push(current.trimEnd());
        current = "";
      }
      current += character;
    }
    current += part.slice(part.trimEnd().length);
  }
  return current.trim() === "" ? lines : [...lines, current.trimEnd()];
}
