/** @file A small seeded random generator whose state can be saved. */
import { createHash } from "node:crypto";

/** The four words of the generator's state. */
export type RandomState = readonly [number, number, number, number];

export interface Random {
  /** Uniform in [0, 1), a multiple of 2⁻⁵³. */
  next(): number;
  /** Uniform integer in [0, bound). @param bound from 1 to 2³² */
  int(bound: number): number;
  /** Shuffles in place and returns the same array. */
  shuffle<Items extends { [index: number]: unknown; readonly length: number }>(items: Items): Items;
  state(): RandomState;
  restore(state: RandomState): void;
}

/**
 * xoshiro128** 1.1 (Blackman & Vigna, Scrambled linear pseudorandom number generators, ACM TOMS 47, 2021),
 * seeded by the first 16 bytes of SHA-256 of the seed's text, so that near seeds give unrelated sequences.
 * Same seed, same sequence, on every machine.
 */
export function createRandom(seed: number | string): Random {
  const digest = createHash("sha256").update(String(seed)).digest();
  const words = new Uint32Array(4).map((_, i) => digest.readUInt32LE(4 * i));
  return randomOf(words);
}

function randomOf(s: Uint32Array): Random {
  const nextUint32 = (): number => step(s);
  const int = (bound: number): number => {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) throw new RangeError(`no integer in [0, ${bound})`);
    // draws past the last whole multiple of the bound would favour small numbers
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let drawn = nextUint32();
    while (drawn >= limit) drawn = nextUint32();
    return drawn % bound;
  };
  return {
    next: () => ((nextUint32() >>> 5) * 2 ** 26 + (nextUint32() >>> 6)) / 2 ** 53,
    int,
    shuffle(items) {
      // Durstenfeld, Algorithm 235, CACM 7 (1964)
      const array: { [index: number]: unknown; readonly length: number } = items;
      for (let i = array.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [array[i], array[j]] = [array[j], array[i]];
      }
      return items;
    },
    state: () => [...s] as unknown as RandomState,
    restore: (state) => s.set(state),
  };
}

/** One step of xoshiro128**; changes the state. */
function step(s: Uint32Array): number {
  const [s0, s1, s2, s3] = s as unknown as RandomState;
  const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
  s[0] = s0 ^ s1 ^ s3;
  s[1] = s0 ^ s1 ^ s2;
  s[2] = s2 ^ s0 ^ (s1 << 9);
  s[3] = rotateLeft(s3 ^ s1, 11);
  return result;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
