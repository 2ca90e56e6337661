/**
 * @file Elements of arrays at indices that are known to lie within: the one place where "there or undefined" becomes
 * "there". A function for each type of array, because V8 optimises a function for the types that it is called with.
 */

/** The element at an index within an array of floats. */
export function f32At(values: Float32Array, index: number): number {
  return values[index] as number;
}

/** The element at an index within an array of doubles. */
export function f64At(values: Float64Array, index: number): number {
  return values[index] as number;
}

/** The element at an index within an array of 32-bit integers: rows, offsets, token ids. */
export function i32At(values: Int32Array, index: number): number {
  return values[index] as number;
}

/** The element at an index within an array of bytes: masks, pixels. */
export function u8At(values: Uint8Array | Uint8ClampedArray, index: number): number {
  return values[index] as number;
}

/** The element at an index within any list, where speed does not matter. */
export function at<T>(list: ArrayLike<T>, index: number): T {
  return list[index] as T;
}

/** The element at an index within an array of 32-bit words: keys, sets of rows. */
export function u32At(values: Uint32Array, index: number): number {
  return values[index] as number;
}

/** The element at an index within an array of 16-bit words: pixels of deep pictures. */
export function u16At(values: Uint16Array, index: number): number {
  return values[index] as number;
}
