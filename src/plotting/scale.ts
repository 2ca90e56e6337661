/** @file From values to places on an axis: linear or logarithmic. */
import type { Extent } from "./curve.js";

export interface Scale extends Extent {
  readonly kind: "linear" | "log";
  /** 0 at the low end, 1 at the high one; NaN for what has no place, as zero on a logarithmic axis. */
  readonly place: (value: number) => number;
}

// ticks closer than that are the same number in print
const LEAST_RELATIVE_SPAN = 1e-12;
// below it numbers lose their digits
const LEAST_SPAN = 1e-300;

/** Equal steps for equal differences. A constant has room on either side. */
export function linearScale({ low, high }: Extent): Scale {
  const most = Math.max(Math.abs(low), Math.abs(high));
  const isConstant = high / 2 - low / 2 <= Math.max(LEAST_SPAN, (LEAST_RELATIVE_SPAN * most) / 2);
  const room = isConstant ? (most < LEAST_SPAN ? 1 : most * 0.1) : 0;
  const [from, to] = [Math.max(-Number.MAX_VALUE, low - room), Math.min(Number.MAX_VALUE, high + room)];
  // halves: the span of ±1.7e308 is no number
  const span = to / 2 - from / 2;
  return { kind: "linear", low: from, high: to, place: (value) => (value / 2 - from / 2) / span };
}

/** Equal steps for equal ratios. @param extent above zero */
export function logScale({ low, high }: Extent): Scale {
  const isConstant = Math.log10(high) - Math.log10(low) <= LEAST_RELATIVE_SPAN;
  const room = isConstant ? Math.sqrt(10) : 1;
  const [from, to] = [Math.max(Number.MIN_VALUE, low / room), Math.min(Number.MAX_VALUE, high * room)];
  const start = Math.log10(from);
  const span = Math.log10(to) - start;
  return {
    kind: "log",
    low: from,
    high: to,
    place: (value) => (value > 0 ? (Math.log10(value) - start) / span : Number.NaN),
  };
}

/** The scale of an axis, which spans 0 … 1 where there is nothing to show. */
export function scaleOf(extent: Extent | null, kind: Scale["kind"]): Scale {
  if (kind === "log") return logScale(extent ?? { low: 0.1, high: 1 });
  return linearScale(extent ?? { low: 0, high: 1 });
}
