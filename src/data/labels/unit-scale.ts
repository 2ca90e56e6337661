/** @file What labels need to know of their rows' pictures, where they are pixels of the original or parts of a frame. */
import { f32At } from "../../arrays.js";
import type { PictureFact, TaskSpec } from "../../flow/graph.js";
import { behaviourOf } from "../../tasks/index.js";
import type { UnitScale } from "../../decoding/decoders.js";
import type { ImageInputSpec } from "../dataset.js";
import { frameOf, type PictureFrame } from "../inputs/framing.js";

/** Sizes of the rows' original images in pixels, NaN where unknown. */
export interface ImageSizes {
  readonly width: Float32Array;
  readonly height: Float32Array;
  /** How they become what the network sees; null where there are no images. */
  readonly input: Pick<ImageInputSpec, "size" | "framing"> | null;
}

/** How many unit scales a row of the task's labels has: one for each fact about its picture that they hang on. */
export function scalesPerRow(spec: TaskSpec): number {
  return behaviourOf(spec).imageScales(spec).length;
}

/** [rows, scales of the task]; null where its labels are taken as they are. */
export function unitScaleFrom(spec: TaskSpec, sizes: ImageSizes): UnitScale {
  const facts = behaviourOf(spec).imageScales(spec);
  if (facts.length === 0) return null;
  const { width, height, input } = sizes;
  const isFramed = facts.some((fact) => fact.startsWith("frame"));
  const scales = new Float32Array(width.length * facts.length);
  for (let row = 0; row < width.length; row++) {
    const size = { width: f32At(width, row), height: f32At(height, row) };
    const frame = isFramed && input !== null ? frameOf(input, size) : WHOLE;
    facts.forEach((fact, i) => {
      scales[row * facts.length + i] = factOf(fact, size, frame);
    });
  }
  return scales;
}

const WHOLE: PictureFrame = { left: 0, top: 0, width: 1, height: 1 };

function factOf(
  fact: PictureFact,
  size: { readonly width: number; readonly height: number },
  frame: PictureFrame,
): number {
  switch (fact) {
    case "image-width":
      return size.width;
    case "image-height":
      return size.height;
    case "unit":
      return 1;
    case "frame-left":
      return frame.left;
    case "frame-top":
      return frame.top;
    case "frame-width":
      return frame.width;
    case "frame-height":
      return frame.height;
    default:
      return fact satisfies never;
  }
}
