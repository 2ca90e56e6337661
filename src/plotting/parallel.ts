/** @file Parallel coordinates: an axis for each column, a line for each row, the best rows last and strongest. */
import { escapeXml, fitMiddle, type TextStyle } from "../logging/panels/text.js";
import { ACROSS, DOWN, DotGrid } from "./dots.js";
import type { ChartLine } from "./text-chart.js";

export interface ParallelAxis {
  readonly name: string;
  /** What stands at its lower and its upper end. */
  readonly low: string;
  readonly high: string;
}

export interface ParallelLine {
  /** In [0, 1] from the lower end of each axis; null: it passes the axis by. */
  readonly places: readonly (number | null)[];
  /** 0 of the best line to 1 of the worst. */
  readonly rank: number;
}

export interface ParallelPlot {
  readonly axes: readonly ParallelAxis[];
  readonly lines: readonly ParallelLine[];
}

/** The best so many lines stand out. */
const STRONG = 3;

/** The worst first, so that better lines lie over them. */
function worstFirst(lines: readonly ParallelLine[]): readonly ParallelLine[] {
  return lines.toSorted((a, b) => b.rank - a.rank);
}

function* pieces({ places }: ParallelLine): Generator<readonly [from: number, a: number, to: number, b: number]> {
  let last: readonly [number, number] | null = null;
  for (const [axis, place] of places.entries()) {
    if (place === null) continue;
    if (last !== null) yield [last[0], last[1], axis, place];
    last = [axis, place];
  }
}

/** Exactly `height` lines of at most `width` columns: role 0 of the best lines, faint of the others. */
export function parallelText({ axes, lines }: ParallelPlot, width: number, height: number): ChartLine[] {
  const rows = Math.max(3, height - 3);
  const grid = new DotGrid(width, rows);
  const x = (axis: number): number => Math.round((axis / Math.max(1, axes.length - 1)) * (width * ACROSS - 1));
  const y = (place: number): number => Math.round((1 - place) * (rows * DOWN - 1));
  const ordered = worstFirst(lines);
  ordered.forEach((line, i) => {
    const owner = i >= ordered.length - STRONG ? 0 : 1;
    for (const [from, a, to, b] of pieces(line)) grid.line(x(from), y(a), x(to), y(b), owner);
  });
  const columns = axes.map((_, axis) => Math.floor(x(axis) / ACROSS));
  const body = Array.from(
    { length: rows },
    (_, row): ChartLine =>
      Array.from({ length: width }, (_unused, column) => {
        const { text, owner } = grid.cell(column, row);
        if (text !== " ") return { text, role: owner === 0 ? 0 : "faint" } as const;
        return { text: columns.includes(column) ? "│" : " ", role: "axis" } as const;
      }),
  );
  const labels = (of: (axis: ParallelAxis) => string): ChartLine => [
    { text: labelLine(axes.map(of), columns, width), role: "axis" },
  ];
  return [labels(({ high }) => high), ...body, labels(({ low }) => low), labels(({ name }) => leafOf(name))];
}

/** Texts around their columns; each has the room to the middle between its neighbours. */
function labelLine(texts: readonly string[], columns: readonly number[], width: number): string {
  const cells = Array.from({ length: width }, () => " ");
  const room = Math.max(4, Math.floor(width / Math.max(1, texts.length - 1)) - 1);
  let free = 0;
  texts.forEach((text, i) => {
    const shown = text.length <= room ? text : `${text.slice(0, room - 1)}…`;
    const column = columns[i] ?? 0;
    const start = Math.max(free, Math.min(width - shown.length, Math.max(0, column - Math.floor(shown.length / 2))));
    cells.splice(start, shown.length, ...shown);
    free = start + shown.length + 1;
  });
  return cells.slice(0, width).join("").trimEnd();
}

function leafOf(name: string): string {
  return name.slice(Math.max(name.lastIndexOf("."), name.lastIndexOf("/")) + 1);
}

export interface ParallelSvgOptions {
  readonly width: number;
  readonly height: number;
  readonly theme?: "light" | "dark";
}

const LABEL: TextStyle = { size: 14, weight: 400 };
const MARGIN = 64;
const FAMILIES = "'Source Sans 3', 'Noto Sans', 'DejaVu Sans', Arial, sans-serif";
const COLOURS = {
  light: { paper: "#ffffff", ink: "#18202c", muted: "#566173", best: "#2457a7", other: "#9aa5b5" },
  dark: { paper: "#12161c", ink: "#eef2f7", muted: "#a7b1c0", best: "#7fb2ff", other: "#5b6675" },
} as const;

/** An SVG document. */
export function parallelSvg({ axes, lines }: ParallelPlot, options: ParallelSvgOptions): string {
  const { width, height, theme = "light" } = options;
  const colours = COLOURS[theme];
  const [top, bottom] = [56, height - 40];
  const step = (width - 2 * MARGIN) / Math.max(1, axes.length - 1);
  const x = (axis: number): number => round(MARGIN + axis * step);
  const y = (place: number): number => round(bottom - place * (bottom - top));
  const label = (text: string, at: number, row: number, fill: string): string =>
    `<text x="${at}" y="${row}" font-family="${FAMILIES}" font-size="${LABEL.size}" fill="${fill}" text-anchor="middle">${escapeXml(fitMiddle(text, Math.min(step, 2 * MARGIN) - 8, LABEL))}</text>`;
  const ordered = worstFirst(lines);
  const drawn = ordered.map((line, i) => {
    const isBest = i >= ordered.length - STRONG;
    const path = [...pieces(line)].map(([from, a, to, b]) => `M${x(from)} ${y(a)}L${x(to)} ${y(b)}`).join("");
    return `<path d="${path}" fill="none" stroke="${isBest ? colours.best : colours.other}" stroke-width="${isBest ? 2.4 : 1.2}" opacity="${isBest ? 1 : 0.7}"/>`;
  });
  const stems = axes.map(({ name, low, high }, i) =>
    [
      `<line x1="${x(i)}" y1="${top}" x2="${x(i)}" y2="${bottom}" stroke="${colours.muted}"/>`,
      label(leafOf(name), x(i), top - 32, colours.ink),
      label(high, x(i), top - 10, colours.muted),
      label(low, x(i), bottom + 22, colours.muted),
    ].join(""),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img"><title>${escapeXml(axes.map(({ name }) => name).join(", "))}</title><rect width="${width}" height="${height}" fill="${colours.paper}"/>${drawn.join("")}${stems.join("")}</svg>\n`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
