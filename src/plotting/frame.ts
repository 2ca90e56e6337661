/** @file The scales of a drawing's two axes, and what of its curves has a place on them. */
import { extentOf, isGap, type PlotCurve, type PlotPoint, valuesOf } from "./curve.js";
import { type Scale, scaleOf } from "./scale.js";

export interface Frame {
  readonly x: Scale;
  readonly y: Scale;
}

/** The smallest frame that holds all curves. @param log a logarithmic y axis, on which zero and below have no place */
export function frameOf(curves: readonly PlotCurve[], log: boolean): Frame {
  const accepts = log ? (value: number) => Number.isFinite(value) && value > 0 : Number.isFinite;
  return {
    x: scaleOf(extentOf(valuesOf(curves, "x")), "linear"),
    y: scaleOf(extentOf(valuesOf(curves, "y"), accepts), log ? "log" : "linear"),
  };
}

/** The parts of a curve between its gaps. */
export function stretches(points: readonly PlotPoint[], { y }: Frame): PlotPoint[][] {
  const parts: PlotPoint[][] = [];
  let part: PlotPoint[] = [];
  for (const point of points) {
    if (!isGap(point) && !Number.isNaN(y.place(point.y))) part.push(point);
    else if (part.length > 0) {
      parts.push(part);
      part = [];
    }
  }
  return part.length > 0 ? [...parts, part] : parts;
}

/** Values of curves that a drawing cannot show: NaN and infinities, and on a logarithmic axis zero and below. */
export function countHidden(
  curves: readonly PlotCurve[],
  { y }: Frame,
): { readonly gaps: number; readonly notPositive: number } {
  let [gaps, notPositive] = [0, 0];
  for (const { points } of curves) {
    for (const point of points) {
      if (isGap(point)) gaps += 1;
      else if (Number.isNaN(y.place(point.y))) notPositive += 1;
    }
  }
  return { gaps, notPositive };
}
