/** @file Masks moved as their pictures are. */
import { at } from "../../arrays.js";
import { asHomography, movesNothing, type Moves } from "../augment.js";
import { inverse } from "./homography.js";

/**
 * Moves a mask in place, [height, width], by the nearest neighbour of the middle of each pixel, so that a pixel is what
 * its picture shows there.
 * @param beyond what comes into view from outside of the picture
 */
export function moveMask(
  values: Float32Array | Uint8Array,
  [height, width]: readonly [number, number],
  moves: Moves,
  beyond: number,
): void {
  const { warp, horizontal, vertical } = moves;
  if (warp === null && movesNothing(horizontal) && movesNothing(vertical)) return;
  const [a, b, c, d, e, f, g, h, i] = inverse(asHomography(moves));
  const source = values.slice();
  for (let row = 0, to = 0; row < height; row++) {
    const y = (row + 0.5) / height;
    for (let column = 0; column < width; column++, to++) {
      const x = (column + 0.5) / width;
      const w = g * x + h * y + i;
      const fromX = Math.floor(rounded(((a * x + b * y + c) / w) * width));
      const fromY = Math.floor(rounded(((d * x + e * y + f) / w) * height));
      const inside = fromX >= 0 && fromX < width && fromY >= 0 && fromY < height;
      values[to] = inside ? at(source, fromY * width + fromX) : beyond;
    }
  }
}

/** Without the last digits, in which a place between two pixels is neither. */
function rounded(place: number): number {
  return Math.round(place * 1e6) / 1e6;
}
