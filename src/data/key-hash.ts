/**
 * @file The first eight bytes of sha256 of short keys: rows are ordered by them, and a call into the library for each of
 * millions of rows takes ten times as long as what it computes.
 */
import { createHash } from "node:crypto";
import { i32At, u8At } from "../arrays.js";

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const ROUNDS = Int32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)));
/** The same of the square roots of the first eight (FIPS 180-4, 5.3.3). */
const START = Int32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)));

/** What one block of sha256 holds beside the end mark and the length. */
const MOST_BYTES = 55;
const BLOCK_BYTES = 64;

/** Hashes one key after the other. */
export class KeyHash {
  /** Bytes 0 to 3 of the last digest, big endian. */
  high = 0;
  /** Bytes 4 to 7. */
  low = 0;
  readonly #block = new Uint8Array(BLOCK_BYTES);
  readonly #words = new Int32Array(64);
  readonly #prefix: string;

  /** @param prefix of every key */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Hashes the prefix with the key behind it. */
  hash(key: string): void {
    const length = this.#write(this.#prefix, 0);
    const end = length < 0 ? -1 : this.#write(key, length);
    if (end < 0) {
      const digest = createHash("sha256")
        .update(this.#prefix + key)
        .digest();
      this.high = digest.readUInt32BE(0);
      this.low = digest.readUInt32BE(4);
      return;
    }
    this.#compress(end);
  }

  /** @returns where the text ends in the block, −1 where it does not fit or is not ASCII */
  #write(text: string, from: number): number {
    const block = this.#block;
    const end = from + text.length;
    if (end > MOST_BYTES) return -1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return -1;
      block[from + i] = code;
    }
    return end;
  }

  /** One block (FIPS 180-4, 6.2.2). @param length of the message in bytes */
  #compress(length: number): void {
    const [block, w] = [this.#block, this.#words];
    block.fill(0, length);
    block[length] = 0x80;
    for (let t = 0, i = 0; t < 16; t++, i += 4) {
      w[t] = (u8At(block, i) << 24) | (u8At(block, i + 1) << 16) | (u8At(block, i + 2) << 8) | u8At(block, i + 3);
    }
    w[15] = 8 * length;
    for (let t = 16; t < 64; t++) {
      const [x, y] = [i32At(w, t - 15), i32At(w, t - 2)];
      const s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3);
      const s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10);
      w[t] = (i32At(w, t - 16) + s0 + i32At(w, t - 7) + s1) | 0;
    }
    let a = i32At(START, 0);
    let b = i32At(START, 1);
    let c = i32At(START, 2);
    let d = i32At(START, 3);
    let e = i32At(START, 4);
    let f = i32At(START, 5);
    let g = i32At(START, 6);
    let h = i32At(START, 7);
    for (let t = 0; t < 64; t++) {
      const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + i32At(ROUNDS, t) + i32At(w, t)) | 0;
      const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    this.high = (a + i32At(START, 0)) >>> 0;
    this.low = (b + i32At(START, 1)) >>> 0;
  }
}

function rotated(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
}

function primes(count: number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return found;
}
