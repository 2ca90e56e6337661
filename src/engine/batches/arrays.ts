/** @file Typed arrays put together. */

import { at as itemAt } from "../../arrays.js";

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

/** The arrays at each index of several lists, one after the other. */
export function joinEach(lists: readonly (readonly Float32Array[])[]): Float32Array[] {
  return (lists[0] ?? []).map((_, i) => joinArrays(lists.map((list) => itemAt(list, i))));
}
