/**
 * @file Pictures brought to the size of a network as training brings them: what libvips 8.18 does behind sharp's
 * `resize({ fit: "fill", kernel })`, so that answers do not depend on which of the two resized. On decoded
 * pixels both agree within one grey level. Measured against sharp 0.35:
 *
 * - An axis that shrinks is first averaged over whole pixels where it shrinks to a quarter or less, then filtered with a
 *   kernel (Lanczos of three lobes, unless asked for another) as wide as the shrink makes it; the vertical axis first,
 *   rounded to bytes each time.
 * - An axis that grows is interpolated at out / scale − 1/2: with Catmull-Rom splines, or linearly. Where one axis grows,
 *   that shift by half a pixel is also the other one's.
 * - Places between pixels are rounded to one 64th, weights are cut off to one 4096th.
 * - By nearest pixels nothing is averaged or weighed: an axis that shrinks to a quarter or less first keeps the first of
 *   every few pixels, then the one that holds the middle of each, and these are sharp's very pixels; an axis that grows
 *   takes the one that holds its start. Where an axis grows and such a place is the very edge of a pixel, the last bit of
 *   a sum decides in libvips, which may take the line beside it, or one line fewer of the axis that shrinks.
 */
import { at, i32At } from "../arrays.js";
import type { ResizeFilter } from "../decoding/framing.js";

export type ResampleFilter = ResizeFilter;
/** Filters that weigh pixels. */
type WeighingFilter = Exclude<ResizeFilter, "nearest">;

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

/** A kernel that pixels are weighted by, and how far it reaches. */
interface Kernel {
  readonly reach: number;
  weight(x: number): number;
}

const KERNELS: { readonly [F in WeighingFilter]: Kernel } = {
  // a sin(πx) sin(πx/a) / (πx)² of three lobes
  lanczos: {
    reach: 3,
    weight(x) {
      const angle = Math.PI * x;
      return x === 0 ? 1 : (3 * Math.sin(angle) * Math.sin(angle / 3)) / (angle * angle);
    },
  },
  // Catmull & Rom, "A class of local interpolating splines" (1974)
  bicubic: {
    reach: 2,
    weight(x) {
      const d = Math.abs(x);
      return d <= 1 ? 1 + d * d * (1.5 * d - 2.5) : 2 + d * (-4 + d * (2.5 - 0.5 * d));
    },
  },
  bilinear: { reach: 1, weight: (x) => 1 - Math.abs(x) },
};

/** The kernel is left at least this much to shrink by after averaging. */
const GAP = 2;
/** Lines that libvips makes at a time. */
const STRIP = 16;
const SHIFT = 12;
const UNIT = 1 << SHIFT;

/**
 * @param pixels [height, width, channels], 0 to 255
 * @returns [to.height, to.width, channels]
 */
export function resample(
  pixels: ArrayLike<number>,
  from: Extent,
  to: Size,
  filter: ResampleFilter = "lanczos",
): Uint8Array {
  if (filter === "nearest") return nearestPixels(pixels, from, to);
  let extent = from;
  let samples: Int32Array = new Int32Array(pixels);
  for (const axis of ["height", "width"] as const) {
    if (to[axis] >= extent[axis]) continue;
    samples = shrink(samples, extent, axis, to[axis], KERNELS[filter]);
    extent = { ...extent, [axis]: to[axis] };
  }
  if (to.width > extent.width || to.height > extent.height) samples = enlarge(samples, extent, to, filter);
  return new Uint8Array(samples);
}

function nearestPixels(pixels: ArrayLike<number>, from: Extent, to: Size): Uint8Array {
  const { width, channels } = from;
  const columns = nearestPlaces(width, to.width, to.width);
  const out = new Uint8Array(to.width * to.height * channels);
  let next = 0;
  for (const line of nearestPlaces(from.height, to.height, STRIP)) {
    for (const column of columns) {
      const pixel = (line * width + column) * channels;
      for (let c = 0; c < channels; c++) out[next++] = at(pixels, pixel + c);
    }
  }
  return out;
}

/**
 * Of each place of an axis that is resized, the place that it is taken from.
 * @param strip places that libvips makes at a time: within them it adds up, and the edge of a pixel is decided by how its
 * sums are rounded
 */
function nearestPlaces(length: number, size: number, strip: number): Int32Array {
  if (size >= length) return Int32Array.from({ length: size }, (_, i) => Math.floor((i * length) / size));
  const factor = length / size;
  const whole = Math.max(1, Math.floor(factor / GAP));
  const kept = Math.floor(length / whole);
  const step = 1 / ((1 / factor) * whole);
  // what is kept may be shorter than the axis: as much is left out on both sides
  const outside = (1 + (size * step - kept)) / 2 - 1;
  const places = new Int32Array(size);
  let place = 0;
  for (let i = 0; i < size; i++) {
    if (i % strip === 0) place = (i + 0.5) * step - 0.5 - outside;
    places[i] = Math.min(Math.max(Math.floor(place), 0), kept - 1) * whole;
    place += step;
  }
  return places;
}

function shrink(samples: Int32Array, from: Extent, axis: Axis, size: number, kernel: Kernel): Int32Array {
  const whole = Math.max(1, Math.floor(from[axis] / size / GAP));
  const length = Math.ceil(from[axis] / whole);
  const averaged = whole === 1 ? samples : average(samples, from, axis, whole, length);
  const factor = from[axis] / size / whole;
  // a factor of 1 leaves nothing to filter
  if (factor === 1) return averaged;
  return clipped(sums(averaged, { ...from, [axis]: length }, axis, kernelTaps(size, factor, kernel)));
}

/** Means of so many neighbours along an axis; the last one repeats the edge where it reaches beyond it. */
function average(samples: Int32Array, extent: Extent, axis: Axis, count: number, length: number): Int32Array {
  const weights = new Int32Array(count).fill(1);
  const taps = Array.from({ length }, (_, i): Taps => ({ start: i * count, weights }));
  const half = count >> 1;
  // libvips multiplies by the cut-off inverse
  const inverse = Math.floor(2 ** 24 / count);
  const totals = sums(samples, extent, axis, taps, 0);
  for (let i = 0; i < totals.length; i++) totals[i] = Math.floor(((i32At(totals, i) + half) * inverse) / 2 ** 24);
  return totals;
}

function enlarge(samples: Int32Array, from: Extent, to: Size, filter: WeighingFilter): Int32Array {
  const tapsOf = filter === "bilinear" ? linearTaps : catmullRomTaps;
  const across = tapsOf(to.width, to.width / from.width);
  const down = tapsOf(to.height, to.height / from.height);
  // between the axes numbers are rounded, but may lie outside of a byte
  const wide = sums(samples, from, "width", across);
  return clipped(sums(wide, { ...from, width: to.width }, "height", down));
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

/** Weights of a kernel that is stretched by the factor. */
function kernelTaps(size: number, factor: number, { reach, weight }: Kernel): Taps[] {
  const count = 2 * Math.round(reach * factor) + 1;
  const half = (count - 1) / 2;
  return Array.from({ length: size }, (_, i): Taps => {
    const { pixel, fraction } = placeOf((i + 0.5) * factor);
    const weights = Array.from({ length: count }, (__, tap) => {
      const x = (tap - half + 0.5 - fraction) / factor;
      return Math.abs(x) >= reach ? 0 : weight(x);
    });
    const sum = weights.reduce((total, each) => total + each, 0);
    return { start: pixel - half, weights: fixedPoint(weights.map((each) => each / sum)) };
  });
}

function linearTaps(size: number, scale: number): Taps[] {
  return Array.from({ length: size }, (_, i): Taps => {
    const position = i / scale - 0.5;
    const start = Math.floor(position);
    const last = Math.trunc((position - start) * UNIT);
    return { start, weights: Int32Array.of(UNIT - last, last) };
  });
}

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
function sums(
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
