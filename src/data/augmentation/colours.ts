/** @file Colours of a picture: brightness, contrast, saturation, blur and noise. */
import { f32At, f64At, u8At } from "../../arrays.js";
import type { Augmentation, Noise } from "../augment.js";
import { createRandom } from "../rng.js";

/** Changes brightness, contrast and saturation, in this order. */
export function recolour(
  pixels: Uint8Array,
  channels: number,
  { brightness, contrast, saturation }: Pick<Augmentation, "brightness" | "contrast" | "saturation">,
): void {
  const table = IDENTITY_TABLE.slice();
  if (brightness !== 1) for (let i = 0; i < 256; i++) table[i] = i * brightness;
  if (contrast !== 1) {
    const mean = Math.round(meanGrey(pixels, channels, table));
    for (let i = 0; i < 256; i++) table[i] = mean + (u8At(table, i) - mean) * contrast;
  }
  if (saturation !== 1 && channels === 3) saturate(pixels, table, saturation);
  else if (brightness !== 1 || contrast !== 1) {
    for (let i = 0; i < pixels.length; i++) pixels[i] = u8At(table, pixels[i] as number);
  }
}

/** What each value 0…255 becomes, rounded and kept in 0…255. */
type Table = Uint8ClampedArray;

const IDENTITY_TABLE: Table = Uint8ClampedArray.from({ length: 256 }, (_, value) => value);

/** ITU-R BT.601 luma, rounded, as Pillow's "L" mode. */
function grey(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

function meanGrey(pixels: Uint8Array, channels: number, table: Table): number {
  const at = (i: number): number => u8At(table, pixels[i] as number);
  let sum = 0;
  if (channels === 3) for (let i = 0; i < pixels.length; i += 3) sum += grey(at(i), at(i + 1), at(i + 2));
  else for (let i = 0; i < pixels.length; i++) sum += at(i);
  return sum / (pixels.length / channels);
}

/** @param table applied before */
function saturate(pixels: Uint8Array, table: Table, factor: number): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const red = u8At(table, pixels[i] as number);
    const green = u8At(table, pixels[i + 1] as number);
    const blue = u8At(table, pixels[i + 2] as number);
    const base = grey(red, green, blue);
    pixels[i] = toByte(base + (red - base) * factor);
    pixels[i + 1] = toByte(base + (green - base) * factor);
    pixels[i + 2] = toByte(base + (blue - base) * factor);
  }
}

function toByte(value: number): number {
  return Math.min(255, Math.max(0, value + 0.5)) | 0;
}

/**
 * Blurs with a Gaussian, cut off at three standard deviations; beyond the edge the nearest pixel counts.
 * @param deviation in pixels
 */
export function blurPicture(
  pixels: Uint8Array,
  { height, width, channels }: { readonly height: number; readonly width: number; readonly channels: number },
  deviation: number,
): void {
  const kernel = gaussian(deviation);
  const between = new Float32Array(pixels.length);
  const rows = Float32Array.from(pixels);
  smooth(rows, between, kernel, {
    lines: height,
    lineStride: width * channels,
    length: width,
    stride: channels,
    channels,
  });
  smooth(between, rows, kernel, {
    lines: width,
    lineStride: channels,
    length: height,
    stride: width * channels,
    channels,
  });
  for (let i = 0; i < pixels.length; i++) pixels[i] = f32At(rows, i) + 0.5;
}

/** Weights of the places from −n to n, which sum to one. */
function gaussian(deviation: number): Float64Array {
  const reach = Math.max(1, Math.ceil(3 * deviation));
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - reach) / deviation) ** 2),
  );
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** Parallel lines of pixels in an array. */
interface Lines {
  readonly lines: number;
  readonly lineStride: number;
  /** Pixels of a line. */
  readonly length: number;
  readonly stride: number;
  readonly channels: number;
}

function smooth(from: Float32Array, to: Float32Array, kernel: Float64Array, along: Lines): void {
  const reach = (kernel.length - 1) / 2;
  for (let line = 0; line < along.lines; line++) {
    for (let channel = 0; channel < along.channels; channel++) {
      const start = line * along.lineStride + channel;
      for (let i = 0; i < along.length; i++) {
        let sum = 0;
        for (let k = -reach; k <= reach; k++) {
          const place = Math.min(Math.max(i + k, 0), along.length - 1);
          sum += f64At(kernel, k + reach) * f32At(from, start + place * along.stride);
        }
        to[start + i * along.stride] = sum;
      }
    }
  }
}

/** Adds to every value a draw from a normal distribution (Box and Muller 1958). */
export function addNoise(pixels: Uint8Array, { deviation, seed }: Noise): void {
  const random = createRandom(seed);
  for (let i = 0; i < pixels.length; i += 2) {
    // of (0, 1], whose logarithm is finite
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.next()));
    const angle = 2 * Math.PI * random.next();
    pixels[i] = toByte(u8At(pixels, i) + radius * Math.cos(angle));
    if (i + 1 < pixels.length) pixels[i + 1] = toByte(u8At(pixels, i + 1) + radius * Math.sin(angle));
  }
}
