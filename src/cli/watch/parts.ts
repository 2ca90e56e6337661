/** @file Pieces of the views: titles of panes, charts, sparklines, times. */
import { haveOwnEpochs } from "../../comparing/epoch-axis.js";
import type { PlotCurve } from "../../plotting/curve.js";
import { smooth } from "../../plotting/smooth.js";
import { letterOf, textChart } from "../../plotting/text-chart.js";
import { timeLabel, valueLabel } from "../../plotting/ticks.js";
import { type RunRecord, secondsUntil } from "../../storage/run-record.js";
import type { WatchedChart } from "../../watching/watched-run.js";
import { formatMetric } from "../tables/tables.js";
import { clip, clipMiddle, displayWidth } from "../tables/display-width.js";
import { cellText } from "../text.js";
import type { Grid } from "../screen/grid.js";
import type { WatchData } from "./data.js";
import { BOLD, chartStyle, FAINT, PLAIN } from "./style.js";

export interface Area {
  readonly column: number;
  readonly row: number;
  readonly columns: number;
  readonly rows: number;
}

/** A line over a pane with its name. */
export function paneTitle(grid: Grid, area: Area, title: string, isFocused: boolean): void {
  const { column, row, columns } = area;
  grid.put(column, row, "─".repeat(columns), isFocused ? PLAIN : FAINT, columns);
  grid.put(column + 1, row, ` ${clip(title, Math.max(1, columns - 4))} `, isFocused ? BOLD : FAINT, columns - 2);
}

export interface ChartOptions {
  readonly isLog: boolean;
  readonly smoothing: number;
  readonly hasColour: boolean;
}

/** Name and last values of a metric, over its curves. */
export function drawChart(
  grid: Grid,
  area: Area,
  chart: WatchedChart,
  run: RunRecord,
  data: WatchData,
  options: ChartOptions,
): void {
  const { column, row, columns, rows } = area;
  const read = chart.curves.map((name) => data.points(run, name));
  const hasEpochs = read.every(haveOwnEpochs);
  const curves = read.map((points, i): PlotCurve => {
    const raw = points.map(({ step, epoch, value }) => ({
      x: hasEpochs ? (epoch ?? step) : step,
      y: value ?? Number.NaN,
    }));
    const shown = smooth(raw, options.smoothing);
    return { name: chart.curves[i]?.split ?? "", points: shown, ...(options.smoothing > 0 ? { raw } : {}) };
  });
  const title = cellText(`${chart.taskPath}/${chart.metricName}`);
  const values = lastValues(curves, columns - displayWidth(title), options.hasColour);
  const taken = values.reduce((sum, text) => sum + 2 + displayWidth(text), 0);
  let at = grid.put(column, row, clipMiddle(title, Math.max(8, columns - taken)), BOLD, columns);
  for (const [i, text] of values.entries()) {
    at = grid.put(at + 2, row, text, chartStyle(i, options.hasColour), column + columns - at - 2);
  }
  const lines = textChart(curves, {
    ...{ width: columns, height: rows - 1, log: options.isLog, colour: options.hasColour },
    ...{ xUnit: "whole", xLabel: hasEpochs ? "epoch" : "step" },
  });
  for (const [i, line] of lines.entries()) {
    let place = column;
    for (const { text, role } of line)
      place = grid.put(place, row + 1 + i, text, chartStyle(role, options.hasColour), column + columns - place);
  }
}

/** What each curve came to last; where there is little room, splits by their first two letters. */
function lastValues(curves: readonly PlotCurve[], room: number, hasColour: boolean): string[] {
  const texts = (length: number): string[] =>
    curves.map(({ name, points }, i) => {
      const last = points.at(-1);
      const mark = hasColour || curves.length === 1 ? "" : `${letterOf(i)} `;
      return `${mark}${name.slice(0, length)} ${last === undefined ? "–" : valueLabel(last.y)}`;
    });
  const long = texts(5);
  return long.reduce((sum, text) => sum + 2 + displayWidth(text), 0) <= room ? long : texts(2);
}

const BARS = "▁▂▃▄▅▆▇█";

/** The last values as bars. @param bounds default: those of the values */
export function sparkline(values: readonly number[], columns: number, bounds?: readonly [number, number]): string {
  const shown = values.slice(-columns);
  const finite = shown.filter(Number.isFinite);
  const [low, high] = bounds ?? [Math.min(...finite), Math.max(...finite)];
  return shown
    .map((value) => {
      if (!Number.isFinite(value)) return " ";
      const share = high > low ? (value - low) / (high - low) : 0.5;
      return BARS[Math.max(0, Math.min(BARS.length - 1, Math.floor(share * BARS.length)))] ?? " ";
    })
    .join("");
}

export function metricText(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (Number.isNaN(value)) return "NaN";
  const size = Math.abs(value);
  return Number.isFinite(value) && size < 1e6 && (size >= 1e-4 || value === 0)
    ? formatMetric(value)
    : valueLabel(value);
}

/** How long ago: `now`, `3m`, `2h05`, `5d`. */
export function ageText(time: string, now: Date): string {
  const seconds = (now.getTime() - Date.parse(time)) / 1000;
  if (seconds < 60) return "now";
  return timeLabel(seconds < 86_400 ? Math.floor(seconds / 60) * 60 : Math.floor(seconds / 86_400) * 86_400);
}

/** How long a run has trained. */
export function tookText(run: RunRecord, now: Date): string {
  const end = run.endedAt ?? (run.displayState === "running" ? now.toISOString() : run.heartbeatAt);
  return timeLabel(Math.max(0, secondsUntil(end, run)));
}
