/** @file Round numbers on an axis, and how they are written. */
import type { Scale } from "./scale.js";

export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** What an axis counts: any number, whole numbers (steps, epochs), or seconds. */
export type AxisUnit = "number" | "whole" | "seconds";

/** About so many ticks of a scale, ascending, with labels that tell each from the next. */
export function ticksOf(scale: Scale, count: number, unit: AxisUnit = "number"): Tick[] {
  if (count < 1) return [];
  if (scale.kind === "log") return logTicks(scale, count);
  if (unit === "seconds" && scale.high - scale.low >= count) return timeTicks(scale, count);
  const step = Math.max(unit === "whole" ? 1 : 0, niceStep(scale.high / count - scale.low / count));
  return labelled(multiples(scale, step), step, unit === "seconds" ? "s" : "");
}

/** The number of 1, 2, 5 times a power of ten that is nearest, by ratio. */
export function niceStep(wanted: number): number {
  const exponent = Math.floor(Math.log10(wanted));
  const ratio = wanted / tenTo(exponent);
  if (ratio >= Math.sqrt(50)) return tenTo(exponent + 1);
  return (ratio >= Math.sqrt(10) ? 5 : ratio >= Math.SQRT2 ? 2 : 1) * tenTo(exponent);
}

// 10 ** -5 is not 1e-5, and 10 ** 309 is none
const tenTo = (exponent: number): number => Number(`1e${exponent}`);

function multiples({ low, high }: Scale, step: number): number[] {
  // numbers so small that no step between them can be told
  if (!(step > 0)) return [];
  // a division by rounding has an error of its own at the ends
  const slack = 1e-9;
  const [first, last] = [Math.ceil(low / step - slack), Math.floor(high / step + slack)];
  const exponent = Math.floor(Math.log10(step));
  const digits = Math.round(step / tenTo(exponent));
  // decimal, so that 3 × 0.1 is 0.3
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(`${(first + i) * digits}e${exponent}`));
}

function labelled(values: readonly number[], step: number, unit = ""): Tick[] {
  const most = Math.max(0, ...values.map(Math.abs));
  return values.map((value) => ({ value, label: `${numberLabel(value, step, most)}${unit}` }));
}

/** With the decimals that a step needs; very large and very small numbers with an exponent. */
function numberLabel(value: number, step: number, most: number): string {
  if (value === 0) return "0";
  const stepExponent = Math.floor(Math.log10(step) + 1e-9);
  if (most >= 1e6 || most < 1e-3) {
    const digits = Math.max(0, Math.floor(Math.log10(Math.abs(value)) + 1e-9) - stepExponent);
    return value.toExponential(Math.min(digits, 15)).replace("e+", "e");
  }
  return value.toFixed(Math.min(14, Math.max(0, -stepExponent)));
}

/** Powers of ten, in steps of several where there are many, with 2 and 5 between where there are few. */
function logTicks(scale: Scale, count: number): Tick[] {
  const [first, last] = [Math.ceil(Math.log10(scale.low) - 1e-9), Math.floor(Math.log10(scale.high) + 1e-9)];
  const decades = last - first + 1;
  const every = Math.max(1, niceStep(decades / count));
  const powers = Array.from({ length: Math.max(0, decades) }, (_, i) => first + i).filter(
    (power) => power % every === 0,
  );
  const between = [first - 1, ...powers].flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  const within = between.filter((value) => value >= scale.low && value <= scale.high);
  const values = powers.length >= 2 && within.length > 1.5 * count ? powers.map(tenTo) : within;
  if (values.length >= 2) return values.map((value) => ({ value, label: powerLabel(value) }));
  // less than a factor of two: as on a linear axis
  const step = niceStep((scale.high - scale.low) / count);
  return labelled(multiples(scale, step), step);
}

function powerLabel(value: number): string {
  return value >= 1e-3 && value < 1e6 ? String(value) : value.toExponential(0).replace("e+", "e");
}

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

function timeTicks(scale: Scale, count: number): Tick[] {
  const wanted = (scale.high - scale.low) / count;
  const step = TIME_STEPS.find((known) => known >= wanted) ?? DAY * Math.max(1, Math.round(niceStep(wanted / DAY)));
  const first = Math.ceil(scale.low / step - 1e-9);
  const last = Math.floor(scale.high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const value = (first + i) * step;
    return { value, label: timeLabel(value) };
  });
}

/** `45s`, `2m`, `1h30`, `2d`. */
export function timeLabel(seconds: number): string {
  const [sign, whole] = [seconds < 0 ? "-" : "", Math.round(Math.abs(seconds))];
  const [days, hours] = [Math.floor(whole / DAY), Math.floor((whole % DAY) / HOUR)];
  const [minutes, rest] = [Math.floor((whole % HOUR) / MINUTE), whole % MINUTE];
  const two = (n: number): string => (n === 0 ? "" : String(n).padStart(2, "0"));
  if (days > 0) return `${sign}${days}d${hours === 0 ? "" : `${hours}h`}`;
  if (hours > 0) return `${sign}${hours}h${two(minutes)}`;
  if (minutes > 0) return `${sign}${minutes}m${two(rest)}`;
  return `${sign}${rest}s`;
}

/** A value of a curve in about five digits, as legends show it. */
export function valueLabel(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const size = Math.abs(value);
  if (value === 0 || (Number.isInteger(value) && size < 1e6)) return String(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace("e+", "e");
  return size >= 1000
    ? value.toFixed(1)
    : size >= 100
      ? value.toFixed(2)
      : size >= 1e-2
        ? value.toFixed(4)
        : value.toPrecision(3);
}
