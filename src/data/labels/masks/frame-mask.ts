/** @file A mask at the size of its picture → what of it the network sees, pixel by pixel. */
import { f32At } from "../../../arrays.js";
import { type Framed, planFraming, type PixelSize } from "../../../decoding/framing.js";

/**
 * Nearest neighbour, by the middles of pixels, with the geometry of the picture: stretched, cut, or between bars, which
 * are NaN.
 * @param values [height, width] of the mask
 * @returns [height, width] of the input
 */
export function frameMask(values: Float32Array, mask: PixelSize, framed: Framed): Float32Array {
  const { resized, left, top } = planFraming(framed, mask);
  const [height, width] = framed.size;
  const out = new Float32Array(height * width).fill(Number.NaN);
  const columns = Array.from({ length: width }, (_, x) => sourceOf(x + left, resized.width, mask.width));
  for (let y = 0; y < height; y++) {
    const row = sourceOf(y + top, resized.height, mask.height);
    if (row < 0) continue;
    columns.forEach((column, x) => {
      if (column >= 0) out[y * width + x] = f32At(values, row * mask.width + column);
    });
  }
  return out;
}

/** −1 beyond the picture. */
function sourceOf(place: number, resized: number, size: number): number {
  return place < 0 || place >= resized ? -1 : Math.min(size - 1, Math.floor(((place + 0.5) * size) / resized));
}
