/** @file Answers to the pixels of a picture → a mask file. */
import { f32At } from "../../../arrays.js";
import type { PixelSize, TaskSpec } from "../../../flow/graph.js";

/** Where nothing is asked. */
const UNASKED = 255;

/**
 * An 8-bit grey PNG: numbers of classes, 1 for yes and 0 for no; 255 where a pixel is not asked.
 * @param answers [height × width], NaN where a pixel is not asked
 */
export async function writeMask(
  file: string,
  _spec: TaskSpec,
  answers: Float32Array,
  [height, width]: PixelSize,
): Promise<void> {
  const { default: open } = await import("sharp");
  const bytes = Uint8Array.from({ length: height * width }, (_, pixel) => {
    const answer = f32At(answers, pixel);
    return Number.isNaN(answer) ? UNASKED : answer;
  });
  await open(bytes, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png()
    .toFile(file);
}
