/** @file Fewer points that look the same: none that stands out is lost. */
import { isGap, type PlotPoint } from "./curve.js";

/**
 * At most four points for each column of a drawing: the first, the lowest, the highest and the last of those that fall
 * into it, in their order, so that every spike and every gap between columns stays (the M4 aggregation: Jugel et al.,
 * VLDB 2014).
 * @param place from x to [0, 1]
 */
export function decimate<Point extends PlotPoint>(
  points: readonly Point[],
  columns: number,
  place: (x: number) => number,
): readonly Point[] {
  if (points.length <= 4 * columns) return points;
  const kept: Point[] = [];
  let start = 0;
  while (start < points.length) {
    const column = columnOf(points[start], columns, place);
    let end = start + 1;
    while (end < points.length && columnOf(points[end], columns, place) === column) end += 1;
    kept.push(...standingOut(points, start, end));
    start = end;
  }
  return kept;
}

function columnOf(point: PlotPoint | undefined, columns: number, place: (x: number) => number): number {
  return point === undefined ? -1 : Math.min(columns - 1, Math.floor(place(point.x) * columns));
}

function standingOut<Point extends PlotPoint>(points: readonly Point[], start: number, end: number): Point[] {
  let [lowest, highest] = [-1, -1];
  for (let i = start; i < end; i += 1) {
    const point = points[i];
    if (point === undefined || isGap(point)) continue;
    if (lowest < 0 || point.y < (points[lowest]?.y ?? 0)) lowest = i;
    if (highest < 0 || point.y > (points[highest]?.y ?? 0)) highest = i;
  }
  const indices = [...new Set([start, lowest, highest, end - 1])].filter((index) => index >= 0).sort((a, b) => a - b);
  return indices.flatMap((index) => points[index] ?? []);
}
