/** @file Answers to the pixels of a picture → a mask file. */
import { f32At } from "../../../arrays.js";
import type { PixelSize, TaskSpec } from "../../../flow/graph.js";
import { loadSharp } from "../../inputs/sharp.js";

/** 8 bits hold the numbers of so many classes, and the value of pixels that are not asked. */
const MOST_IN_8_BITS = 255;

/**
 * A grey PNG: numbers of classes, 1 for yes and 0 for no, and the largest value where a pixel is not asked: 255, and
 * of more than 255 classes, which take 16 bits, 65535.
 * @param answers [height × width], NaN where a pixel is not asked
 */
export async function writeMask(
  file: string,
  spec: TaskSpec,
  answers: Float32Array,
  [height, width]: PixelSize,
): Promise<void> {
  const open = await loadSharp();
  const isWide = spec.kind === "classification" && spec.classes.length > MOST_IN_8_BITS;
  const samples = isWide ? new Uint16Array(height * width) : new Uint8Array(height * width);
  const unasked = isWide ? 65_535 : 255;
  for (let pixel = 0; pixel < samples.length; pixel++) {
    const answer = f32At(answers, pixel);
    samples[pixel] = Number.isNaN(answer) ? unasked : answer;
  }
  await open(samples, { raw: { width, height, channels: 1 } })
    .toColourspace(isWide ? "grey16" : "b-w")
    .png()
    .toFile(file);
}
