/** @file Label units per unit of a row's picture, for tasks whose labels are pixels of the original image. */
import { at } from "../arrays.js";
import type { ImageScale } from "../flow/graph.js";
import type { UnitScale } from "./decoders.js";

/** Sizes of the rows' original images in pixels, NaN where unknown. */
export interface ImageSizes {
  readonly width: Float32Array;
  readonly height: Float32Array;
}

/** [rows, sides]; null where labels are taken as they are. @param scales the sides that a task's labels are divided by */
export function unitScaleBy(scales: readonly ImageScale[], { width, height }: ImageSizes): UnitScale {
  const sides = scales.map((scale) => (scale === "image-width" ? width : height));
  const [first, ...others] = sides;
  if (first === undefined || others.length === 0) return first ?? null;
  return Float32Array.from({ length: first.length * sides.length }, (_, i) =>
    at(at(sides, i % sides.length), Math.floor(i / sides.length)),
  );
}
