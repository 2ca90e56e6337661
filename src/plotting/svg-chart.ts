/** @file Curves as an SVG drawing: one chart, or small multiples in a grid, in light or dark. */
import { escapeXml, fitMiddle, type TextStyle, textWidth } from "../logging/panels/text.js";
import type { PlotCurve, PlotPoint } from "./curve.js";
import { decimate } from "./decimate.js";
import { type Frame, frameOf, stretches } from "./frame.js";
import { type AxisUnit, ticksOf, valueLabel } from "./ticks.js";

export type Theme = "light" | "dark";

/** One chart of a drawing. */
export interface Panel {
  readonly title: string;
  readonly curves: readonly PlotCurve[];
}

export interface SvgChartOptions {
  /** Pixels in all. */
  readonly width: number;
  readonly height: number;
  readonly theme?: Theme;
  readonly log?: boolean;
  readonly xUnit?: AxisUnit;
  readonly xLabel?: string;
  /** Below the charts: what is not shown. */
  readonly note?: string;
}

interface Colours {
  readonly paper: string;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly curves: readonly string[];
}

/** Contrast of at least 4.5 to the paper; the order is one that colour-blind eyes tell apart, and dashes differ besides. */
const THEMES: Readonly<Record<Theme, Colours>> = {
  light: {
    paper: "#ffffff",
    ink: "#18202c",
    muted: "#566173",
    grid: "#e2e6ed",
    curves: ["#2457a7", "#c2410c", "#00775b", "#7c3aed", "#b0186f", "#6b5900", "#0b6f94", "#4b5563"],
  },
  dark: {
    paper: "#12161c",
    ink: "#eef2f7",
    muted: "#a7b1c0",
    grid: "#2b323c",
    curves: ["#7fb2ff", "#ff9d5c", "#4cd6ae", "#c4a3ff", "#ff8cc6", "#dcc64c", "#63d0f2", "#c3cad5"],
  },
};

const DASHES = ["", "9 4", "2 4", "9 4 2 4"];
const FAMILIES = "'Source Sans 3', 'Noto Sans', 'Noto Sans CJK SC', 'DejaVu Sans', Arial, sans-serif";
const LABEL: TextStyle = { size: 15, weight: 400 };
const TITLE: TextStyle = { size: 17, weight: 600 };
const MARGIN = 20;
const LEGEND_ROW = 22;
const SWATCH = 26;

/** The curve's place decides its colour and dashes, the same in all panels. */
export function svgChart(panels: readonly Panel[], options: SvgChartOptions): string {
  const { width, height, theme = "light", note } = options;
  const colours = THEMES[theme];
  const across = panels.length <= 1 ? 1 : Math.min(panels.length, Math.max(1, Math.floor(width / 420)));
  const down = Math.max(1, Math.ceil(panels.length / across));
  const footer = note === undefined ? 0 : 28;
  const [panelWidth, panelHeight] = [width / across, (height - footer) / down];
  const elements = panels.map((panel, i) => {
    const [x, y] = [(i % across) * panelWidth, Math.floor(i / across) * panelHeight];
    return `<g transform="translate(${round(x)} ${round(y)})">${drawPanel(panel, panelWidth, panelHeight, colours, options)}</g>`;
  });
  const footnote =
    note === undefined
      ? ""
      : text(fitMiddle(note, width - 2 * MARGIN, LABEL), MARGIN, height - 12, LABEL, { fill: colours.muted });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img"><title>${escapeXml(panels.map(({ title }) => title).join(", "))}</title><rect width="${width}" height="${height}" fill="${colours.paper}"/>${elements.join("")}${footnote}</svg>\n`;
}

interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function drawPanel(
  { title, curves }: Panel,
  width: number,
  height: number,
  colours: Colours,
  { log = false, xUnit = "number", xLabel = "" }: SvgChartOptions,
): string {
  const frame = frameOf(curves, log);
  const legend = drawLegend(curves, width, height, colours);
  const yTicks = ticksOf(frame.y, Math.max(2, Math.round((height - legend.height) / 60)));
  const labelWidth = Math.max(0, ...yTicks.map(({ label }) => textWidth(label, LABEL)));
  const area: Area = {
    left: MARGIN + labelWidth + 8,
    top: 44,
    right: width - MARGIN,
    bottom: height - legend.height - 40,
  };
  const place = placesOf(frame, area);
  const xTicks = ticksOf(frame.x, Math.max(1, Math.floor((area.right - area.left) / 90)), xUnit);
  const muted = { fill: colours.muted };
  const axisName = textWidth(xLabel, LABEL);
  const parts = [
    text(fitMiddle(title, width - 2 * MARGIN, TITLE), MARGIN, 27, TITLE, { fill: colours.ink }),
    ...yTicks.flatMap(({ value, label }) => [
      line(area.left, place.y(value), area.right, place.y(value), colours.grid),
      text(label, area.left - 8, place.y(value) + 5, LABEL, { ...muted, anchor: "end" }),
    ]),
    ...xTicks.flatMap(({ value, label }) => {
      const isOnName = place.x(value) + textWidth(label, LABEL) / 2 > area.right - axisName - 8 && xLabel !== "";
      return [
        line(place.x(value), area.bottom, place.x(value), area.bottom + 5, colours.muted),
        ...(isOnName ? [] : [text(label, place.x(value), area.bottom + 22, LABEL, { ...muted, anchor: "middle" })]),
      ];
    }),
    line(area.left, area.bottom, area.right, area.bottom, colours.muted),
    text(xLabel, area.right, area.bottom + 22, LABEL, { ...muted, anchor: "end" }),
    ...curves.map((curve, index) => drawBehind(curve, index, frame, place, colours)),
    ...curves.map(({ points }, index) => drawCurve(points, frame, place, area, lineStyle(index, colours))),
  ];
  return `${parts.join("")}<g transform="translate(0 ${round(height - legend.height)})">${legend.elements}</g>`;
}

interface Places {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

function placesOf({ x, y }: Frame, { left, right, top, bottom }: Area): Places {
  return {
    x: (value) => left + x.place(value) * (right - left),
    y: (value) => bottom - y.place(value) * (bottom - top),
  };
}

function colourOf(index: number, { curves }: Colours): string {
  return curves[index % curves.length] ?? "";
}

function lineStyle(index: number, colours: Colours): string {
  const dashes = DASHES[index % DASHES.length] ?? "";
  return `stroke="${colourOf(index, colours)}" stroke-width="2.2"${dashes === "" ? "" : ` stroke-dasharray="${dashes}"`}`;
}

/** The band of a mean, and what was smoothed. */
function drawBehind(
  { band = [], raw = [] }: PlotCurve,
  index: number,
  frame: Frame,
  place: Places,
  colours: Colours,
): string {
  const colour = colourOf(index, colours);
  const shown = band.filter(({ low }) => !Number.isNaN(frame.y.place(low)));
  const edge = (points: readonly PlotPoint[]): string =>
    points.map(({ x, y }) => `${round(place.x(x))},${round(place.y(y))}`).join(" ");
  const outline = [
    ...shown.map(({ x, high }) => ({ x, y: high })),
    ...shown.map(({ x, low }) => ({ x, y: low })).reverse(),
  ];
  const area = outline.length < 4 ? "" : `<polygon points="${edge(outline)}" fill="${colour}" opacity="0.18"/>`;
  const faint = stretches(raw, frame).map(
    (part) => `<polyline points="${edge(part)}" fill="none" stroke="${colour}" stroke-width="1.2" opacity="0.3"/>`,
  );
  return `${area}${faint.join("")}`;
}

function drawCurve(
  points: readonly PlotPoint[],
  frame: Frame,
  place: Places,
  { left, right }: Area,
  style: string,
): string {
  const dots = decimate(points, Math.ceil(right - left), frame.x.place);
  const parts = stretches(dots, frame);
  return parts
    .map((part) => {
      const [first] = part;
      if (part.length === 1 && first !== undefined) {
        const fill = /stroke="([^"]*)"/.exec(style)?.[1] ?? "";
        return `<circle cx="${round(place.x(first.x))}" cy="${round(place.y(first.y))}" r="3.5" fill="${fill}"/>`;
      }
      const path = part.map(({ x, y }) => `${round(place.x(x))},${round(place.y(y))}`).join(" ");
      return `<polyline points="${path}" fill="none" stroke-linejoin="round" stroke-linecap="round" ${style}/>`;
    })
    .join("");
}

/** Names with their lines, in rows below a chart; at most a third of its height. */
function drawLegend(
  curves: readonly PlotCurve[],
  width: number,
  height: number,
  colours: Colours,
): { readonly elements: string; readonly height: number } {
  const rows = Math.max(1, Math.floor(height / 3 / LEGEND_ROW));
  let [x, row] = [MARGIN, 0];
  const parts: string[] = [];
  let left = 0;
  curves.forEach((curve, index) => {
    const value = curve.points.at(-1)?.y;
    // it belongs to other panels
    if (value === undefined || curve.isUnnamed === true) return;
    const last = `  ${valueLabel(value)}`;
    const name = fitMiddle(curve.name, width - 2 * MARGIN - SWATCH - 8 - textWidth(last, LABEL), LABEL);
    const taken = SWATCH + 8 + textWidth(`${name}${last}`, LABEL) + 24;
    if (x > MARGIN && x + taken - 24 > width - MARGIN) [x, row] = [MARGIN, row + 1];
    if (row >= rows) {
      left += 1;
      return;
    }
    const y = row * LEGEND_ROW + 14;
    parts.push(
      `<line x1="${round(x)}" y1="${y - 5}" x2="${round(x + SWATCH)}" y2="${y - 5}" ${lineStyle(index, colours)}/>`,
      text(`${name}${last}`, x + SWATCH + 8, y, LABEL, { fill: colours.ink }),
    );
    x += taken;
  });
  const shownRows = parts.length === 0 ? 0 : Math.min(rows, row + 1);
  if (left > 0)
    parts.push(
      text(`… ${left} more`, width - MARGIN, shownRows * LEGEND_ROW - 8, LABEL, { fill: colours.muted, anchor: "end" }),
    );
  return { elements: parts.join(""), height: shownRows * LEGEND_ROW + 8 };
}

function text(
  content: string,
  x: number,
  y: number,
  { size, weight }: TextStyle,
  { fill, anchor = "start" }: { readonly fill: string; readonly anchor?: "start" | "middle" | "end" },
): string {
  if (content === "") return "";
  return `<text x="${round(x)}" y="${round(y)}" font-family="${FAMILIES}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}" xml:space="preserve">${escapeXml(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${colour}"/>`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
