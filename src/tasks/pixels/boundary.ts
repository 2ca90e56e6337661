/** @file How well outlines agree: Csurka et al., "What is a good evaluation measure for semantic segmentation?" (2013). */
import { at, f32At, u8At } from "../../arrays.js";
import type { PixelSize } from "../../flow/graph.js";

/** Part of a picture's diagonal by which an outline may be off: that of Csurka et al. */
const TOLERANCE = 0.0075;

/** In pixels, at least one. */
export function toleranceOf([height, width]: PixelSize): number {
  return Math.max(1, Math.round(TOLERANCE * Math.hypot(height, width)));
}

/** One picture's answers beside its labels. */
export interface Outlined {
  readonly size: PixelSize;
  /** Where the picture's first pixel stands in the arrays. */
  readonly start: number;
  readonly labels: Float32Array;
  readonly decoded: Float32Array;
  /** Pixels that count; all others are no part of the picture. */
  readonly mask: Uint8Array;
}

/**
 * F1 of the outline of one class in one picture: precision is the share of outline pixels of the answer that lie within
 * the tolerance of the labelled outline, recall that of the labelled within the tolerance of the answer's. A pixel is on
 * the outline where it is of the class, and one of its four neighbours that count is not.
 * @returns null where neither has an outline
 */
export function boundaryF1(picture: Outlined, value: number): number | null {
  const labelled = outlineOf(picture, picture.labels, value);
  const answered = outlineOf(picture, picture.decoded, value);
  const [ofLabel, ofAnswer] = [countOf(labelled), countOf(answered)];
  if (ofLabel + ofAnswer === 0) return null;
  if (ofLabel === 0 || ofAnswer === 0) return 0;
  const disk = diskOf(toleranceOf(picture.size));
  const precision = matched(answered, labelled, picture.size, disk) / ofAnswer;
  const recall = matched(labelled, answered, picture.size, disk) / ofLabel;
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

/** [height × width], 1 on the outline. */
function outlineOf({ size, start, mask }: Outlined, answers: Float32Array, value: number): Uint8Array {
  const [height, width] = size;
  const outline = new Uint8Array(height * width);
  const isOther = (pixel: number): boolean =>
    u8At(mask, start + pixel) === 1 && f32At(answers, start + pixel) !== value;
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      if (u8At(mask, start + pixel) === 0 || f32At(answers, start + pixel) !== value) continue;
      const isEdge =
        (x > 0 && isOther(pixel - 1)) ||
        (x < width - 1 && isOther(pixel + 1)) ||
        (y > 0 && isOther(pixel - width)) ||
        (y < height - 1 && isOther(pixel + width));
      if (isEdge) outline[pixel] = 1;
    }
  }
  return outline;
}

function countOf(outline: Uint8Array): number {
  let count = 0;
  for (let pixel = 0; pixel < outline.length; pixel++) count += u8At(outline, pixel);
  return count;
}

/** Steps to all pixels within a distance, the nearest first. */
function diskOf(tolerance: number): readonly (readonly [dy: number, dx: number])[] {
  const steps: [number, number][] = [];
  for (let dy = -tolerance; dy <= tolerance; dy++) {
    for (let dx = -tolerance; dx <= tolerance; dx++) {
      if (dy * dy + dx * dx <= tolerance * tolerance) steps.push([dy, dx]);
    }
  }
  return steps.sort(([ay, ax], [by, bx]) => ay * ay + ax * ax - by * by - bx * bx);
}

/** Pixels of one outline with a pixel of the other in the disk around them. */
function matched(own: Uint8Array, other: Uint8Array, [height, width]: PixelSize, disk: ReturnType<typeof diskOf>) {
  let count = 0;
  for (let pixel = 0; pixel < own.length; pixel++) {
    if (u8At(own, pixel) === 0) continue;
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    for (let i = 0; i < disk.length; i++) {
      const [dy, dx] = at(disk, i);
      const [ny, nx] = [y + dy, x + dx];
      if (ny < 0 || nx < 0 || ny >= height || nx >= width || u8At(other, ny * width + nx) === 0) continue;
      count++;
      break;
    }
  }
  return count;
}
