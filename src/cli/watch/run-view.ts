/** @file One run: its curves, active rows, the machine's load and the end of its output. */
import { epochsText } from "../../records/epochs-text.js";
import { clip, clipMiddle, displayWidth, padTo } from "../tables/display-width.js";
import { cellText } from "../text.js";
import type { RunRecord } from "../../storage/run-record.js";
import type { Trace, WatchedChart } from "../../watching/watched-run.js";
import type { Grid } from "../screen/grid.js";
import type { WatchData } from "./data.js";
import { type Area, drawChart, metricText, paneTitle, sparkline, tookText } from "./parts.js";
import type { Pane, WatchState } from "./state.js";
import { BOLD, FAINT, stateStyle } from "./style.js";

const CHART_COLUMNS = 39;
const CHART_ROWS = 9;
const HEAD_ROWS = 2;

export interface RunLayout {
  readonly areas: Readonly<Record<Pane, Area>>;
  readonly across: number;
  readonly down: number;
}

/** Where the panes are; the curves have what the others leave. */
export function runLayout(columns: number, rows: number): RunLayout {
  const body = rows - HEAD_ROWS - 1;
  const log = Math.max(3, Math.min(12, Math.floor(body / 4)));
  const middle = body < 16 ? 0 : Math.max(5, Math.min(12, Math.floor(body / 4)));
  const curves = Math.max(3, body - log - middle);
  const half = Math.floor(columns / 2);
  const row = HEAD_ROWS + curves;
  return {
    areas: {
      curves: { column: 0, row: HEAD_ROWS, columns, rows: curves },
      active: { column: 0, row, columns: half, rows: middle },
      load: { column: half + 1, row, columns: columns - half - 1, rows: middle },
      log: { column: 0, row: row + middle, columns, rows: log },
    },
    across: Math.max(1, Math.floor(columns / CHART_COLUMNS)),
    down: Math.max(1, Math.floor((curves - 1) / CHART_ROWS)),
  };
}

const includes = (text: string, wanted: string): boolean => text.toLowerCase().includes(wanted.toLowerCase());

/** Charts that the filter leaves; without one those of single labels are left out. */
export function shownCharts(charts: readonly WatchedChart[], filter: string): readonly WatchedChart[] {
  const nameOf = ({ taskPath, metricName }: WatchedChart): string => `${taskPath}/${metricName}`;
  if (filter !== "") return charts.filter((chart) => includes(nameOf(chart), filter));
  return charts.filter(({ metricName }) => !metricName.includes("/"));
}

/** What each pane has to show, narrowed to its filter. */
export function runContent({ filters }: WatchState, run: RunRecord, data: WatchData) {
  const named = (traces: readonly Trace[], wanted: string): readonly Trace[] =>
    traces.filter(({ name }) => includes(name, wanted));
  return {
    curves: shownCharts(data.charts(run), filters.curves),
    active: named(data.activeRows(run), filters.active),
    load: named(data.load(run), filters.load),
    log: data.output(run).filter((line) => includes(line, filters.log)),
  };
}
export type RunContent = ReturnType<typeof runContent>;

/** How far each pane can be scrolled. */
export function scrollEnds({ areas, across, down }: RunLayout, content: RunContent): Readonly<Record<Pane, number>> {
  const end = (pane: Exclude<Pane, "curves">): number => Math.max(0, content[pane].length - pageRows(areas[pane]));
  return {
    curves: Math.max(0, Math.ceil(content.curves.length / across) - down),
    ...{ active: end("active"), load: end("load"), log: end("log") },
  };
}

/** Rows of a pane below its title. */
export function pageRows({ rows }: Area): number {
  return Math.max(1, rows - 1);
}

/** The state of a terminal that has become wider, or of a run that has less to show: no pane stands behind its end. */
function withinEnds(state: WatchState, ends: Readonly<Record<Pane, number>>): WatchState {
  const { curves, active, load, log } = state.scroll;
  const scroll = {
    ...{ curves: Math.min(curves, ends.curves), active: Math.min(active, ends.active) },
    ...{ load: Math.min(load, ends.load), log: Math.min(log, ends.log) },
  };
  return { ...state, scroll };
}

export function drawRun(grid: Grid, wanted: WatchState, run: RunRecord, data: WatchData, hasColour: boolean): void {
  const layout = runLayout(grid.columns, grid.rows);
  const content = runContent(wanted, run, data);
  const state = withinEnds(wanted, scrollEnds(layout, content));
  drawFacts(grid, run, data, hasColour);
  drawCurves(grid, state, layout, content, { run, data, hasColour });
  if (layout.areas.active.rows > 0) {
    const rows = "active rows per epoch";
    drawTraces(grid, layout.areas.active, state, "active", rows, content.active, "none are told");
    drawTraces(grid, layout.areas.load, state, "load", "load of the machine", content.load, "not measured yet");
  }
  drawLog(grid, layout.areas.log, state, content.log);
}

function drawFacts(grid: Grid, run: RunRecord, data: WatchData, hasColour: boolean): void {
  const { name, last, best } = data.monitored(run);
  const width = grid.columns;
  const state = run.deletedAt === null ? run.displayState : `${run.displayState}, in the trash`;
  const epochs = run.epochs === null && run.epochsDone === 0 ? "" : `epoch ${epochsText(run.epochsDone, run.epochs)}  `;
  const right = `${epochs}${tookText(run, data.now)}`;
  const room = Math.max(4, width - displayWidth(state) - displayWidth(right) - 5);
  let at = grid.put(0, 0, clipMiddle(`${run.starred ? "★ " : ""}${cellText(run.name)}`, room), BOLD);
  at = grid.put(at + 2, 0, state, stateStyle(run.displayState, hasColour));
  grid.put(Math.max(at + 2, width - displayWidth(right)), 0, right);
  if (run.error !== null) {
    grid.put(0, 1, clip(cellText(run.error), width), hasColour ? "31" : "");
    return;
  }
  const bestText =
    best === null
      ? ""
      : `, best ${metricText(best.value)} (${best.epoch === null ? `step ${best.step}` : `epoch ${best.epoch}`})`;
  const own = `${last?.split ?? "valid"}/${cellText(name)} ${metricText(last?.value)}${bestText}`;
  const facts = [own, run.backend, run.id, ...run.tags.map(cellText)].filter((part) => part !== null);
  grid.put(0, 1, clip(facts.join("  "), width));
}

function drawCurves(
  grid: Grid,
  state: WatchState,
  { areas: { curves: area }, across, down }: RunLayout,
  { curves }: RunContent,
  { run, data, hasColour }: { readonly run: RunRecord; readonly data: WatchData; readonly hasColour: boolean },
): void {
  const first = state.scroll.curves * across;
  const shown = curves.slice(first, first + across * down);
  const place = shown.length === 0 ? "" : ` ${first + 1}–${first + shown.length} of ${curves.length}`;
  const marks = `${state.isLog ? ", log" : ""}${state.smoothing > 0 ? `, smoothed ${state.smoothing}` : ""}`;
  paneTitle(grid, area, `curves${place}${marks}${filterText(state, "curves")}`, state.pane === "curves");
  if (shown.length === 0)
    grid.put(2, area.row + 1, state.filters.curves === "" ? "no curves yet" : "no curve matches", FAINT);
  // a few charts share the whole width
  const columns = Math.floor(area.columns / Math.max(1, Math.min(across, curves.length)));
  const rows = Math.floor((area.rows - 1) / down);
  for (const [i, chart] of shown.entries()) {
    const [across0, down0] = [i % across, Math.floor(i / across)];
    const own = { column: across0 * columns, row: area.row + 1 + down0 * rows, columns: columns - 1, rows };
    drawChart(grid, own, chart, run, data, { ...state, hasColour });
  }
}

const filterText = ({ filters }: WatchState, pane: Pane): string =>
  filters[pane] === "" ? "" : ` /${cellText(filters[pane])}`;

const VALUE_COLUMNS = 9;
/** Which the value is followed by. */
const UNIT = /_(?:percent|mb|gb)$/;

function drawTraces(
  grid: Grid,
  area: Area,
  state: WatchState,
  pane: "active" | "load",
  title: string,
  traces: readonly Trace[],
  empty: string,
): void {
  const rows = area.rows - 1;
  const shown = traces.slice(state.scroll[pane], state.scroll[pane] + rows);
  const place =
    traces.length > rows ? ` ${state.scroll[pane] + 1}–${state.scroll[pane] + shown.length} of ${traces.length}` : "";
  paneTitle(grid, area, `${title}${place}${filterText(state, pane)}`, state.pane === pane);
  if (shown.length === 0) grid.put(area.column + 2, area.row + 1, empty, FAINT, area.columns - 2);
  const nameOf = (trace: Trace): string => cellText(pane === "load" ? trace.name.replace(UNIT, "") : trace.name);
  const nameColumns = Math.min(
    Math.max(...shown.map((trace) => displayWidth(nameOf(trace))), 4),
    Math.max(8, Math.floor(area.columns * 0.5)),
  );
  const bars = area.columns - nameColumns - VALUE_COLUMNS - 3;
  for (const [i, trace] of shown.entries()) {
    const { name, values } = trace;
    const row = area.row + 1 + i;
    grid.put(area.column, row, padTo(endOf(nameOf(trace), nameColumns), nameColumns), "", area.columns);
    const value = loadText(name, values.at(-1));
    grid.put(area.column + nameColumns + 1, row, padTo(value, VALUE_COLUMNS, "right"), BOLD, VALUE_COLUMNS);
    if (bars > 0) {
      const bounds: readonly [number, number] | undefined =
        name.endsWith("percent") && name !== "process_cpu_percent" ? [0, 100] : undefined;
      grid.put(area.column + nameColumns + VALUE_COLUMNS + 2, row, sparkline(values, bars, bounds), FAINT, bars);
    }
  }
}

/** The end of a path tells it from others. */
function endOf(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  const reversed = [...text].reverse().join("");
  return `…${[...clip(reversed, columns)].slice(0, -1).reverse().join("")}`;
}

function loadText(name: string, value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "–";
  if (name.endsWith("percent")) return `${value.toFixed(0)} %`;
  if (name.endsWith("_mb")) return value >= 1e4 ? `${(value / 1000).toFixed(1)} GB` : `${value.toFixed(0)} MB`;
  if (name.endsWith("_gb")) return `${value.toFixed(1)} GB`;
  return Number.isInteger(value) ? String(value) : metricText(value);
}

function drawLog(grid: Grid, area: Area, state: WatchState, lines: readonly string[]): void {
  const rows = area.rows - 1;
  const end = Math.max(0, lines.length - state.scroll.log);
  const shown = lines.slice(Math.max(0, end - rows), end);
  const place = state.scroll.log > 0 ? `, ${state.scroll.log} lines from the end` : "";
  paneTitle(grid, area, `output${place}${filterText(state, "log")}`, state.pane === "log");
  if (shown.length === 0)
    grid.put(2, area.row + 1, state.filters.log === "" ? "nothing printed yet" : "no line matches", FAINT);
  for (const [i, line] of shown.entries()) grid.put(0, area.row + 1 + i, clip(line, area.columns));
}
