/** @file The list of runs, with the monitored curve of the one under the cursor. */
import { epochsText } from "../../records/epochs-text.js";
import { clip, clipMiddle, displayWidth, padTo } from "../tables/display-width.js";
import { cellText } from "../text.js";
import type { RunRecord } from "../../storage/run-record.js";
import type { Grid } from "../screen/grid.js";
import type { ListedValue, WatchData } from "./data.js";
import { ageText, drawChart, metricText, paneTitle, tookText } from "./parts.js";
import type { WatchState } from "./state.js";
import { BOLD, FAINT, INVERSE, stateStyle } from "./style.js";

interface Column {
  readonly title: string;
  readonly width: number;
  readonly isNumeric?: boolean;
  readonly text: (run: RunRecord, value: ListedValue | undefined, now: Date) => string;
}

const NAME: Column = {
  title: "name",
  width: 12,
  text: ({ name, starred }) => `${starred ? "★ " : ""}${cellText(name)}`,
};
/** The first ones that there is room for, in this order of columns. */
const COLUMNS: readonly Column[] = [
  { title: "state", width: 11, text: ({ displayState }) => displayState },
  { title: "epochs", width: 8, isNumeric: true, text: (run) => epochsText(run.epochsDone, run.epochs) },
  { title: "value", width: 10, isNumeric: true, text: (_run, value) => metricText(value?.value) },
  { title: "started", width: 7, isNumeric: true, text: ({ startedAt }, _value, now) => ageText(startedAt, now) },
  { title: "took", width: 7, isNumeric: true, text: (run, _value, now) => tookText(run, now) },
  { title: "monitored by", width: 26, text: (_run, value) => clipMiddle(cellText(value?.monitor ?? ""), 26) },
  { title: "id", width: 20, text: ({ id }) => id },
  { title: "tags", width: 20, text: ({ tags }) => tags.map(cellText).join(", ") },
];
const GAP = 2;
const WIDEST_NAME = 48;
/** Rows of a terminal from which on there is a curve below the list. */
const LEAST_WITH_CURVE = 18;

/** Runs that the list's filter leaves. */
export function shownRuns({ filters }: WatchState, runs: readonly RunRecord[]): readonly RunRecord[] {
  const wanted = filters.list.toLowerCase();
  if (wanted === "") return runs;
  return runs.filter(({ id, name, displayState, tags }) =>
    [id, name, displayState, ...tags].some((text) => text.toLowerCase().includes(wanted)),
  );
}

/** Rows of runs that a terminal shows. */
export function listRows(rows: number): number {
  const curve = rows < LEAST_WITH_CURVE ? 0 : Math.min(18, Math.floor(rows * 0.5));
  return Math.max(1, rows - 3 - curve);
}

export function drawList(grid: Grid, state: WatchState, data: WatchData, hasColour: boolean): void {
  const runs = shownRuns(state, data.runs);
  const rows = listRows(grid.rows);
  const at = Math.max(
    0,
    runs.findIndex(({ id }) => id === state.selected),
  );
  const first = Math.max(0, Math.min(at - Math.floor(rows / 2), runs.length - rows));
  const visible = runs.slice(first, first + rows);
  drawHead(grid, data, runs.length);
  const columns = columnsFor(grid.columns);
  drawRow(
    grid,
    1,
    columns.map((column) => ({ column, text: column.title })),
    () => FAINT,
  );
  if (runs.length === 0) grid.put(2, 2, emptyText(state, data), FAINT);
  const values = data.values(visible);
  for (const [i, run] of visible.entries()) {
    const cells = columns.map((column) => ({ column, text: column.text(run, values.get(run.id), data.now) }));
    drawRow(grid, 2 + i, cells, ({ title }) => (title === "state" ? stateStyle(run.displayState, hasColour) : ""));
    if (first + i === at) grid.restyle(0, 2 + i, grid.columns, INVERSE);
  }
  const selected = runs[at];
  const below = { column: 0, row: 2 + rows, columns: grid.columns, rows: grid.rows - rows - 3 };
  if (selected !== undefined && below.rows > 4) drawPreview(grid, below, selected, data, state, hasColour);
}

function drawHead(grid: Grid, data: WatchData, shown: number): void {
  const running = data.runs.filter(({ displayState }) => displayState === "running").length;
  const count = `${data.isCut ? "newest " : ""}${data.runs.length} run${data.runs.length === 1 ? "" : "s"}`;
  const found = shown === data.runs.length ? count : `${shown} of ${count}`;
  const right = `${found}, ${running} running`;
  grid.put(0, 0, clipMiddle(cellText(data.dir), Math.max(4, grid.columns - displayWidth(right) - 3)), BOLD);
  grid.put(grid.columns - displayWidth(right), 0, right);
}

function emptyText({ filters }: WatchState, { runs, isThere }: WatchData): string {
  if (!isThere) return "waiting for the store to come back";
  return runs.length > 0
    ? `no run matches ${cellText(filters.list)}`
    : "no runs yet: make one with cool run or cool track";
}

function columnsFor(width: number): readonly Column[] {
  const taken = (own: readonly Column[]): number =>
    own.reduce((sum, { width: one }) => sum + GAP + one, NAME.width + 1);
  let count = COLUMNS.length;
  while (count > 0 && taken(COLUMNS.slice(0, count)) > width) count -= 1;
  const own = COLUMNS.slice(0, count);
  const room = Math.min(WIDEST_NAME, NAME.width + width - taken(own));
  return [{ ...NAME, width: room }, ...own];
}

function drawRow(
  grid: Grid,
  row: number,
  cells: readonly { readonly column: Column; readonly text: string }[],
  styleOf: (column: Column) => string,
): void {
  let at = 1;
  for (const { column, text } of cells) {
    const shown = column.title === NAME.title ? clipMiddle(text, column.width) : clip(text, column.width);
    grid.put(
      at,
      row,
      padTo(shown, column.width, column.isNumeric === true ? "right" : "left"),
      styleOf(column),
      column.width,
    );
    at += column.width + GAP;
  }
}

function drawPreview(
  grid: Grid,
  area: { readonly column: number; readonly row: number; readonly columns: number; readonly rows: number },
  run: RunRecord,
  data: WatchData,
  state: WatchState,
  hasColour: boolean,
): void {
  const { best, name } = data.monitored(run);
  const facts = run.error === null ? "" : `: ${cellText(run.error)}`;
  const bestText =
    best === null
      ? ""
      : `, best ${metricText(best.value)} at ${best.epoch === null ? `step ${best.step}` : `epoch ${best.epoch}`}`;
  paneTitle(grid, area, `${cellText(run.name)}${facts === "" ? bestText : facts}`, false);
  const chart =
    data.charts(run).find(({ taskPath, metricName }) => `${taskPath}/${metricName}` === name) ?? data.charts(run)[0];
  const rest = { ...area, row: area.row + 1, rows: area.rows - 1 };
  if (chart === undefined) grid.put(2, area.row + 2, "no curves yet", FAINT);
  else drawChart(grid, rest, chart, run, data, { ...state, hasColour });
}
