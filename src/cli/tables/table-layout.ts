/** @file Which columns of a table a terminal has room for, and how wide each may be. */
import { displayWidth } from "./display-width.js";

/** A cell, or one across several columns. */
export type TableCell = string | { readonly content: string; readonly colSpan: number };
export type TableRow = readonly TableCell[];

/** Columns of a terminal that nobody has widened, and of output that goes to no terminal. */
export const TERMINAL = 80;

let isWide = false;

/** Lets tables be as wide as their cells (`--wide`). */
export function setWide(wide: boolean): void {
  isWide = wide;
}

/** Columns that tables fit into: those of the terminal, of `COLUMNS`, or 80; without end where all are asked for. */
export function tableColumns(): number {
  if (isWide) return Number.POSITIVE_INFINITY;
  const { isTTY, columns } = process.stdout;
  if (isTTY && columns > 0) return columns;
  const asked = Number(process.env.COLUMNS);
  return Number.isInteger(asked) && asked > 0 ? asked : TERMINAL;
}

// ids, times and most names stay on one line
const NARROWEST = 24;
// where nothing but labels is left: as narrow as words are read in
const NARROWEST_LABEL = 10;
// a blank on either side and a border
const AROUND = 3;

/**
 * Texts are wrapped first, down to `narrowest` columns; then columns are left out from the right, but for labels; then labels are
 * wrapped further.
 * @param rows the head first
 * @param options.numeric columns that are never wrapped
 * @param options.labels so many first columns stay
 * @param options.room columns of the terminal
 * @param options.narrowest default 24
 * @returns how wide the texts may be of each column that is shown, the first ones
 */
export function layOut(
  rows: readonly TableRow[],
  options: {
    readonly numeric: readonly number[];
    readonly labels: number;
    readonly room: number;
    readonly narrowest?: number | undefined;
  },
): number[] {
  const { numeric, labels, room, narrowest = NARROWEST } = options;
  const natural = naturalWidths(rows);
  let shown = natural;
  let widths = narrowed(shown, { numeric, room, narrowest });
  while (taken(widths) > room && shown.length > labels) {
    shown = shown.slice(0, -1);
    widths = narrowed(shown, { numeric, room, narrowest });
  }
  if (taken(widths) > room) widths = narrowed(shown, { numeric, room, narrowest: NARROWEST_LABEL });
  return withSpans(widths, rows, room);
}

/** Whether all columns fit. */
export function fits(head: readonly string[], rows: readonly TableRow[], numeric: readonly number[]): boolean {
  const room = tableColumns();
  return taken(narrowed(naturalWidths([head, ...rows]), { numeric, room, narrowest: NARROWEST })) <= room;
}

/** A row with its first columns alone: one cell that spans columns spans those that are left. */
export function shownCells(row: TableRow, columns: number): TableCell[] {
  let column = 0;
  return row.flatMap((cell): TableCell[] => {
    const first = column;
    const span = typeof cell === "string" ? 1 : cell.colSpan;
    column += span;
    const left = Math.min(column, columns) - first;
    if (left <= 0) return [];
    return [typeof cell === "string" ? cell : { content: cell.content, colSpan: left }];
  });
}

function naturalWidths(rows: readonly TableRow[]): number[] {
  return (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => {
      const cell = row[column];
      return typeof cell === "string" ? Math.max(widest, ...cell.split("\n").map(displayWidth)) : widest;
    }, 0),
  );
}

/** Cells across columns make the first of them wider, as far as there is room. */
function withSpans(widths: readonly number[], rows: readonly TableRow[], room: number): number[] {
  const wider = [...widths];
  for (const row of rows) {
    let column = 0;
    for (const cell of shownCells(row, widths.length)) {
      const first = column;
      column += typeof cell === "string" ? 1 : cell.colSpan;
      if (typeof cell === "string") continue;
      const needed = Math.max(...cell.content.split("\n").map(displayWidth)) - spannedWidth(wider, first, column);
      if (needed > 0) wider[first] = (wider[first] ?? 0) + Math.max(0, Math.min(needed, room - taken(wider)));
    }
  }
  return wider;
}

/** Of columns beside each other, with the borders and blanks between them. */
export function spannedWidth(widths: readonly number[], from: number, to: number): number {
  return widths.slice(from, to).reduce((sum, width) => sum + width + AROUND, -AROUND);
}

const taken = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width + AROUND, 1);

/** Column by column the widest text one narrower, until the row fits or all are as narrow as may be. */
function narrowed(
  natural: readonly number[],
  options: { readonly numeric: readonly number[]; readonly room: number; readonly narrowest: number },
): number[] {
  const { numeric, room, narrowest } = options;
  const widths = [...natural];
  while (taken(widths) > room) {
    const wide = widths.map((width, i) => (numeric.includes(i) ? 0 : width));
    const widest = Math.max(...wide);
    if (widest <= narrowest) break;
    widths[wide.indexOf(widest)] = widest - 1;
  }
  return widths;
}
