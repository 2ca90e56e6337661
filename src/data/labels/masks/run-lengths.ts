/** @file Masks written as run lengths: pixels in columns, from top to bottom, then from left to right. */
import type { PixelSize } from "../../../decoding/framing.js";

/** Whether a cell's text is run lengths rather than the path of a file. */
export function isRunLengths(text: string): boolean {
  return /^\s*(?:-1|\d+(?:\s+\d+)*)\s*$/.test(text);
}

/**
 * Pairs of a first pixel, counted from 1, and how many: the form of Kaggle's competitions ("1 3 10 5" are the pixels 1, 2,
 * 3 and 10 to 14; Data Science Bowl 2018, Evaluation). "-1" is a mask without a pixel.
 * @returns [height, width] row by row, 1 where a run is; or what is wrong
 */
export function readPairs(text: string, size: PixelSize): Uint8Array | string {
  if (text.trim() === "-1") return new Uint8Array(size.height * size.width);
  const numbers = text.trim().split(/\s+/).map(Number);
  if (numbers.length % 2 === 1) return `has ${numbers.length} numbers, which are no pairs of start and length`;
  const runs: [number, number][] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const [start = 0, length = 0] = numbers.slice(i, i + 2);
    if (start < 1) return "begins a run at pixel 0; pixels are counted from 1";
    if (start - 1 + length > size.height * size.width) return beyond(start - 1 + length, size);
    runs.push([start - 1, length]);
  }
  return painted(runs, size);
}

/**
 * Alternating lengths of zeros and ones, zeros first: COCO's uncompressed counts, in column-major order
 * (cocodataset/cocoapi, PythonAPI/pycocotools/mask.py).
 * @returns as `readPairs`
 */
export function readCounts(counts: readonly unknown[], size: PixelSize): Uint8Array | string {
  const runs: [number, number][] = [];
  let at = 0;
  for (const [i, count] of counts.entries()) {
    if (typeof count !== "number" || !Number.isInteger(count) || count < 0) {
      return `has the count ${JSON.stringify(count)}; counts are whole numbers from 0 on`;
    }
    if (i % 2 === 1) runs.push([at, count]);
    at += count;
  }
  if (at !== size.height * size.width) {
    return `has counts of ${at} pixels, but its size is ${size.height} × ${size.width} = ${size.height * size.width}`;
  }
  return painted(runs, size);
}

function beyond(pixels: number, { width, height }: PixelSize): string {
  return `has a run up to pixel ${pixels}, but its picture has ${height} × ${width} = ${height * width}`;
}

/** @param runs [first pixel from 0, length] in columns */
function painted(runs: readonly (readonly [number, number])[], { width, height }: PixelSize): Uint8Array {
  const out = new Uint8Array(height * width);
  for (const [start, length] of runs) {
    for (let i = start; i < start + length; i++) out[(i % height) * width + Math.floor(i / height)] = 1;
  }
  return out;
}
