/** @file Pictures of all shards of a cache, found by their content: a table of numbers over the shards' own records. */
import { at, i32At } from "../../../arrays.js";
import { HASH_BYTES, type ShardImage, ShardImages } from "./shard-images.js";

/** Where a picture's pixels lie and how large the original was. */
export interface StoredImage {
  readonly shard: number;
  /** Position among the shard's pictures. */
  readonly index: number;
  readonly originalWidth: number;
  readonly originalHeight: number;
}

const EMPTY = -1;
const FEWEST_SLOTS = 1024;

/** Slots that are tried one after the other from the one that a hash begins with. */
export class ImageTable {
  readonly #shards: ShardImages[] = [];
  /** Of each slot the shard and the position in it. */
  #slots = new Int32Array(2 * FEWEST_SLOTS).fill(EMPTY);
  #used = 0;

  /** Takes a shard in, whose pictures are found from now on. @returns its number */
  addShard(images = new ShardImages()): number {
    const shard = this.#shards.push(images) - 1;
    this.#reserve(images.count);
    for (let index = 0; index < images.count; index++) this.#put(images.keyAt(index), shard, index);
    return shard;
  }

  imagesOf(shard: number): ShardImages {
    return at(this.#shards, shard);
  }

  /** @param hash sha256, hex */
  find(hash: string): StoredImage | undefined {
    const bytes = bytesOf(hash);
    const slots = this.#slots;
    const count = slots.length / 2;
    for (let slot = bytes.readUInt32LE(0) % count; ; slot = (slot + 1) % count) {
      const shard = i32At(slots, 2 * slot);
      if (shard === EMPTY) return undefined;
      const index = i32At(slots, 2 * slot + 1);
      const images = this.imagesOf(shard);
      if (images.isAt(index, bytes)) return { shard, index, ...images.sizeAt(index) };
    }
  }

  /** Adds a picture behind the others of its shard. @param hash sha256, hex */
  add(shard: number, hash: string, size: Pick<ShardImage, "originalWidth" | "originalHeight">): StoredImage {
    const images = this.imagesOf(shard);
    const index = images.count;
    images.add({ hash: bytesOf(hash), ...size });
    this.#reserve(1);
    this.#put(images.keyAt(index), shard, index);
    return { shard, index, ...size };
  }

  #put(key: number, shard: number, index: number): void {
    const slots = this.#slots;
    const count = slots.length / 2;
    let slot = key % count;
    while (i32At(slots, 2 * slot) !== EMPTY) slot = (slot + 1) % count;
    slots[2 * slot] = shard;
    slots[2 * slot + 1] = index;
    this.#used++;
  }

  /** Half of the slots stay empty. */
  #reserve(more: number): void {
    let count = this.#slots.length / 2;
    if (2 * (this.#used + more) <= count) return;
    while (2 * (this.#used + more) > count) count *= 2;
    const before = this.#slots;
    this.#slots = new Int32Array(2 * count).fill(EMPTY);
    this.#used = 0;
    for (let i = 0; i < before.length; i += 2) {
      const [shard, index] = [i32At(before, i), i32At(before, i + 1)];
      if (shard !== EMPTY) this.#put(this.imagesOf(shard).keyAt(index), shard, index);
    }
  }
}

function bytesOf(hash: string): Buffer {
  const bytes = Buffer.from(hash, "hex");
  if (bytes.length === HASH_BYTES) return bytes;
  throw new RangeError(`${hash} is no sha256`);
}
