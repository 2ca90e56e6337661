/**
 * @file Pictures brought to the size of a network as training brings them: what libvips 8.18 does behind sharp's
 * `resize({ fit: "fill", kernel: "lanczos3" })`, so that answers do not depend on which of the two resized. On decoded
 * pixels both agree within one grey level. Measured against sharp 0.35:
 *
 * - An axis that shrinks is first averaged over whole pixels where it shrinks to a quarter or less, then filtered with a
 *   Lanczos kernel of three lobes, as wide as the shrink makes it; the vertical axis first, rounded to bytes each time.
 * - An axis that grows is interpolated with Catmull-Rom splines at out / scale − 1/2. Where one axis grows, that shift
 *   by half a pixel is also the other one's.
 * - Places between pixels are rounded to one 64th, weights are cut off to one 4096th.
 */
import { i32At } from "../arrays.js";

/** Weights of the pixels of a line that one pixel of the result is made of, in 4096ths. */
interface Taps {
  /** First pixel; pixels before and after the line are its first and last. */
  readonly start: number;
  readonly weights: Int32Array;
}

/** How a picture lies in memory. */
interface Extent {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

type Axis = "width" | "height";
type Size = Pick<Extent, Axis>;

const STEPS = 64;
const LOBES = 3;
/** The kernel is left at least this much to shrink by after averaging. */
const GAP = 2;
const SHIFT = 12;
const UNIT = 1 << SHIFT;

/**
 * @param pixels [height, width, channels], 0 to 255
 * @returns [to.height, to.width, channels]
 */
export function resample(pixels: ArrayLike<number>, from: Extent, to: Size): Uint8Array {
  let extent = from;
  let samples: Int32Array = new Int32Array(pixels);
  for (const axis of ["height", "width"] as const) {
    if (to[axis] >= extent[axis]) continue;
    samples = shrink(samples, extent, axis, to[axis]);
    extent = { ...extent, [axis]: to[axis] };
  }
  if (to.width > extent.width || to.height > extent.height) samples = enlarge(samples, extent, to);
  return new Uint8Array(samples);
}

function shrink(samples: Int32Array, from: Extent, axis: Axis, size: number): Int32Array {
  const whole = Math.max(1, Math.floor(from[axis] / size / GAP));
  const length = Math.ceil(from[axis] / whole);
  const averaged = whole === 1 ? samples : average(samples, from, axis, whole, length);
  const factor = from[axis] / size / whole;
  // a factor of 1 leaves nothing to filter
  if (factor === 1) return averaged;
  return clipped(filter(averaged, { ...from, [axis]: length }, axis, lanczosTaps(size, factor)));
}

/** Means of so many neighbours along an axis; the last one repeats the edge where it reaches beyond it. */
function average(samples: Int32Array, extent: Extent, axis: Axis, count: number, length: number): Int32Array {
  const weights = new Int32Array(count).fill(1);
  const taps = Array.from({ length }, (_, i): Taps => ({ start: i * count, weights }));
  const half = count >> 1;
  // libvips multiplies by the cut-off inverse
  const inverse = Math.floor(2 ** 24 / count);
  const sums = filter(samples, extent, axis, taps, 0);
  for (let i = 0; i < sums.length; i++) sums[i] = Math.floor(((i32At(sums, i) + half) * inverse) / 2 ** 24);
  return sums;
}

function enlarge(samples: Int32Array, from: Extent, to: Size): Int32Array {
  const across = catmullRomTaps(to.width, to.width / from.width);
  const down = catmullRomTaps(to.height, to.height / from.height);
  // between the axes numbers are rounded, but may lie outside of a byte
  const wide = filter(samples, from, "width", across);
  return clipped(filter(wide, { ...from, width: to.width }, "height", down));
}

function clipped(samples: Int32Array): Int32Array {
  for (let i = 0; i < samples.length; i++) samples[i] = Math.min(Math.max(i32At(samples, i), 0), 255);
  return samples;
}

/** Splits a place into its pixel and the fraction after it, in steps of one 64th. */
function placeOf(position: number): { readonly pixel: number; readonly fraction: number } {
  const pixel = Math.floor(position);
  return { pixel, fraction: Math.floor((Math.floor((position - pixel) * STEPS * 2) + 1) / 2) / STEPS };
}

/** Lanczos: a sin(πx) sin(πx/a) / (πx)², of three lobes, stretched by the factor. */
function lanczosTaps(size: number, factor: number): Taps[] {
  const count = 2 * Math.round(LOBES * factor) + 1;
  const half = (count - 1) / 2;
  return Array.from({ length: size }, (_, i): Taps => {
    const { pixel, fraction } = placeOf((i + 0.5) * factor);
    const weights = Array.from({ length: count }, (__, tap) => lanczos((tap - half + 0.5 - fraction) / factor));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { start: pixel - half, weights: fixedPoint(weights.map((weight) => weight / sum)) };
  });
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / (angle * angle);
}

/** Catmull & Rom, "A class of local interpolating splines" (1974). */
function catmullRomTaps(size: number, scale: number): Taps[] {
  return Array.from({ length: size }, (_, i): Taps => {
    const { pixel, fraction: x } = placeOf(i / scale - 0.5);
    const outer = -0.5 * x * (1 - x);
    const [first, last] = [outer * (1 - x), outer * x];
    const second = 1 - x - first + (last - first);
    const weights = [first, second, x - last - (last - first), last];
    return { start: pixel - 1, weights: fixedPoint(weights) };
  });
}

/** Weights in 4096ths, cut off. */
function fixedPoint(weights: readonly number[]): Int32Array {
  return Int32Array.from(weights, (weight) => Math.trunc(weight * UNIT));
}

/**
 * Weighted sums along one axis.
 * @param shift bits that they are rounded by
 */
function filter(
  samples: Int32Array,
  { width, height, channels }: Extent,
  axis: Axis,
  taps: readonly Taps[],
  shift = SHIFT,
): Int32Array {
  const isAcross = axis === "width";
  const [length, lines, step] = isAcross ? [width, height, channels] : [height, 1, width * channels];
  const out = new Int32Array(lines * taps.length * step);
  const round = shift === 0 ? 0 : 1 << (shift - 1);
  taps.forEach(({ start, weights }, place) => {
    const offsets = weights.map((_, tap) => Math.min(Math.max(start + tap, 0), length - 1) * step);
    for (let line = 0; line < lines; line++) {
      const [from, to] = [line * length * step, (line * taps.length + place) * step];
      for (let i = 0; i < step; i++) {
        let sum = round;
        for (let tap = 0; tap < weights.length; tap++) {
          sum += i32At(weights, tap) * i32At(samples, from + i32At(offsets, tap) + i);
        }
        out[to + i] = sum >> shift;
      }
    }
  });
  return out;
}
