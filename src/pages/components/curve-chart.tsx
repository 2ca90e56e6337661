/** @file Curves on a canvas, by uPlot, with a table of the same curves behind them for those who do not see it. */
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { smooth } from "../../plotting/smooth.js";
import { onThemeChange } from "../theme/theme-switch.js";
import { figure } from "../text/figures.js";
import { makeLegendButtons, tellLegend } from "./chart-legend.js";
import { Table } from "./table.js";

export interface ChartCurve {
  readonly name: string;
  readonly x: readonly number[];
  /** null where it is undefined. */
  readonly y: readonly (number | null)[];
  /** Which of the series' colours, from 0. */
  readonly colour: number;
  readonly dashed?: boolean;
}

export interface CurveChartProps {
  readonly title: string;
  readonly curves: readonly ChartCurve[];
  /** What `x` counts, such as `epoch`. */
  readonly unit: string;
  /** Weight of the past, in [0, 1). */
  readonly smoothing: number;
  /** Whether the values' axis is logarithmic. */
  readonly logarithmic: boolean;
  readonly height?: number;
}

const COLOURS = 10;

/** Is drawn when it comes into view, and in any case before the page is printed. */
export function CurveChart(props: CurveChartProps) {
  const { title, curves, unit, smoothing, logarithmic, height = 220 } = props;
  const place = useRef<HTMLDivElement>(null);
  const isNear = useNearness(place);
  // of a run that trains the chart is drawn again and again
  const hidden = useRef(new Set<string>());
  useEffect(() => {
    const element = place.current;
    if (!isNear || element === null) return undefined;
    return keepDrawn(element, { curves, unit, smoothing, logarithmic, height, hidden: hidden.current });
  }, [isNear, curves, unit, smoothing, logarithmic, height]);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div class="plot" ref={place} role="img" aria-label={`${title}: ${summary(curves, unit)}`} />
      <details>
        <summary class="muted">values</summary>
        <CurveTable title={title} curves={curves} unit={unit} />
      </details>
    </figure>
  );
}

/** What each curve comes to. */
function CurveTable({ title, curves, unit }: Pick<CurveChartProps, "title" | "curves" | "unit">) {
  return (
    <Table
      caption={`${title} by ${unit}`}
      captionHidden
      sortable={false}
      rows={curves}
      keyOf={({ name }, i) => `${i} ${name}`}
      columns={[
        { key: "curve", label: "curve", value: ({ name }) => name },
        { key: "first", label: "first", numeric: true, value: (curve) => figure(definedOf(curve)[0]?.y) },
        { key: "last", label: "last", numeric: true, value: (curve) => figure(definedOf(curve).at(-1)?.y) },
        { key: "lowest", label: `lowest (${unit})`, numeric: true, value: (curve) => extreme(curve, -1) },
        { key: "highest", label: `highest (${unit})`, numeric: true, value: (curve) => extreme(curve, 1) },
      ]}
    />
  );
}

function summary(curves: readonly ChartCurve[], unit: string): string {
  const ends = curves.map((curve) => {
    const last = definedOf(curve).at(-1);
    return last === undefined ? `${curve.name} has no value` : `${curve.name} ends at ${figure(last.y)}`;
  });
  return `${ends.slice(0, 6).join(", ")} (by ${unit})`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function definedOf({ x, y }: ChartCurve): Point[] {
  return y.flatMap((value, i) => (value === null ? [] : [{ x: x[i] ?? Number.NaN, y: value }]));
}

function extreme(curve: ChartCurve, sign: 1 | -1): string {
  const [first, ...points] = definedOf(curve);
  if (first === undefined) return "–";
  const best = points.reduce((found, point) => (sign * point.y > sign * found.y ? point : found), first);
  return `${figure(best.y)} (${best.x})`;
}

/** Whether an element is, or has been, about to be seen or printed. */
function useNearness(place: { readonly current: HTMLElement | null }): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const come = (): void => setNear(true);
    const observer = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && come(), {
      rootMargin: "600px",
    });
    observer.observe(element);
    addEventListener("beforeprint", come);
    return () => {
      observer.disconnect();
      removeEventListener("beforeprint", come);
    };
  }, [place]);
  return isNear;
}

type Drawing = Omit<CurveChartProps, "title"> & {
  readonly height: number;
  /** Labels of curves that the reader has hidden. */
  readonly hidden: Set<string>;
};

/** Draws, and draws again where the room or the colours change. @returns how to take it away */
function keepDrawn(element: HTMLElement, drawing: Drawing): () => void {
  let plot = draw(element, drawing);
  let width = element.clientWidth;
  const resized = new ResizeObserver(() => {
    if (element.clientWidth === width || element.clientWidth === 0) return;
    width = element.clientWidth;
    plot.setSize({ width, height: drawing.height });
  });
  resized.observe(element);
  const stop = onThemeChange(() => {
    plot.destroy();
    plot = draw(element, drawing);
  });
  return () => {
    stop();
    resized.disconnect();
    plot.destroy();
  };
}

function draw(element: HTMLElement, { curves, unit, smoothing, logarithmic, height, hidden }: Drawing): uPlot {
  const colour = (name: string): string => resolvedColour(element, name);
  const lines = curves.flatMap((curve) => linesOf(curve, smoothing));
  const shown = (value: number | null): number | null => (logarithmic && value !== null && value <= 0 ? null : value);
  const tables = lines.map(({ curve, y }): uPlot.AlignedData => [[...curve.x], y.map(shown)]);
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1, size: 4 },
    font: "11px system-ui, sans-serif",
  };
  const options: uPlot.Options = {
    width: Math.max(element.clientWidth, 120),
    height,
    scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
    axes: [
      { ...axis, size: 30, values: (_, ticks) => ticks.map((tick) => figure(tick)) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : figure(tick))) },
    ],
    series: [
      { label: unit },
      ...lines.map(({ curve, isRaw }): uPlot.Series => {
        const stroke = colour(`--series-${curve.colour % COLOURS}`);
        const label = isRaw ? `${curve.name}, as it is` : curve.name;
        return {
          label,
          show: !hidden.has(label),
          stroke: isRaw ? faint(stroke) : stroke,
          width: isRaw ? 1 : 1.75,
          ...(curve.dashed === true ? { dash: [5, 4] } : {}),
          points: { show: curve.x.length <= 1 },
          value: (_, value) => figure(value),
        };
      }),
    ],
    cursor: { drag: { x: true, y: false } },
    legend: { show: lines.length <= 8 },
    hooks: { ready: [(plot) => makeLegendButtons(plot, hidden)], setSeries: [(plot) => tellLegend(plot, hidden)] },
  };
  return new uPlot(options, tables.length === 0 ? [[]] : uPlot.join(tables), element);
}

interface Line {
  readonly curve: ChartCurve;
  readonly y: readonly (number | null)[];
  readonly isRaw: boolean;
}

/** The smoothed curve over a faint one of the values themselves. */
function linesOf(curve: ChartCurve, smoothing: number): Line[] {
  if (smoothing <= 0) return [{ curve, y: curve.y, isRaw: false }];
  return [
    { curve, y: curve.y, isRaw: true },
    { curve, y: smoothed(curve, smoothing), isRaw: false },
  ];
}

function smoothed({ x, y }: ChartCurve, weight: number): (number | null)[] {
  const points = y.map((value, i) => ({ x: x[i] ?? Number.NaN, y: value ?? Number.NaN }));
  return smooth(points, weight).map((point) => (Number.isFinite(point.y) ? point.y : null));
}

/** A colour of the theme as a canvas understands it. */
function resolvedColour(element: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function faint(rgb: string): string {
  const channels = rgb.match(/[\d.]+/g)?.slice(0, 3) ?? ["128", "128", "128"];
  return `rgba(${channels.join(", ")}, 0.28)`;
}
