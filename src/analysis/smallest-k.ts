/** @file The first few rows by a key, without sorting all of them. */
import { at, f32At } from "../arrays.js";
import type { RowMask } from "../flow/masks.js";

/**
 * The rows of the mask with the smallest keys, in ascending order; of equal keys the earlier row comes first.
 * Keeps the best rows so far in a bounded heap whose root is the last of them: O(rows · log limit).
 * @param keys [rows], no NaN
 */
export function smallestK(keys: Float32Array, mask: RowMask, limit: number): number[] {
  const comesLater = (a: number, b: number): boolean => {
    const [keyA, keyB] = [f32At(keys, a), f32At(keys, b)];
    return keyA > keyB || (keyA === keyB && a > b);
  };
  const heap: number[] = [];
  if (limit <= 0) return heap;
  for (let row = 0; row < mask.length; row++) {
    if (mask[row] === 0) continue;
    if (heap.length < limit) {
      heap.push(row);
      siftUp(heap, comesLater);
    } else if (comesLater(at(heap, 0), row)) {
      heap[0] = row;
      siftDown(heap, comesLater);
    }
  }
  return heap.sort((a, b) => (comesLater(a, b) ? 1 : -1));
}

type Order = (a: number, b: number) => boolean;

function siftUp(heap: number[], above: Order): void {
  for (let child = heap.length - 1; child > 0; ) {
    const parent = (child - 1) >> 1;
    if (!above(at(heap, child), at(heap, parent))) return;
    swap(heap, child, parent);
    child = parent;
  }
}

function siftDown(heap: number[], above: Order): void {
  for (let parent = 0; ; ) {
    const [left, right] = [2 * parent + 1, 2 * parent + 2];
    let top = parent;
    if (left < heap.length && above(at(heap, left), at(heap, top))) top = left;
    if (right < heap.length && above(at(heap, right), at(heap, top))) top = right;
    if (top === parent) return;
    swap(heap, top, parent);
    parent = top;
  }
}

function swap(heap: number[], a: number, b: number): void {
  const held = at(heap, a);
  heap[a] = at(heap, b);
  heap[b] = held;
}
