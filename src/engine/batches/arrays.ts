/** @file Typed arrays put together. */

import { at as itemAt, f32At } from "../../arrays.js";

/** One array after the other, in a new one. */
export function joinArrays(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Adds a vector to another, in place. */
export function addTo(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = f32At(sum, i) + f32At(values, i);
}

/** The arrays at each index of several lists, one after the other. */
export function joinEach(lists: readonly (readonly Float32Array[])[]): Float32Array[] {
  return (lists[0] ?? []).map((_, i) => joinArrays(lists.map((list) => itemAt(list, i))));
}
