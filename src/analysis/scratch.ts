/**
 * @file Typed arrays that are needed for a while, from memory that is used again: each array of millions that is allocated
 * brings the next garbage collection nearer, which marks every string of the split, and has its pages cleared by the system.
 */

const LEAST_BYTES = 1 << 16;
const ALIGNMENT = 8;

/** Blocks of which arrays are cut from the front on. */
class Scratch {
  readonly #blocks: ArrayBuffer[] = [];
  #block = 0;
  #offset = 0;

  /** Arrays that work takes are free again after it. */
  during<T>(work: () => T): T {
    const [block, offset] = [this.#block, this.#offset];
    try {
      return work();
    } finally {
      this.#block = block;
      this.#offset = offset;
    }
  }

  /** Where so many bytes lie free. */
  take(bytes: number): readonly [ArrayBuffer, number] {
    for (;;) {
      const own = this.#blocks[this.#block];
      if (own === undefined) {
        const all = this.#blocks.reduce((sum, { byteLength }) => sum + byteLength, LEAST_BYTES);
        this.#blocks.push(new ArrayBuffer(Math.max(bytes, Math.min(all, 1 << 25))));
      } else if (this.#offset + bytes <= own.byteLength) {
        const at = this.#offset;
        this.#offset += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
        return [own, at];
      } else {
        this.#block++;
        this.#offset = 0;
      }
    }
  }
}

let current: Scratch | null = null;

/**
 * Runs work whose arrays of {@link doubles} and its like are free again, and written over, when it ends: nothing that is
 * kept may be or hold one. Within other such work the memory is that one's.
 */
export function inScratch<T>(work: () => T): T {
  if (current !== null) return current.during(work);
  current = new Scratch();
  try {
    return work();
  } finally {
    current = null;
  }
}

/** An array of zeros, of the surrounding {@link inScratch} where there is one. */
export function doubles(length: number): Float64Array {
  if (current === null) return new Float64Array(length);
  return new Float64Array(...current.take(8 * length), length).fill(0);
}

/** See {@link doubles}. */
export function floats(length: number): Float32Array {
  if (current === null) return new Float32Array(length);
  return new Float32Array(...current.take(4 * length), length).fill(0);
}

/** See {@link doubles}. */
export function integers(length: number): Int32Array {
  if (current === null) return new Int32Array(length);
  return new Int32Array(...current.take(4 * length), length).fill(0);
}

/** See {@link doubles}. */
export function bytes(length: number): Uint8Array {
  if (current === null) return new Uint8Array(length);
  return new Uint8Array(...current.take(length), length).fill(0);
}
