/** @file Trials as points: an objective along a setting, or one objective along another with the front of both. */
import { scaleOf } from "../../plotting/scale.js";
import { type Tick, ticksOf } from "../../plotting/ticks.js";
import type { StudyReport } from "../../reporting/document.js";
import { Name } from "../components/name.js";
import { figure } from "../text/figures.js";
import { fitted } from "./fitted.js";

type ScatterData = StudyReport["slices"][number];
type Axis = ScatterData["x"];
type Point = ScatterData["points"][number];

const WIDTH = 420;
const HEIGHT = 220;
const LEFT = 58;
const RIGHT = 14;
const TOP = 10;
const BOTTOM = 30;
const TICKS = 5;

interface ScatterProps {
  readonly scatter: ScatterData;
  /** Whether the best points are a front, which a line joins. */
  readonly isFront: boolean;
}

export function Scatter({ scatter, isFront }: ScatterProps) {
  const { points, x: xAxis, y: yAxis } = scatter;
  const across = axisOf(
    xAxis,
    points.map(({ x }) => x),
    (share) => LEFT + share * (WIDTH - LEFT - RIGHT),
  );
  const up = axisOf(
    yAxis,
    points.map(({ y }) => y),
    (share) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP),
  );
  const name = `${yAxis.name} along ${xAxis.name}: ${points.length} trials`;
  const room = (WIDTH - LEFT - RIGHT) / Math.max(1, across.ticks.length);
  return (
    <figure class="chart scatter">
      <figcaption>
        <span>
          <Name text={isFront ? `${yAxis.name} along ${xAxis.name}` : xAxis.name} />
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={name}>
        {up.ticks.map(({ value, label }) => (
          <g key={value}>
            <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={up.place(value)} y2={up.place(value)} />
            <text class="tick" x={LEFT - 6} y={up.place(value) + 4} text-anchor="end">
              {label}
            </text>
          </g>
        ))}
        {across.ticks.map(({ value, label }) => (
          <text key={value} class="tick" x={across.place(value)} y={HEIGHT - BOTTOM + 16} text-anchor="middle">
            {fitted(label, room)}
          </text>
        ))}
        {isFront ? <path class="front" d={frontPath(points, across.place, up.place)} /> : null}
        {bestLast(points).map((point) => (
          <circle
            key={point.trial}
            class={classOf(point)}
            cx={across.place(point.x)}
            cy={up.place(point.y)}
            r={point.best ? 5 : 3.5}
          >
            <title>{`trial ${point.trial}: ${xText(xAxis, point.x)}, ${figure(point.y)}`}</title>
          </circle>
        ))}
      </svg>
    </figure>
  );
}

/** So that nothing lies over them. */
function bestLast(points: readonly Point[]): readonly Point[] {
  return points.toSorted((a, b) => Number(a.best) - Number(b.best));
}

function classOf({ best, finished }: Point): string {
  return best ? "point best" : finished ? "point" : "point other";
}

function axisOf(axis: Axis, values: readonly number[], toPixels: (share: number) => number) {
  const place = (share: number): number => Math.round(toPixels(share) * 10) / 10;
  if (axis.choices !== null) {
    const count = axis.choices.length;
    const ticks = axis.choices.map((label, value): Tick => ({ value, label }));
    return { ticks, place: (value: number) => place((value + 0.5) / count) };
  }
  const extent = values.length === 0 ? null : { low: Math.min(...values), high: Math.max(...values) };
  const scale = scaleOf(extent, axis.scale === "log" && (extent?.low ?? 1) > 0 ? "log" : "linear");
  // points keep off the edges
  return { ticks: ticksOf(scale, TICKS), place: (value: number) => place(0.04 + 0.92 * scale.place(value)) };
}

/** From one best point to the next, by the first objective. */
function frontPath(points: readonly Point[], x: (value: number) => number, y: (value: number) => number): string {
  const front = points.filter(({ best }) => best);
  return front.map((point, i) => (i === 0 ? `M${x(point.x)} ${y(point.y)}` : `L${x(point.x)} ${y(point.y)}`)).join("");
}

function xText({ choices, name }: Axis, value: number): string {
  return `${name} ${choices?.[value] ?? figure(value)}`;
}
