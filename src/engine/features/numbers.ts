/** @file Features as bytes: numbers of 32 or 16 bits. */
import { f32At, u16At } from "../../arrays.js";

/** How precisely cached features are kept. */
export type FeaturePrecision = "float32" | "float16";

/** Bytes per number. */
export const BYTES: { readonly [P in FeaturePrecision]: number } = { float32: 4, float16: 2 };

/** Numbers as they are kept. */
export type Kept = Float32Array | Uint16Array;

/** Numbers as they are kept, in the precision that is asked for. */
export function keep(values: Float32Array, precision: FeaturePrecision): Kept {
  return precision === "float32" ? values.slice() : Uint16Array.from(values, toHalf);
}

/** Kept numbers from their bytes, which may lie anywhere in a larger buffer. */
export function keptFrom(bytes: Uint8Array, precision: FeaturePrecision): Kept {
  const own = new Uint8Array(bytes).buffer;
  return precision === "float32" ? new Float32Array(own) : new Uint16Array(own);
}

/** The bytes under kept numbers, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: Kept): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Writes kept numbers into an array of floats. */
export function restore(kept: Kept, out: Float32Array, at: number): void {
  if (kept instanceof Float32Array) {
    out.set(kept, at);
    return;
  }
  const table = halves();
  for (let i = 0; i < kept.length; i++) out[at + i] = f32At(table, u16At(kept, i));
}

let table: Float32Array | null = null;

/** Every number of 16 bits. */
function halves(): Float32Array {
  table ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromHalf(bits));
  return table;
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** Nearest number of 16 bits, ties to even (IEEE 754 binary16); too large ones become infinite. */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = Number(word[0]);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // from 65520 up they round to infinity
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // below the smallest normal number the step is 2^-24, and dividing by a power of two is exact
    const scaled = Math.abs(value) * 2 ** 24;
    const down = Math.floor(scaled);
    const rest = scaled - down;
    return sign | (down + (rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? 1 : 0));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** @param bits of an IEEE 754 binary16 number */
export function fromHalf(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
