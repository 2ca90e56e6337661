/** @file Random row numbers, fast enough for millions of draws. */
import type { RandomInt } from "./paired-differences.js";

/**
 * sfc32, a small fast counting generator (Doty-Humphrey, PractRand 0.94, 2018), its words scaled to the bound: a number
 * is up to bound / 2³² more likely than another, which no resampling of rows can notice.
 * @param seed 32-bit words that are already well mixed
 */
export function randomIndices(seed: readonly [number, number, number, number]): RandomInt {
  let [a, b, c, counter] = seed;
  return (bound) => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return Math.floor(((sum >>> 0) / 2 ** 32) * bound);
  };
}
