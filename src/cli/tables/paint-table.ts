/** @file A laid out table in box characters: a line around it and one below its head. */
import { displayWidth } from "./display-width.js";
import type { TableRow } from "./table-layout.js";

export interface PaintOptions {
  /** Of each column, with the blanks around its text; null where it is as wide as its cells. */
  readonly widths: readonly (number | null)[];
  /** Columns to align right. */
  readonly numeric: readonly number[];
  /** Columns of the terminal: a cell across columns makes them no wider than that. */
  readonly room: number;
  /** Whether the head is bold, and lines are grey. */
  readonly colour: boolean;
}

interface PlacedCell {
  readonly column: number;
  readonly span: number;
  readonly text: string;
}

/** A blank on either side. */
const BLANKS = 2;

/** @param rows the head first; of rows that are too short the rest is empty */
export function paintTable(rows: readonly TableRow[], options: PaintOptions): string {
  const { numeric, colour } = options;
  const placed = rows.map((row) => placedCells(row, options.widths.length));
  const widths = outerWidths(placed, options);
  const grey = (text: string): string => (colour ? `\u001b[90m${text}\u001b[39m` : text);
  const bold = (text: string): string => (colour ? `\u001b[1m${text}\u001b[22m` : text);
  const [side, isRight] = [grey("│"), new Set(numeric)];
  const lines: string[] = [grey(ruled(widths, placed[0], ["┌", "┬", "┐"]))];
  placed.forEach((row, index) => {
    if (index === 1) lines.push(grey(ruled(widths, row, ["├", "┼", "┤"], "┴")));
    const cells = row.map(({ column, span, text }) => {
      const room = spanned(widths, column, span) - BLANKS;
      return { room, isRight: isRight.has(column), lines: wrapped(text, room) };
    });
    const height = Math.max(1, ...cells.map((cell) => cell.lines.length));
    for (let line = 0; line < height; line++) {
      const texts = cells.map((cell) => ` ${padded(cell.lines[line] ?? "", cell.room, cell.isRight)} `);
      lines.push(`${side}${texts.map((text) => (index === 0 ? bold(text) : text)).join(side)}${side}`);
    }
  });
  lines.push(grey(ruled(widths, placed.at(-1), ["└", "┴", "┘"])));
  return lines.join("\n");
}

function placedCells(row: TableRow, columns: number): PlacedCell[] {
  const cells: PlacedCell[] = [];
  let column = 0;
  for (const cell of row) {
    const { content, colSpan } = typeof cell === "string" ? { content: cell, colSpan: 1 } : cell;
    cells.push({ column, span: colSpan, text: content });
    column += colSpan;
  }
  for (; column < columns; column++) cells.push({ column, span: 1, text: "" });
  return cells;
}

/** What cells need, then what cells across columns need besides, as far as there is room. */
function outerWidths(rows: readonly (readonly PlacedCell[])[], { widths: asked, room }: PaintOptions): number[] {
  const widths = asked.map((width) => width ?? BLANKS);
  const across: { readonly cell: PlacedCell; readonly needed: number }[] = [];
  for (const cell of rows.flat()) {
    const needed = naturalWidth(cell.text) + BLANKS;
    if (cell.span > 1) across.push({ cell, needed });
    else if (asked[cell.column] === null) widths[cell.column] = Math.max(widths[cell.column] ?? 0, needed);
  }
  for (const { cell, needed } of across) {
    const free = Math.max(0, room - spanned(widths, 0, widths.length) - 2);
    let more = Math.min(free, needed - spanned(widths, cell.column, cell.span));
    for (let column = cell.column; column < cell.column + cell.span && more > 0; column++) {
      if (asked[column] !== null) continue;
      widths[column] = (widths[column] ?? 0) + more;
      more = 0;
    }
  }
  return widths;
}

/** Of columns beside each other, with the lines between them. */
function spanned(widths: readonly number[], column: number, span: number): number {
  let sum = span - 1;
  for (let i = column; i < column + span; i++) sum += widths[i] ?? 0;
  return sum;
}

/** A line between rows. @param inSpan at the ends of columns where a cell of `row` goes on */
function ruled(
  widths: readonly number[],
  row: readonly PlacedCell[] | undefined,
  [left, joint, right]: readonly [string, string, string],
  inSpan = "─",
): string {
  const begins = new Set(row?.map(({ column }) => column));
  const parts = widths.map((width, column) => {
    const start = column === 0 ? left : begins.has(column) ? joint : inSpan;
    return `${start}${"─".repeat(width)}`;
  });
  return `${parts.join("")}${right}`;
}

function naturalWidth(text: string): number {
  return text.includes("\n") ? Math.max(...text.split("\n").map(displayWidth)) : displayWidth(text);
}

/** Lines of at most so many columns. */
function wrapped(text: string, room: number): string[] {
  return text.split("\n").flatMap((line) => (displayWidth(line) <= room ? [line] : pieces(line, room)));
}

function pieces(line: string, room: number): string[] {
  const all: string[] = [];
  let [piece, width] = ["", 0];
  for (const character of line) {
    const own = displayWidth(character);
    if (width + own > room && piece !== "") {
      all.push(piece.trimEnd());
      // the blank between two words needs no place at the beginning of a line
      [piece, width] = character === " " ? ["", 0] : [character, own];
    } else {
      piece += character;
      width += own;
    }
  }
  return [...all, piece];
}

function padded(text: string, room: number, isRight: boolean): string {
  const blanks = " ".repeat(Math.max(0, room - displayWidth(text)));
  return isRight ? `${blanks}${text}` : `${text}${blanks}`;
}
