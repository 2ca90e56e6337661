/** @file Scores in order, in linear time: a radix sort on the bits of single-precision numbers. */

import { u32At, u8At } from "../../arrays.js";

/** Answers to one yes-or-no question, from the lowest score to the highest. */
export interface RankedAnswers {
  /** Ascending; negative zeros have become zeros. Shape [answers]. */
  readonly scores: Float32Array;
  /** 1 where the answer is truly yes; aligned with `scores`. */
  readonly truths: Uint8Array;
}

// three passes over 11 bits each cover the 32 bits of a key
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const SHIFTS = [0, DIGIT_BITS, 2 * DIGIT_BITS] as const;

const SIGN = 0x80000000;

/**
 * Sorts scores, and their truths with them. Least-significant-digit radix sort (Knuth, The Art of Computer
 * Programming, vol. 3, §5.2.5), which needs no comparator call per pair. Stable; NaN is not allowed.
 * @param scores [answers]; not changed
 * @param truths [answers]; not changed
 */
export function sortByScore(scores: Float32Array, truths: Uint8Array): RankedAnswers {
  let keys = toKeys(scores);
  let flags = truths.slice();
  // a constant answer has one score
  if (keys.every((key) => key === keys[0])) return { scores: toScores(keys), truths: flags };
  let sortedKeys = new Uint32Array(keys.length);
  let sortedFlags = new Uint8Array(keys.length);
  for (const shift of SHIFTS) {
    const next = digitStarts(keys, shift);
    for (let i = 0; i < keys.length; i++) {
      const key = u32At(keys, i);
      const digit = (key >>> shift) & (DIGITS - 1);
      const at = u32At(next, digit);
      next[digit] = at + 1;
      sortedKeys[at] = key;
      sortedFlags[at] = u8At(flags, i);
    }
    [keys, sortedKeys] = [sortedKeys, keys];
    [flags, sortedFlags] = [sortedFlags, flags];
  }
  return { scores: toScores(keys), truths: flags };
}

/** Where each digit's first key goes. */
function digitStarts(keys: Uint32Array, shift: number): Uint32Array {
  const starts = new Uint32Array(DIGITS);
  for (let i = 0; i < keys.length; i++) {
    const digit = (u32At(keys, i) >>> shift) & (DIGITS - 1);
    starts[digit] = u32At(starts, digit) + 1;
  }
  let sum = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = u32At(starts, digit);
    starts[digit] = sum;
    sum += count;
  }
  return starts;
}

/** Unsigned integers in the order of the scores: IEEE 754 bits with the sign flipped, all bits if negative. */
function toKeys(scores: Float32Array): Uint32Array<ArrayBuffer> {
  // adding zero turns −0 into 0, so that both are one score
  const keys = new Uint32Array(scores.map((score) => score + 0).buffer);
  for (let i = 0; i < keys.length; i++) {
    const bits = u32At(keys, i);
    keys[i] = bits & SIGN ? ~bits : bits | SIGN;
  }
  return keys;
}

/** Inverse of {@link toKeys}, in place. */
function toScores(keys: Uint32Array<ArrayBuffer>): Float32Array {
  for (let i = 0; i < keys.length; i++) {
    const key = u32At(keys, i);
    keys[i] = key & SIGN ? key ^ SIGN : ~key;
  }
  return new Float32Array(keys.buffer);
}
