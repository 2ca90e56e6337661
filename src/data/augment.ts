/** @file Augmentation of one picture: random draws, and pixels moved and coloured by them. */
import { i32At, u8At } from "../arrays.js";
import { createRandom } from "./rng.js";

/** How much training pictures may be changed; nothing by default. */
export interface AugmentSettings {
  /** Probability of a mirror image, left and right exchanged. */
  readonly flipHorizontal: number;
  /** Probability of top and bottom exchanged. */
  readonly flipVertical: number;
  /** Largest shift along each axis, as a fraction of the picture's size. */
  readonly shift: number;
  /** Smallest and largest factor of size, about the picture's centre. */
  readonly scale: readonly [smallest: number, largest: number];
  /** Factors are drawn from 1 − value to 1 + value. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

/** How a picture is moved along one axis. */
export interface AxisMove {
  readonly flip: boolean;
  readonly scale: number;
  /** As a fraction of the picture's size. */
  readonly shift: number;
}

/** What happens to one picture. */
export interface Augmentation {
  readonly horizontal: AxisMove;
  readonly vertical: AxisMove;
  /** Factors; 1 changes nothing. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

/** Depends on its arguments alone, so that a resumed run sees the same pictures. @param row of the dataset */
export function drawAugmentation(
  settings: AugmentSettings,
  seed: number | string,
  epoch: number,
  row: number,
): Augmentation {
  const random = createRandom(`augmentation of row ${row} in epoch ${epoch} of seed ${seed}`);
  const between = (low: number, high: number): number => low + (high - low) * random.next();
  // every number is drawn whatever the settings, so that changing one leaves the others' draws as they are
  const [flipX, flipY] = [random.next() < settings.flipHorizontal, random.next() < settings.flipVertical];
  const [shiftX, shiftY] = [between(-settings.shift, settings.shift), between(-settings.shift, settings.shift)];
  const scale = between(...settings.scale);
  const factor = (spread: number): number => between(1 - spread, 1 + spread);
  return {
    horizontal: { flip: flipX, scale, shift: shiftX },
    vertical: { flip: flipY, scale, shift: shiftY },
    brightness: factor(settings.brightness),
    contrast: factor(settings.contrast),
    saturation: factor(settings.saturation),
  };
}

/** Where a place goes: flipped, then scaled about the centre, then shifted. All in fractions of the picture's size. */
export function movePlace({ flip, scale, shift }: AxisMove, place: number): number {
  return 0.5 + scale * ((flip ? 1 - place : place) - 0.5) + shift;
}

export function movesNothing({ flip, scale, shift }: AxisMove): boolean {
  return !flip && scale === 1 && shift === 0;
}

/** A picture in memory. */
export interface PictureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Changes pictures of one size, [height, width, channels], 0…255. Moves are sampled bilinearly, and what comes into
 * view is filled with the nearest edge. Brightness, contrast and saturation, in this order, are those of Pillow's
 * ImageEnhance (and torchvision's ColorJitter): a factor of 0 gives black, the mean grey, and the grey picture.
 */
export function createPictureAugmenter(shape: PictureShape): (pixels: Uint8Array, augmentation: Augmentation) => void {
  const { height, width, channels } = shape;
  const source = new Uint8Array(height * width * channels);
  const line = new Int32Array(width * channels);
  return (pixels, augmentation) => {
    const { horizontal, vertical } = augmentation;
    if (!movesNothing(horizontal) || !movesNothing(vertical)) {
      source.set(pixels);
      resample(source, pixels, shape, line, tapsOf(horizontal, width), tapsOf(vertical, height));
    }
    recolour(pixels, channels, augmentation);
  };
}

/** For each pixel of one axis the two that it is mixed of, and the share of the second in 1/256. */
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Int32Array;
}

function tapsOf({ flip, scale, shift }: AxisMove, size: number): Taps {
  const taps = { first: new Int32Array(size), second: new Int32Array(size), share: new Int32Array(size) };
  for (let i = 0; i < size; i++) {
    // the inverse of movePlace, at the middle of the pixel
    const unshifted = ((i + 0.5) / size - 0.5 - shift) / scale + 0.5;
    const place = (flip ? 1 - unshifted : unshifted) * size - 0.5;
    const inside = Math.min(Math.max(place, 0), size - 1);
    const first = Math.floor(inside);
    taps.first[i] = first;
    taps.second[i] = Math.min(first + 1, size - 1);
    taps.share[i] = Math.round((inside - first) * 256);
  }
  return taps;
}

/** Vertically into a line, then along it: integers with 8 bits of fraction per axis. */
function resample(
  source: Uint8Array,
  out: Uint8Array,
  { height, width, channels }: PictureShape,
  line: Int32Array,
  columns: Taps,
  rows: Taps,
): void {
  const stride = width * channels;
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [i32At(rows.first, y) * stride, i32At(rows.second, y) * stride];
    const share = i32At(rows.share, y);
    for (let i = 0; i < stride; i++) {
      line[i] = u8At(source, top + i) * (256 - share) + u8At(source, bottom + i) * share;
    }
    let to = y * stride;
    for (let x = 0; x < width; x++) {
      const left = i32At(columns.first, x) * channels;
      const right = i32At(columns.second, x) * channels;
      const shareX = i32At(columns.share, x);
      for (let c = 0; c < channels; c++) {
        const mixed = i32At(line, left + c) * (256 - shareX) + i32At(line, right + c) * shareX;
        out[to++] = (mixed + 0x8000) >> 16;
      }
    }
  }
}

function recolour(
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
