/** @file Parallel coordinates: a line for each trial, from its settings to its objective; the best ones stand out. */
import type { StudyReport } from "../../reporting/document.js";
import { fitted } from "./fitted.js";

const HEIGHT = 320;
const TOP = 34;
const BOTTOM = 14;
const MARGIN = 70;
/** Between axes, so that what they name can be read: wider drawings scroll. */
const LEAST_STEP = 130;
const LEAST_WIDTH = 640;
const LINE_HEIGHT = 13;

type Plot = StudyReport["parallel"];

export function ParallelDrawing({ plot: { axes, lines } }: { readonly plot: Plot }) {
  const width = Math.max(LEAST_WIDTH, 2 * MARGIN + (axes.length - 1) * LEAST_STEP);
  const step = (width - 2 * MARGIN) / Math.max(1, axes.length - 1);
  const name = `Parallel coordinates of ${lines.length} trials over ${axes.map((axis) => axis.name).join(", ")}`;
  // the worst first: better lines lie over them, and those that stand out over all
  const order = lines.toSorted((a, b) => Number(a.isStrong) - Number(b.isStrong) || b.rank - a.rank);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="drawing" tabIndex={0} aria-label={name}>
      <svg
        class="parallel"
        viewBox={`0 0 ${width} ${HEIGHT}`}
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={name}
      >
        {order.map((line) => (
          <path key={line.name} class={line.isStrong ? "trial strong" : "trial"} d={pathOf(line.places, step)}>
            <title>{line.name}</title>
          </path>
        ))}
        {axes.map((axis, i) => (
          <g key={axis.name} transform={`translate(${round(MARGIN + i * step)} 0)`}>
            <title>{axis.name}</title>
            <line class="axis" y1={TOP} y2={HEIGHT - BOTTOM} />
            <text class="axis-name" y={TOP - 16} text-anchor="middle">
              {fitted(leafOf(axis.name), step - 8)}
            </text>
            {apart(axis.marks).map(({ place, text }) => (
              <text key={text} class="tick" x={6} y={round(y(place) + 4)}>
                {fitted(text, (i === axes.length - 1 ? MARGIN : step) - 12)}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </section>
  );
}

function pathOf(places: Plot["lines"][number]["places"], step: number): string {
  const points = places.flatMap((place, i) =>
    place === null ? [] : [`${round(MARGIN + i * step)} ${round(y(place))}`],
  );
  return `M${points.join("L")}`;
}

/** Without those that would lie over one before them. */
function apart(marks: Plot["axes"][number]["marks"]): Plot["axes"][number]["marks"] {
  const kept: Plot["axes"][number]["marks"][number][] = [];
  for (const mark of marks) {
    if (kept.every(({ place }) => Math.abs(y(place) - y(mark.place)) >= LINE_HEIGHT)) kept.push(mark);
  }
  return kept;
}

function y(place: number): number {
  return HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP);
}

function leafOf(name: string): string {
  return name.slice(Math.max(name.lastIndexOf("."), name.lastIndexOf("/")) + 1);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
