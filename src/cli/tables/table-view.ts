/** @file A table that a person moves through, as a pure state machine: key → state, state → lines of text. */
import { clip, displayWidth, padTo } from "./display-width.js";

export interface ViewRow {
  readonly cells: readonly string[];
  /** What each column is sorted by; null goes last. */
  readonly sortKeys: readonly (string | number | null)[];
  /** Whether the row's values are not all the same. */
  readonly differs: boolean;
}

export interface ViewTable {
  readonly title: string;
  readonly head: readonly string[];
  /** Columns to align right. */
  readonly numeric: readonly number[];
  readonly rows: readonly ViewRow[];
}

export interface ViewState {
  /** Place among the rows and columns that are shown. */
  readonly row: number;
  readonly column: number;
  readonly sort: { readonly column: number; readonly descending: boolean } | null;
  /** Indices in the table. */
  readonly hiddenRows: ReadonlySet<number>;
  readonly hiddenColumns: ReadonlySet<number>;
  readonly onlyDifferences: boolean;
  readonly filter: string;
  /** Whether keys are letters of the filter. */
  readonly isTyping: boolean;
  /** Whether the keys are explained, in place of the table. */
  readonly isHelp: boolean;
}

/** A key as readline names it. */
export interface Key {
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly shift?: boolean | undefined;
  readonly meta?: boolean | undefined;
}

export const INITIAL_STATE: ViewState = {
  row: 0,
  column: 0,
  sort: null,
  hiddenRows: new Set(),
  hiddenColumns: new Set(),
  onlyDifferences: false,
  filter: "",
  isTyping: false,
  isHelp: false,
};

export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
}

/** The state after a key; null: the view is closed. Rows of a page are those that the size has room for. */
export function nextState(table: ViewTable, state: ViewState, key: Key, size: ViewSize): ViewState | null {
  if (key.ctrl === true && (key.name === "c" || key.name === "d")) return null;
  // any key but the one that ends it all leads back
  if (state.isHelp && key.name !== "q") return { ...state, isHelp: false };
  const changed = state.isTyping ? typeFilter(state, key) : command(table, state, key, size);
  return changed === null ? null : withinBounds(table, changed);
}

function typeFilter(state: ViewState, key: Key): ViewState {
  switch (key.name) {
    case "return":
    case "enter":
      return { ...state, isTyping: false };
    case "escape":
      return { ...state, isTyping: false, filter: "" };
    case "backspace":
      return { ...state, filter: [...state.filter].slice(0, -1).join(""), row: 0 };
    default: {
      const text = key.sequence ?? "";
      const isText = text !== "" && key.ctrl !== true && key.meta !== true && !/\p{Cc}/u.test(text);
      return isText ? { ...state, filter: state.filter + text, row: 0 } : state;
    }
  }
}

function command(table: ViewTable, state: ViewState, key: Key, size: ViewSize): ViewState | null {
  const page = bodyRows(size);
  const { row, column } = state;
  if (key.sequence === "?") return { ...state, isHelp: true };
  if (key.sequence === "G") return { ...state, row: table.rows.length };
  switch (key.name ?? key.sequence) {
    case "q":
      return null;
    case "k":
    case "up":
      return { ...state, row: row - 1 };
    case "j":
    case "down":
      return { ...state, row: row + 1 };
    case "left":
      return { ...state, column: column - 1 };
    case "right":
      return { ...state, column: column + 1 };
    case "pageup":
      return { ...state, row: row - page };
    case "pagedown":
    case "space":
      return { ...state, row: row + page };
    case "g":
    case "home":
      return { ...state, row: 0 };
    case "end":
      return { ...state, row: table.rows.length };
    case "s":
      return { ...state, sort: nextSort(state, shownColumns(table, state)[column] ?? 0) };
    case "h":
      return key.shift === true || key.sequence === "H" ? hideColumn(table, state) : hideRow(table, state);
    case "u":
      return { ...state, hiddenRows: new Set(), hiddenColumns: new Set() };
    case "d":
      return { ...state, onlyDifferences: !state.onlyDifferences };
    case "escape":
      return { ...state, filter: "" };
    case "/":
      return { ...state, isTyping: true };
    default:
      return key.sequence === "/" ? { ...state, isTyping: true } : state;
  }
}

/** Ascending, then descending, then the table's own order. */
function nextSort({ sort }: ViewState, column: number): ViewState["sort"] {
  if (sort?.column !== column) return { column, descending: false };
  return sort.descending ? null : { column, descending: true };
}

function hideRow(table: ViewTable, state: ViewState): ViewState {
  const index = shownRows(table, state)[state.row];
  return index === undefined ? state : { ...state, hiddenRows: new Set([...state.hiddenRows, index]) };
}

/** The first column stays: it names the rows. */
function hideColumn(table: ViewTable, state: ViewState): ViewState {
  const index = shownColumns(table, state)[state.column];
  if (index === undefined || index === 0) return state;
  return { ...state, hiddenColumns: new Set([...state.hiddenColumns, index]) };
}

function withinBounds(table: ViewTable, state: ViewState): ViewState {
  const clamp = (value: number, length: number): number => Math.max(0, Math.min(value, length - 1));
  return {
    ...state,
    row: clamp(state.row, shownRows(table, state).length),
    column: clamp(state.column, shownColumns(table, state).length),
  };
}

/** Indices of the rows that are shown, in their order. */
export function shownRows(table: ViewTable, state: ViewState): number[] {
  const wanted = state.filter.toLowerCase();
  const shown = table.rows.flatMap((row, index) => {
    const isShown =
      !state.hiddenRows.has(index) &&
      (!state.onlyDifferences || row.differs) &&
      (wanted === "" || row.cells.some((cell) => cell.toLowerCase().includes(wanted)));
    return isShown ? [index] : [];
  });
  const { sort } = state;
  if (sort === null) return shown;
  const keyOf = (index: number): string | number | null => table.rows[index]?.sortKeys[sort.column] ?? null;
  return shown.sort((a, b) => compareKeys(keyOf(a), keyOf(b), sort.descending));
}

/** Numbers before texts; what is missing last in either direction. */
function compareKeys(a: string | number | null, b: string | number | null, descending: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const ascending =
    typeof a === "number" && typeof b === "number"
      ? a - b
      : typeof a === typeof b
        ? String(a).localeCompare(String(b), "en", { numeric: true })
        : typeof a === "number"
          ? -1
          : 1;
  return descending ? -ascending : ascending;
}

function shownColumns(table: ViewTable, state: ViewState): number[] {
  return table.head.map((_, index) => index).filter((index) => !state.hiddenColumns.has(index));
}

/** How parts of the view stand out. */
export interface ViewStyle {
  readonly cursor: (text: string) => string;
  readonly heading: (text: string) => string;
  readonly faint: (text: string) => string;
  /** The best cell of a row. */
  readonly best: (text: string) => string;
}

const WIDEST_CELL = 44;
const HELP = "? help · arrows move · s sort · / filter · d only differences · h hide · q quit";

const KEYS: readonly (readonly [string, string])[] = [
  ["arrows, j k", "move by a row or a column"],
  ["page up, page down, space", "move by a page"],
  ["g G, home end", "first row, last row"],
  ["s", "sort by the column: up, down, as it was"],
  ["/", "show rows that hold a text; escape shows all again"],
  ["d", "show only rows whose values differ"],
  ["h", "hide the row"],
  ["H", "hide the column; the first one stays"],
  ["u", "show what was hidden"],
  ["q, Ctrl-C", "close"],
];
/** Title, head, status, help. */
const FRAME_ROWS = 4;

function bodyRows(size: ViewSize): number {
  return Math.max(1, size.rows - FRAME_ROWS);
}

/** The lines that fill a terminal of the given size; each is at most as wide. */
export function renderView(table: ViewTable, state: ViewState, size: ViewSize, style: ViewStyle): string[] {
  if (state.isHelp) return helpScreen(table, size, style);
  const rows = shownRows(table, state);
  const columns = visibleColumns(table, state, size.columns);
  const first = firstRow(state.row, rows.length, bodyRows(size));
  const body = rows.slice(first, first + bodyRows(size)).map((index, i) => {
    const isCursorRow = first + i === state.row;
    return line(columns, size.columns, ({ index: column, width, align, isCursor }) => {
      const cell = table.rows[index]?.cells[column] ?? "";
      const text = padTo(cell, width, align);
      if (isCursorRow && isCursor) return style.cursor(text);
      return table.numeric.includes(column) && cell.endsWith(BEST) ? style.best(text) : text;
    });
  });
  const head = line(columns, size.columns, ({ index, width, align }) =>
    style.heading(padTo(headText(table, state, index), width, align)),
  );
  const filler = Array.from({ length: Math.max(0, bodyRows(size) - body.length) }, () => "");
  return [
    clip(table.title, size.columns),
    head,
    ...body,
    ...filler,
    clip(statusLine(table, state, rows.length), size.columns),
    style.faint(clip(HELP, size.columns)),
  ];
}

/** Ends the best cell of a row. */
const BEST = "•";

function helpScreen({ title }: ViewTable, size: ViewSize, style: ViewStyle): string[] {
  const keys = KEYS.map(([key, meaning]) => clip(`  ${key.padEnd(27)}${meaning}`, size.columns));
  const body = keys.slice(0, bodyRows(size));
  const filler = Array.from({ length: bodyRows(size) - body.length }, () => "");
  const [top, bottom] = [clip(title, size.columns), clip("any other key: back to the table", size.columns)];
  return [top, style.heading(clip("keys", size.columns)), ...body, ...filler, "", style.faint(bottom)];
}

interface VisibleColumn {
  /** In the table. */
  readonly index: number;
  readonly width: number;
  readonly align: "left" | "right";
  readonly isCursor: boolean;
}

const GAP = "  ";

/** The first column always, then as many as fit, up to the one with the cursor or beyond. */
function visibleColumns(table: ViewTable, state: ViewState, terminalColumns: number): VisibleColumn[] {
  const shown = shownColumns(table, state).map(
    (index, place): VisibleColumn => ({
      index,
      width: Math.min(widthOf(table, state, index), WIDEST_CELL, terminalColumns),
      align: table.numeric.includes(index) ? "right" : "left",
      isCursor: place === state.column,
    }),
  );
  const [fixed, ...others] = shown;
  if (fixed === undefined) return [];
  const room = terminalColumns - fixed.width;
  const wideness = (some: readonly VisibleColumn[]): number =>
    some.reduce((sum, { width }) => sum + GAP.length + width, 0);
  // scrolled just so far that the column with the cursor is whole
  let start = 0;
  while (start < state.column - 1 && wideness(others.slice(start, state.column)) > room) start++;
  let end = Math.max(start + 1, state.column);
  while (end < others.length && wideness(others.slice(start, end + 1)) <= room) end++;
  return [fixed, ...others.slice(start, end)];
}

function widthOf(table: ViewTable, state: ViewState, index: number): number {
  return table.rows.reduce(
    (width, { cells }) => Math.max(width, displayWidth(cells[index] ?? "")),
    displayWidth(headText(table, state, index)),
  );
}

function headText(table: ViewTable, { sort }: ViewState, index: number): string {
  const mark = sort?.column === index ? (sort.descending ? " ▼" : " ▲") : "";
  return `${table.head[index] ?? ""}${mark}`;
}

/** A column that the terminal has no whole room for is cut. */
function line(columns: readonly VisibleColumn[], width: number, cell: (column: VisibleColumn) => string): string {
  let left = width;
  return columns
    .flatMap((column, i) => {
      const room = left - (i === 0 ? 0 : GAP.length);
      left = room - column.width;
      return room <= 0 ? [] : [cell({ ...column, width: Math.min(column.width, room) })];
    })
    .join(GAP);
}

/** Keeps the cursor in the middle third where the table is longer than the page. */
function firstRow(row: number, count: number, page: number): number {
  return Math.max(0, Math.min(row - Math.floor(page / 2), count - page));
}

function statusLine(table: ViewTable, state: ViewState, shown: number): string {
  const place = shown === 0 ? "no rows" : `row ${state.row + 1} of ${shown}`;
  const parts = [
    shown === table.rows.length ? place : `${place} (${table.rows.length} in all)`,
    ...(state.onlyDifferences ? ["only differences"] : []),
    ...(state.hiddenColumns.size > 0 ? [`${state.hiddenColumns.size} columns hidden`] : []),
    ...(state.isTyping ? [`filter: ${state.filter}_`] : state.filter === "" ? [] : [`filter: ${state.filter}`]),
  ];
  return parts.join(" · ");
}
