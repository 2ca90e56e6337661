/** @file A terminal's cells, and the shortest way from one picture of them to the next. */
import { displayWidth } from "../tables/display-width.js";

/** Parameters of a graphic rendition (ECMA-48), such as `1;36`; empty: as the terminal is. */
export type CellStyle = string;

interface Cell {
  /** Empty: the second half of a wide character. */
  readonly text: string;
  readonly style: CellStyle;
}

const BLANK: Cell = { text: " ", style: "" };
const SECOND_HALF: Cell = { text: "", style: "" };

export class Grid {
  readonly columns: number;
  readonly rows: number;
  readonly #cells: Cell[];

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#cells = Array.from({ length: columns * rows }, () => BLANK);
  }

  at(column: number, row: number): Cell {
    return this.#cells[row * this.columns + column] ?? BLANK;
  }

  /**
   * Writes a text without control characters; what has no room is left out.
   * @param room columns at most
   * @returns the column behind it
   */
  put(column: number, row: number, text: string, style: CellStyle = "", room = this.columns): number {
    const end = Math.min(this.columns, column + room);
    let at = column;
    if (row < 0 || row >= this.rows) return at;
    for (const character of text) {
      const width = displayWidth(character);
      if (width === 0) {
        this.#join(at, row, character);
        continue;
      }
      if (at + width > end) break;
      this.#set(at, row, { text: character, style });
      if (width === 2) this.#set(at + 1, row, { ...SECOND_HALF, style });
      at += width;
    }
    return at;
  }

  /** Gives cells another style. */
  restyle(column: number, row: number, room: number, style: CellStyle): void {
    for (let at = column; at < Math.min(this.columns, column + room); at += 1) {
      this.#set(at, row, { ...this.at(at, row), style });
    }
  }

  /** The text of a row, without what is blank at its end. */
  text(row: number): string {
    let line = "";
    for (let column = 0; column < this.columns; column += 1) line += this.at(column, row).text;
    return line.trimEnd();
  }

  #set(column: number, row: number, cell: Cell): void {
    if (column >= 0 && column < this.columns && row >= 0 && row < this.rows)
      this.#cells[row * this.columns + column] = cell;
  }

  /** An accent belongs to the character before it. */
  #join(column: number, row: number, accent: string): void {
    const before = this.at(column - 1, row);
    if (column > 0 && before.text !== "" && before.text.length < 8) {
      this.#set(column - 1, row, { ...before, text: before.text + accent });
    }
  }
}

/** Cells that are written again rather than skipped: a jump of the cursor takes as many bytes. */
const SHORTEST_JUMP = 6;

/**
 * What a terminal that shows `before` has to be sent to show `after`; empty where nothing has changed.
 * @param before null, or of another size: all of it is drawn
 */
export function paint(before: Grid | null, after: Grid): string {
  const known = before !== null && before.columns === after.columns && before.rows === after.rows ? before : null;
  const parts: string[] = known === null ? ["\x1b[0m\x1b[2J"] : [];
  let style = "";
  for (let row = 0; row < after.rows; row += 1) {
    for (const [start, end] of changedStretches(known, after, row)) {
      parts.push(`\x1b[${row + 1};${start + 1}H`);
      for (let column = start; column < end; column += 1) {
        const cell = after.at(column, row);
        if (cell.style !== style) {
          style = cell.style;
          parts.push(style === "" ? "\x1b[0m" : `\x1b[0;${style}m`);
        }
        parts.push(cell.text);
      }
    }
  }
  return style === "" ? parts.join("") : `${parts.join("")}\x1b[0m`;
}

function changedStretches(before: Grid | null, after: Grid, row: number): [number, number][] {
  const stretches: [number, number][] = [];
  for (let column = 0; column < after.columns; column += 1) {
    const [old, now] = [before?.at(column, row) ?? BLANK, after.at(column, row)];
    if (old.text === now.text && old.style === now.style) continue;
    // the first half of a wide character brings the second one with it
    const start = now.text === "" && column > 0 ? column - 1 : column;
    const last = stretches.at(-1);
    if (last !== undefined && start - last[1] < SHORTEST_JUMP) last[1] = column + 1;
    else stretches.push([start, column + 1]);
  }
  return stretches;
}
