/** @file Masked tokens of batches of one size differ in number, and a graph's shapes do not: room for some more. */

/** Rooms are multiples of this share of the batch's size. */
const SHARE = 1 / 16;

/**
 * Masked tokens to make a graph for.
 * @param size something that grows with the batch, such as its tokens
 */
export function maskedRoom(masked: number, size: number): number {
  const unit = Math.max(1, Math.ceil(size * SHARE));
  return unit * Math.max(1, Math.ceil(masked / unit));
}

/** What is left over of the room asks for the first token. */
export function padIndices(masked: Int32Array | null | undefined, room: number): Int32Array {
  const indices = new Int32Array(room);
  indices.set(masked ?? []);
  return indices;
}
