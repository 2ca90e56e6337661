/** @file Parallel coordinates: an axis for each column, a line for each row, the best rows last and strongest. */
import { escapeXml, fitMiddle, type TextStyle } from "../logging/panels/text.js";
import { ACROSS, DOWN, DotGrid } from "./dots.js";
import type { ChartLine } from "./text-chart.js";

/** A value that an axis names, where the lines that have it cross. */
export interface ParallelMark {
  /** In [0, 1] from the lower end. */
  readonly place: number;
  readonly text: string;
}

export interface ParallelAxis {
  readonly name: string;
  readonly marks: readonly ParallelMark[];
}

export interface ParallelLine {
  /** What the row is, such as "trial 3". */
  readonly name: string;
  /** In [0, 1] from the lower end of each axis; null: it passes the axis by. */
  readonly places: readonly (number | null)[];
  /** 0 of the best line to 1 of the worst. */
  readonly rank: number;
  /** Whether it stands out, and lies over all others. */
  readonly isStrong: boolean;
}

export interface ParallelPlot {
  readonly axes: readonly ParallelAxis[];
  readonly lines: readonly ParallelLine[];
}

/** The worst first, so that better lines lie over them, and those that stand out over all. */
function worstFirst(lines: readonly ParallelLine[]): readonly ParallelLine[] {
  return lines.toSorted((a, b) => Number(a.isStrong) - Number(b.isStrong) || b.rank - a.rank);
}

function* pieces({ places }: ParallelLine): Generator<readonly [from: number, a: number, to: number, b: number]> {
  let last: readonly [number, number] | null = null;
  for (const [axis, place] of places.entries()) {
    if (place === null) continue;
    if (last !== null) yield [last[0], last[1], axis, place];
    last = [axis, place];
  }
}

/** Exactly `height` lines of at most `width` columns: role 0 of the lines that stand out, faint of the others. */
export function parallelText({ axes, lines }: ParallelPlot, width: number, height: number): ChartLine[] {
  const rows = Math.max(3, height - 1);
  const grid = new DotGrid(width, rows);
  const x = (axis: number): number => Math.round((axis / Math.max(1, axes.length - 1)) * (width * ACROSS - 1));
  const y = (place: number): number => Math.round((1 - place) * (rows * DOWN - 1));
  for (const line of worstFirst(lines)) {
    for (const [from, a, to, b] of pieces(line)) grid.line(x(from), y(a), x(to), y(b), line.isStrong ? 0 : 1);
  }
  const columns = axes.map((_, axis) => Math.floor(x(axis) / ACROSS));
  const marks = markCells(axes, columns, width, (place) => Math.floor(y(place) / DOWN));
  const body = Array.from(
    { length: rows },
    (_, row): ChartLine =>
      Array.from({ length: width }, (_unused, column) => {
        const mark = marks.get(row * width + column);
        if (mark !== undefined) return { text: mark, role: "axis" } as const;
        const { text, owner } = grid.cell(column, row);
        if (text !== " ") return { text, role: owner === 0 ? 0 : "faint" } as const;
        return { text: columns.includes(column) ? "│" : " ", role: "axis" } as const;
      }),
  );
  const names = labelLine(
    axes.map(({ name }) => leafOf(name)),
    columns,
    width,
  );
  return [...body, [{ text: names, role: "axis" }]];
}

/** What is written over the lines: values right of their axes, those of the last axis left of it; by row * width + column. */
function markCells(
  axes: readonly ParallelAxis[],
  columns: readonly number[],
  width: number,
  rowOf: (place: number) => number,
): Map<number, string> {
  const cells = new Map<number, string>();
  const room = Math.max(3, Math.floor(width / Math.max(1, axes.length - 1) / 2) - 1);
  axes.forEach(({ marks }, axis) => {
    const column = columns[axis] ?? 0;
    const taken = new Set<number>();
    for (const { place, text } of marks) {
      const row = rowOf(place);
      // two values of one row could not be told apart
      if (taken.has(row)) continue;
      taken.add(row);
      const shown = [...(text.length <= room ? text : `${text.slice(0, room - 1)}…`)];
      const isLast = column + 1 + shown.length > width;
      const start = row * width + (isLast ? column - shown.length : column + 1);
      cells.set(row * width + column, isLast ? "┤" : "├");
      for (const [i, letter] of shown.entries()) cells.set(start + i, letter);
    }
  });
  return cells;
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
  const [top, bottom] = [48, height - 24];
  const step = (width - 2 * MARGIN) / Math.max(1, axes.length - 1);
  const x = (axis: number): number => round(MARGIN + axis * step);
  const y = (place: number): number => round(bottom - place * (bottom - top));
  const written = (text: string, at: number, row: number, anchor: "start" | "middle", room: number): string =>
    `<text x="${at}" y="${row}" font-family="${FAMILIES}" font-size="${LABEL.size}" fill="${anchor === "middle" ? colours.ink : colours.muted}" stroke="${colours.paper}" stroke-width="4" stroke-linejoin="round" paint-order="stroke" text-anchor="${anchor}">${escapeXml(fitMiddle(text, room, LABEL))}</text>`;
  const drawn = worstFirst(lines).map((line) => {
    const path = [...pieces(line)].map(([from, a, to, b]) => `M${x(from)} ${y(a)}L${x(to)} ${y(b)}`).join("");
    const look = line.isStrong
      ? { stroke: colours.best, wide: 2.4, opacity: 1 }
      : { stroke: colours.other, wide: 1.2, opacity: 0.7 };
    return `<path d="${path}" fill="none" stroke="${look.stroke}" stroke-width="${look.wide}" opacity="${look.opacity}"/>`;
  });
  const stems = axes.map(({ name, marks }, i) =>
    [
      `<line x1="${x(i)}" y1="${top}" x2="${x(i)}" y2="${bottom}" stroke="${colours.muted}"/>`,
      written(leafOf(name), x(i), top - 22, "middle", Math.min(step, 2 * MARGIN) - 8),
      ...apart(marks, y).map(({ place, text }) =>
        written(text, x(i) + 7, y(place) + 5, "start", (i === axes.length - 1 ? MARGIN : step) - 12),
      ),
    ].join(""),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img"><title>${escapeXml(axes.map(({ name }) => name).join(", "))}</title><rect width="${width}" height="${height}" fill="${colours.paper}"/>${drawn.join("")}${stems.join("")}</svg>\n`;
}

/** Without those that would lie over one before them. */
function apart(marks: readonly ParallelMark[], y: (place: number) => number): ParallelMark[] {
  const kept: ParallelMark[] = [];
  for (const mark of marks) {
    if (kept.every(({ place }) => Math.abs(y(place) - y(mark.place)) >= LABEL.size)) kept.push(mark);
  }
  return kept;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
