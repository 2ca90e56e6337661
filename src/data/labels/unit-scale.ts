/** @file Label units per unit of a row's picture, for tasks whose labels are pixels of the original image. */
import { at } from "../../arrays.js";
import type { TaskSpec } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { UnitScale } from "../../decoding/decoders.js";

/** Sizes of the rows' original images in pixels, NaN where unknown. */
export interface ImageSizes {
  readonly width: Float32Array;
  readonly height: Float32Array;
}

/** How many unit scales a row of the task's labels has: one for each side of the image that its numbers are divided by. */
export function scalesPerRow(spec: TaskSpec): number {
  return behaviourOf(spec).imageScales(spec).length;
}

/** [rows, scales of the task]; null where its labels are taken as they are. */
export function unitScaleFrom(spec: TaskSpec, { width, height }: ImageSizes): UnitScale {
  const sides = behaviourOf(spec)
    .imageScales(spec)
    .map((scale) => (scale === "image-width" ? width : height));
  const [first, ...others] = sides;
  if (first === undefined || others.length === 0) return first ?? null;
  return Float32Array.from({ length: first.length * sides.length }, (_, i) =>
    at(at(sides, i % sides.length), Math.floor(i / sides.length)),
  );
}
