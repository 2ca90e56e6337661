/** @file What labels need to know of their rows' pictures, where they are pixels of the original or parts of a frame. */
import { f32At } from "../arrays.js";
import type { PictureFact } from "../flow/graph.js";
import type { UnitScale } from "./decoders.js";
import { type Framed, frameOf, type PictureFrame } from "./framing.js";

/** Sizes of the rows' original images in pixels, NaN where unknown. */
export interface ImageSizes {
  readonly width: Float32Array;
  readonly height: Float32Array;
  /** How they become what the network sees; null where there are no images. */
  readonly input: Framed | null;
}

/** [rows, facts]; null where labels are taken as they are. @param facts what a task needs to know of a picture */
export function unitScaleBy(facts: readonly PictureFact[], sizes: ImageSizes): UnitScale {
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
