/** @file Pictures moved and coloured as it was drawn. */
import { f64At, i32At, u8At } from "../../arrays.js";
import { asHomography, type Augmentation, type AxisMove, movesNothing, type Rectangle } from "../augment.js";
import { addNoise, blurPicture, recolour } from "./colours.js";
import { type Homography, inverse } from "./homography.js";
import type { PictureShape } from "./picture-shape.js";

/**
 * Changes pictures of one size, [height, width, channels], 0…255. Moves are sampled bilinearly, and what comes into
 * view is filled with the nearest edge; then come colours, blur, noise, and what is erased. Brightness, contrast and saturation, in this order, are those of Pillow's
 * ImageEnhance (and torchvision's ColorJitter): a factor of 0 gives black, the mean grey, and the grey picture.
 */
export function createPictureAugmenter(shape: PictureShape): (pixels: Uint8Array, augmentation: Augmentation) => void {
  const { height, width, channels } = shape;
  const source = new Uint8Array(height * width * channels);
  const line = new Int32Array(width * channels);
  return (pixels, augmentation) => {
    const { warp, horizontal, vertical, blur, noise, erased } = augmentation;
    if (warp !== null) {
      source.set(pixels);
      project(source, pixels, shape, inverse(asHomography(augmentation)));
    } else if (!movesNothing(horizontal) || !movesNothing(vertical)) {
      source.set(pixels);
      resample(source, pixels, shape, line, tapsOf(horizontal, width), tapsOf(vertical, height));
    }
    recolour(pixels, channels, augmentation);
    if (blur > 0) blurPicture(pixels, shape, blur);
    if (noise !== null) addNoise(pixels, noise);
    if (erased !== null) erase(pixels, shape, erased);
  };
}

/** Samples a picture where each pixel of the new one comes from: bilinearly, beyond the edge the nearest pixel. */
function project(
  source: Uint8Array,
  out: Uint8Array,
  { height, width, channels }: PictureShape,
  [a, b, c, d, e, f, g, h, i]: Homography,
): void {
  let to = 0;
  for (let row = 0; row < height; row++) {
    const y = (row + 0.5) / height;
    for (let column = 0; column < width; column++) {
      const x = (column + 0.5) / width;
      const w = g * x + h * y + i;
      const fromX = within(((a * x + b * y + c) / w) * width - 0.5, width - 1);
      const fromY = within(((d * x + e * y + f) / w) * height - 0.5, height - 1);
      const [left, top] = [Math.floor(fromX), Math.floor(fromY)];
      const [shareX, shareY] = [fromX - left, fromY - top];
      const [right, below] = [left < width - 1 ? channels : 0, top < height - 1 ? width * channels : 0];
      const from = (top * width + left) * channels;
      for (let channel = 0; channel < channels; channel++) {
        const at = from + channel;
        const upper = u8At(source, at) * (1 - shareX) + u8At(source, at + right) * shareX;
        const lower = u8At(source, at + below) * (1 - shareX) + u8At(source, at + below + right) * shareX;
        out[to++] = upper * (1 - shareY) + lower * shareY + 0.5;
      }
    }
  }
}

function within(place: number, last: number): number {
  return place > 0 ? Math.min(place, last) : 0;
}

/** Fills a part with the picture's mean colour. */
function erase(pixels: Uint8Array, { height, width, channels }: PictureShape, part: Rectangle): void {
  const mean = new Float64Array(channels);
  for (let i = 0; i < pixels.length; i++) mean[i % channels] = f64At(mean, i % channels) + u8At(pixels, i);
  const colour = Uint8Array.from(mean, (sum) => Math.round((sum * channels) / pixels.length));
  const edge = (fraction: number, size: number): number => Math.min(size, Math.round(fraction * size));
  const [left, right] = [edge(part.left, width), edge(part.left + part.width, width)];
  for (let y = edge(part.top, height); y < edge(part.top + part.height, height); y++) {
    for (let x = left; x < right; x++) pixels.set(colour, (y * width + x) * channels);
  }
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
