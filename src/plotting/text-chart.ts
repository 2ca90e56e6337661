/** @file Curves as text: braille dots between axes, with a letter where each curve ends. */
import type { PlotCurve, PlotPoint } from "./curve.js";
import { decimate } from "./decimate.js";
import { ACROSS, DOWN, DotGrid } from "./dots.js";
import { type Frame, frameOf, stretches } from "./frame.js";
import { type AxisUnit, type Tick, ticksOf } from "./ticks.js";

/** What a piece of a line is: part of a curve, by its place, or of what stands around the curves. */
export type SpanRole = number | "axis" | "faint";

export interface Span {
  readonly text: string;
  readonly role: SpanRole;
}

export type ChartLine = readonly Span[];

export interface TextChartOptions {
  /** Columns and rows in all; every character is one column wide. */
  readonly width: number;
  readonly height: number;
  readonly log?: boolean;
  readonly xUnit?: AxisUnit;
  /** What the x axis counts, below its right end. */
  readonly xLabel?: string;
  /** Whether curves differ in colour; else letters stand on the lines, too, and what was smoothed is left out. */
  readonly colour?: boolean;
  /** Default: the smallest that holds all curves. */
  readonly frame?: Frame;
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** The letter of the curve at a place. */
export function letterOf(index: number): string {
  return LETTERS[index % LETTERS.length] ?? "?";
}

/** Columns between two labels of the x axis. */
const LABEL_COLUMNS = 12;
const ROWS_PER_TICK = 3;
/** `-1.000000000000001e-300`. */
const LONGEST_LABEL = 23;

/** Exactly `height` lines of at most `width` columns; letters are those of `letterOf`. */
export function textChart(curves: readonly PlotCurve[], options: TextChartOptions): ChartLine[] {
  const { width, height, log = false, xUnit = "number", xLabel = "", colour = false } = options;
  const frame = options.frame ?? frameOf(curves, log);
  const rows = Math.max(1, height - 2);
  const room = Math.min(LONGEST_LABEL, Math.floor(width / 2));
  // a part of a number would be another one
  const yTicks = ticksOf(frame.y, Math.max(2, Math.floor(rows / ROWS_PER_TICK))).filter(
    ({ label }) => label.length <= room,
  );
  const labelWidth = Math.max(1, ...yTicks.map(({ label }) => label.length));
  // an axis before the dots, and a column for letters behind them
  const columns = Math.max(1, width - labelWidth - 3);
  const plot = new Plot(columns, rows, frame);
  for (const [index, curve] of curves.entries()) plot.spread(curve, index, colour);
  for (const [index, { points }] of curves.entries()) plot.curve(points, index);
  if (!colour && curves.length > 1) {
    for (const [index, { points }] of curves.entries()) plot.markAlong(points, index, curves.length);
  }
  for (const [index, { points, isUnnamed = false }] of curves.entries()) if (!isUnnamed) plot.markEnd(points, index);
  return [
    ...plot.lines(yAxis(yTicks, frame, rows, labelWidth)),
    ...xAxis(ticksOf(frame.x, Math.max(1, Math.floor(columns / LABEL_COLUMNS)), xUnit), frame, {
      columns,
      labelWidth,
      xLabel,
    }),
  ].slice(0, height);
}

/** Label and axis before each row of dots. */
function yAxis(ticks: readonly Tick[], { y }: Frame, rows: number, labelWidth: number): string[] {
  const labels = new Map(ticks.map(({ value, label }) => [Math.floor(dotRow(y.place(value), rows) / DOWN), label]));
  return Array.from({ length: rows }, (_, row) => {
    const label = labels.get(row);
    return `${(label ?? "").padStart(labelWidth)} ${label === undefined ? "│" : "┤"}`;
  });
}

function xAxis(
  ticks: readonly Tick[],
  { x }: Frame,
  { columns, labelWidth, xLabel }: { readonly columns: number; readonly labelWidth: number; readonly xLabel: string },
): ChartLine[] {
  const line = Array.from({ length: columns }, () => "─");
  const labels = Array.from({ length: labelWidth + 2 + columns + 1 }, () => " ");
  // what the axis counts has the right end; a number that would touch it is left out
  const end = xLabel === "" ? labels.length : labels.length - xLabel.length - 1;
  let free = 0;
  for (const { value, label } of ticks) {
    const column = Math.floor(dotColumn(x.place(value), columns) / ACROSS);
    line[column] = "┬";
    const centred = labelWidth + 2 + column - Math.floor(label.length / 2);
    const start = Math.max(0, Math.min(centred, labels.length - label.length));
    if (start < free || start + label.length > end) continue;
    labels.splice(start, label.length, ...label);
    free = start + label.length + 1;
  }
  if (xLabel !== "" && xLabel.length < labels.length - free) labels.splice(end + 1, xLabel.length, ...xLabel);
  return [
    [{ text: `${" ".repeat(labelWidth)} └${line.join("")}`, role: "axis" }],
    [{ text: labels.join("").trimEnd(), role: "axis" }],
  ];
}

const dotColumn = (place: number, columns: number): number => Math.round(place * (columns * ACROSS - 1));
const dotRow = (place: number, rows: number): number => Math.round((1 - place) * (rows * DOWN - 1));

/** Owners of dots: a curve's own, or what stands behind it. */
const BEHIND = 1000;

class Plot {
  readonly #grid: DotGrid;
  readonly #frame: Frame;
  /** Letters by `row,column`; the column behind the dots is one more. */
  readonly #letters = new Map<string, { readonly letter: string; readonly index: number }>();

  constructor(columns: number, rows: number, frame: Frame) {
    this.#grid = new DotGrid(columns, rows);
    this.#frame = frame;
  }

  /** What stands behind a curve: its band, and what was smoothed, which needs a colour of its own. */
  spread({ band = [], raw = [] }: PlotCurve, index: number, colour: boolean): void {
    for (let i = 1; i < band.length; i += 1) {
      const [from, to] = [band[i - 1], band[i]];
      if (from === undefined || to === undefined) continue;
      const [start, end] = [this.#x(from.x), this.#x(to.x)];
      for (let x = start; x <= end; x += 1) {
        const share = end === start ? 0 : (x - start) / (end - start);
        const high = this.#bandRow(from.high, to.high, share, 0);
        const low = this.#bandRow(from.low, to.low, share, this.#grid.rows * DOWN - 1);
        // every fourth dot, so that curves are seen before it
        for (let y = high; y <= low; y += 1) if ((x + y) % 2 === 0 && x % 2 === 0) this.#grid.dot(x, y, BEHIND + index);
      }
    }
    if (colour) this.#draw(raw, BEHIND + index);
  }

  curve(points: readonly PlotPoint[], index: number): void {
    this.#draw(points, index);
  }

  /** Letters on the line, a quarter of the width apart, each curve's at places of its own. */
  markAlong(points: readonly PlotPoint[], index: number, count: number): void {
    for (const quarter of [0, 1, 2, 3]) {
      const column = Math.round(((quarter + (index + 0.5) / count) / 4) * (this.#grid.columns - 1));
      const row = this.#rowAt(points, column);
      const key = `${row},${column}`;
      if (row !== null && !this.#letters.has(key)) this.#letters.set(key, { letter: letterOf(index), index });
    }
  }

  /** A letter behind the last point, on the nearest row that is free. */
  markEnd(points: readonly PlotPoint[], index: number): void {
    const last = stretches(points, this.#frame).at(-1)?.at(-1);
    if (last === undefined) return;
    const row = Math.floor(this.#y(last.y) / DOWN);
    const next = Math.floor(this.#x(last.x) / ACROSS) + 1;
    const isFree = next >= this.#grid.columns || this.#grid.cell(next, row).owner < 0;
    const column = isFree ? next : this.#grid.columns;
    for (let away = 0; away < this.#grid.rows; away += 1) {
      for (const place of [row + away, row - away]) {
        const key = `${place},${column}`;
        if (place < 0 || place >= this.#grid.rows || this.#letters.has(key)) continue;
        this.#letters.set(key, { letter: letterOf(index), index });
        return;
      }
    }
  }

  /** @param before each row */
  lines(before: readonly string[]): ChartLine[] {
    return before.map((axis, row) => {
      const spans: { text: string; role: SpanRole }[] = [{ text: axis, role: "axis" }];
      for (let column = 0; column <= this.#grid.columns; column += 1) {
        const { text, role } = this.#cell(column, row);
        const last = spans.at(-1);
        if (last !== undefined && (last.role === role || text === " ")) last.text += text;
        else spans.push({ text, role });
      }
      const last = spans.at(-1);
      if (last !== undefined) last.text = last.text.trimEnd();
      return spans;
    });
  }

  #cell(column: number, row: number): Span {
    const mark = this.#letters.get(`${row},${column}`);
    if (mark !== undefined) return { text: mark.letter, role: mark.index };
    if (column >= this.#grid.columns) return { text: " ", role: "axis" };
    const { text, owner } = this.#grid.cell(column, row);
    return { text, role: owner < 0 ? "axis" : owner >= BEHIND ? "faint" : owner };
  }

  #draw(points: readonly PlotPoint[], owner: number): void {
    const dots = decimate(points, this.#grid.columns * ACROSS, this.#frame.x.place);
    for (const part of stretches(dots, this.#frame)) {
      part.forEach((point, i) => {
        const before = part[i - 1] ?? point;
        this.#grid.line(this.#x(before.x), this.#y(before.y), this.#x(point.x), this.#y(point.y), owner);
      });
    }
  }

  /** The row of a curve in a column; null where it has none. */
  #rowAt(points: readonly PlotPoint[], column: number): number | null {
    const x = column * ACROSS;
    for (const part of stretches(points, this.#frame)) {
      const next = part.findIndex((point) => this.#x(point.x) >= x);
      const [after, before] = [part[next], part[next - 1]];
      if (after === undefined) continue;
      if (this.#x(after.x) <= x + 1) return Math.floor(this.#y(after.y) / DOWN);
      if (before === undefined) continue;
      const share = (x - this.#x(before.x)) / (this.#x(after.x) - this.#x(before.x));
      return Math.floor((this.#y(before.y) + share * (this.#y(after.y) - this.#y(before.y))) / DOWN);
    }
    return null;
  }

  /** @param outside the row of what has no place: below zero on a logarithmic axis */
  #bandRow(from: number, to: number, share: number, outside: number): number {
    const [start, end] = [from, to].map((value) => {
      const place = this.#frame.y.place(value);
      return Number.isNaN(place) ? outside : dotRow(place, this.#grid.rows);
    });
    return Math.round((start ?? 0) + share * ((end ?? 0) - (start ?? 0)));
  }

  #x(x: number): number {
    return dotColumn(this.#frame.x.place(x), this.#grid.columns);
  }

  #y(y: number): number {
    return dotRow(this.#frame.y.place(y), this.#grid.rows);
  }
}
