/** @file State and data → one picture of the terminal, and the places that keys move among. */
import { clip } from "../tables/display-width.js";
import { cellText } from "../text.js";
import type { Size } from "../screen/terminal.js";
import { Grid } from "../screen/grid.js";
import type { WatchData } from "./data.js";
import { drawList, listRows, shownRuns } from "./list-view.js";
import { drawRun, pageRows, runContent, runLayout, scrollEnds } from "./run-view.js";
import type { Pane, WatchPlaces, WatchState } from "./state.js";
import { BOLD, FAINT, INVERSE } from "./style.js";

const LEAST: Size = { columns: 30, rows: 8 };

const KEYS: readonly (readonly [string, string])[] = [
  ["j k, arrows", "move, or scroll the pane with the bright title"],
  ["page up, page down", "by a page (Ctrl-B, Ctrl-F)"],
  ["g G, home end", "to the first, to the last"],
  ["enter, right", "open the run"],
  ["escape, left", "back to the list"],
  ["n p", "the next run, the one before"],
  ["tab, shift-tab", "the next pane: curves, active rows, load, output"],
  ["/", "search runs, curves, rows or lines; escape shows all again"],
  ["s", "order of the list: newest, name, state, lowest value, highest value"],
  ["l m", "a logarithmic axis; smoothing (0.6, 0.9, none)"],
  ["space", "pause, and go on"],
  ["Ctrl-Z", "suspend; fg comes back"],
  ["q, Ctrl-C", "quit"],
];

export function drawWatch(state: WatchState, data: WatchData, size: Size, hasColour: boolean): Grid {
  const grid = new Grid(size.columns, size.rows);
  if (size.columns < LEAST.columns || size.rows < LEAST.rows) {
    grid.put(0, 0, clip(`too small: ${LEAST.columns} × ${LEAST.rows} at least`, size.columns));
    return grid;
  }
  const run = state.open === null ? null : data.run(state.open);
  if (state.isHelp) drawHelp(grid);
  else if (state.open === null) drawList(grid, state, data, hasColour);
  else if (run === null) grid.put(0, 0, "The run was deleted. escape: back to the list", BOLD);
  else drawRun(grid, state, run, data, hasColour);
  drawStatus(grid, state, data);
  return grid;
}

function drawHelp(grid: Grid): void {
  grid.put(0, 0, "cool watch", BOLD);
  for (const [i, [keys, meaning]] of KEYS.slice(0, grid.rows - 3).entries()) {
    grid.put(2, 2 + i, keys, BOLD);
    grid.put(24, 2 + i, clip(meaning, Math.max(1, grid.columns - 24)));
  }
}

function drawStatus(grid: Grid, state: WatchState, data: WatchData): void {
  const row = grid.rows - 1;
  const filter = state.filters[state.open === null ? "list" : state.pane];
  if (state.isTyping) {
    grid.put(0, row, clip(`/${cellText(filter)}_`, grid.columns), BOLD);
    return;
  }
  const parts = state.isHelp
    ? ["any key: back"]
    : state.open === null
      ? [
          "? help",
          "enter open",
          filter === "" ? "/ search" : `/${cellText(filter)}`,
          `s order: ${state.order}`,
          "space pause",
          "q quit",
        ]
      : ["? help", "esc list", "tab panes", "/ search", "l log", "m smooth", "n p runs", "q quit"];
  const text = clip(parts.join("  "), grid.columns);
  const warning = data.isThere ? (state.isPaused ? "PAUSED" : "") : "THE STORE IS GONE";
  grid.put(0, row, text, FAINT);
  if (warning !== "") grid.put(Math.max(0, grid.columns - warning.length - 2), row, ` ${warning} `, INVERSE);
}

/** What keys move among, for the picture that is shown. */
export function placesOf(state: WatchState, data: WatchData, size: Size): WatchPlaces {
  const ids = shownRuns(state, data.runs).map(({ id }) => id);
  const layout = runLayout(size.columns, size.rows);
  const page = (pane: Exclude<Pane, "curves">): number => pageRows(layout.areas[pane]);
  const run = state.open === null ? null : data.run(state.open);
  return {
    ids,
    listPage: listRows(size.rows),
    pages: { curves: layout.down, active: page("active"), load: page("load"), log: page("log") },
    ends: run === null ? { curves: 0, active: 0, load: 0, log: 0 } : scrollEnds(layout, runContent(state, run, data)),
  };
}
