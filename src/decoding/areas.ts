/** @file What answers of a task per pixel come to in one picture: the part of it that each region takes. */
import { f32At, u8At } from "../arrays.js";
import { isPerPixel, type TaskSpec } from "../flow/graph.js";
import type { Described } from "./decoders.js";

/** Names of the regions that a task tells apart: its classes; of a yes or no, and of a number, one without a name. */
export function regionsOf(spec: TaskSpec): readonly (string | null)[] {
  return spec.kind === "classification" ? spec.classes : [null];
}

/** Pixels of a picture; 0 of a task that is not asked of pixels. */
export function pixelsOf(spec: TaskSpec): number {
  return isPerPixel(spec) ? spec.size[0] * spec.size[1] : 0;
}

/**
 * Answers or labels of the pixels of one picture, NaN where a pixel does not count.
 * @param mask pixels that count
 * @returns null where none does
 */
export function countedPixels(
  spec: TaskSpec,
  answers: Float32Array,
  mask: Uint8Array,
  row: number,
): Float32Array | null {
  const pixels = pixelsOf(spec);
  const [from, to] = [row * pixels, (row + 1) * pixels];
  const counted = mask.subarray(from, to);
  if (!counted.includes(1)) return null;
  return answers.subarray(from, to).map((answer, pixel) => (counted[pixel] === 1 ? answer : Number.NaN));
}

/**
 * Part of the picture that each region takes, of a number its mean over the pixels that count.
 * @param answers decoded, or labels
 * @param mask pixels that count
 */
export function areasOf(spec: TaskSpec, answers: Float32Array, mask: Uint8Array, row: number): Float32Array {
  const pixels = pixelsOf(spec);
  const isNumber = spec.kind === "regression";
  const areas = new Float32Array(regionsOf(spec).length);
  const sums = new Float64Array(areas.length);
  let known = 0;
  for (let pixel = row * pixels; pixel < (row + 1) * pixels; pixel++) {
    const answer = f32At(answers, pixel);
    if (u8At(mask, pixel) === 0 || Number.isNaN(answer)) continue;
    known++;
    const region = spec.kind === "classification" ? answer : 0;
    sums[region] = (sums[region] ?? 0) + (spec.kind === "classification" ? 1 : answer);
  }
  areas.set(sums.map((sum) => sum / (isNumber ? known : pixels)));
  return areas;
}

/** The regions of a picture and their areas, from the largest down; of a yes or no whether there is any yes, of a number the mean. */
export interface PictureAnswer {
  readonly decoded: Described | readonly Described[];
  readonly activated: readonly number[];
}

export function pictureAnswer(spec: TaskSpec, decoded: Float32Array, asked: Uint8Array, row: number): PictureAnswer {
  const areas = areasOf(spec, decoded, asked, row);
  if (spec.kind === "regression") return { decoded: f32At(areas, 0), activated: [] };
  if (spec.kind === "binary") return { decoded: f32At(areas, 0) > 0, activated: [f32At(areas, 0)] };
  const order = [...areas.keys()].filter((i) => f32At(areas, i) > 0).sort((a, b) => f32At(areas, b) - f32At(areas, a));
  const names = regionsOf(spec);
  return { decoded: order.map((i) => names[i] ?? ""), activated: order.map((i) => f32At(areas, i)) };
}
