/** @file Occlusion: which parts of a picture an answer hangs on, of networks of which only the answers are known. */
import { f32At } from "../../arrays.js";

/** A rectangle of pixels. */
export interface Patch {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Patches along a side, of which neighbours share a half. */
const ALONG_SIDE = 11;

/**
 * Patches that cover a picture, each place by up to four of them.
 * @param size [height, width]
 */
export function patchesOf([height, width]: readonly [number, number]): Patch[] {
  const rows = stretchesOf(height);
  const columns = stretchesOf(width);
  return rows.flatMap(([top, bottom]) =>
    columns.map(([left, right]) => ({ top, left, height: bottom - top, width: right - left })),
  );
}

/** Stretches of a side: the first begins at 0, and the last ends with the side. */
function stretchesOf(length: number): (readonly [from: number, to: number])[] {
  const count = Math.min(ALONG_SIDE, length);
  // half a stretch further each time
  const step = length / (count + 1);
  return Array.from({ length: count }, (_, i) => [Math.round(i * step), Math.round((i + 2) * step)] as const);
}

/**
 * A picture of which a patch shows nothing but the picture's mean colour.
 * @param pixels [height, width, channels], 0 to 255
 */
export function occluded(
  pixels: Uint8Array,
  width: number,
  channels: number,
  { top, left, height, width: across }: Patch,
): Uint8Array {
  const mean = Array.from({ length: channels }, () => 0);
  pixels.forEach((value, i) => {
    mean[i % channels] = (mean[i % channels] ?? 0) + value;
  });
  const colour = Uint8Array.from(mean, (sum) => Math.round(sum / (pixels.length / channels)));
  const covered = pixels.slice();
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + across; x++) covered.set(colour, (y * width + x) * channels);
  }
  return covered;
}

/**
 * How much each pixel speaks for an answer: the mean, over the patches that cover it, of what the answer loses without
 * them; what speaks against it is left out (Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks", 2014,
 * §4.2, with patches that overlap).
 * @param losses aligned with `patches`
 * @returns [height × width], 1 is the most of all pixels
 */
export function occlusionMap(
  losses: readonly number[],
  patches: readonly Patch[],
  [height, width]: readonly [number, number],
): Float32Array {
  const sums = new Float32Array(height * width);
  const counts = new Float32Array(height * width);
  patches.forEach(({ top, left, height: down, width: across }, i) => {
    for (let y = top; y < top + down; y++) {
      for (let x = left; x < left + across; x++) {
        sums[y * width + x] = f32At(sums, y * width + x) + (losses[i] ?? 0);
        counts[y * width + x] = f32At(counts, y * width + x) + 1;
      }
    }
  });
  const mean = sums.map((sum, i) => Math.max(0, sum / Math.max(1, f32At(counts, i))));
  const most = mean.reduce((max, value) => Math.max(max, value), 0);
  return most === 0 ? mean : mean.map((value) => value / most);
}
