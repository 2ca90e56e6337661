/** @file Which pictures a shard of pixels holds: 40 bytes for each, in the order of the pixels, and a checksum over all. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** Bytes of a sha256. */
export const HASH_BYTES = 32;
const RECORD_BYTES = HASH_BYTES + 8;

/** What is known of one picture beside its pixels. */
export interface ShardImage {
  readonly hash: Uint8Array;
  readonly originalWidth: number;
  readonly originalHeight: number;
}

/** Pictures of a shard, in the order of their pixels. Grows while the shard is written. */
export class ShardImages {
  #records: Buffer;
  #count: number;

  /** @param records whole ones */
  constructor(records: Buffer = Buffer.alloc(0)) {
    this.#records = records;
    this.#count = records.length / RECORD_BYTES;
  }

  get count(): number {
    return this.#count;
  }

  /** All records, one after the other. */
  get records(): Buffer {
    return this.#records.subarray(0, this.#count * RECORD_BYTES);
  }

  add({ hash, originalWidth, originalHeight }: ShardImage): void {
    const from = this.#count * RECORD_BYTES;
    if (from + RECORD_BYTES > this.#records.length) {
      const larger = Buffer.alloc(Math.max(64 * RECORD_BYTES, 2 * this.#records.length));
      this.#records.copy(larger);
      this.#records = larger;
    }
    this.#records.set(hash, from);
    this.#records.writeUInt32LE(originalWidth, from + HASH_BYTES);
    this.#records.writeUInt32LE(originalHeight, from + HASH_BYTES + 4);
    this.#count++;
  }

  isAt(i: number, hash: Uint8Array): boolean {
    const from = i * RECORD_BYTES;
    for (let k = 0; k < HASH_BYTES; k++) if (this.#records[from + k] !== hash[k]) return false;
    return true;
  }

  /** First four bytes of a picture's hash. */
  keyAt(i: number): number {
    return this.#records.readUInt32LE(i * RECORD_BYTES);
  }

  sizeAt(i: number): Pick<ShardImage, "originalWidth" | "originalHeight"> {
    const from = i * RECORD_BYTES + HASH_BYTES;
    return { originalWidth: this.#records.readUInt32LE(from), originalHeight: this.#records.readUInt32LE(from + 4) };
  }
}

// "DNNSHARD", form of this file, version of the decoder, bytes per picture, pictures, sha256 of the records
const MAGIC = Buffer.from("DNNSHARD");
const FORM = 1;
const HEADER_BYTES = 8 + 4 + 4 + 8 + 4 + 4 + HASH_BYTES;

/** What pixels of a shard are. */
export interface ShardForm {
  /** Of the decoder. */
  readonly version: number;
  readonly imageBytes: number;
}

/** A file of the pictures of a shard. */
export function encodeShard(images: ShardImages, { version, imageBytes }: ShardForm): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FORM, 8);
  header.writeUInt32LE(version, 12);
  header.writeDoubleLE(imageBytes, 16);
  header.writeUInt32LE(images.count, 24);
  createHash("sha256").update(images.records).digest().copy(header, 32);
  return Buffer.concat([header, images.records]);
}

/** @returns null where it is none, of another form, or damaged */
export function readShard(path: string, { version, imageBytes }: ShardForm): ShardImages | null {
  const bytes = contentOf(path);
  if (bytes === null || bytes.length < HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return null;
  const isOurs =
    bytes.readUInt32LE(8) === FORM && bytes.readUInt32LE(12) === version && bytes.readDoubleLE(16) === imageBytes;
  const records = bytes.subarray(HEADER_BYTES);
  if (!isOurs || records.length !== bytes.readUInt32LE(24) * RECORD_BYTES) return null;
  const digest = createHash("sha256").update(records).digest();
  return digest.equals(bytes.subarray(32, HEADER_BYTES)) ? new ShardImages(records) : null;
}

/** A shard of earlier versions: JSON of [sha256, width, height] of each picture. @returns as {@link readShard} */
export function readJsonShard(path: string, { version, imageBytes }: ShardForm): ShardImages | null {
  try {
    const index: ShardForm & { readonly images: readonly (readonly [string, number, number])[] } = JSON.parse(
      contentOf(path)?.toString("utf8") ?? "",
    );
    if (index.version !== version || index.imageBytes !== imageBytes) return null;
    const images = new ShardImages();
    for (const [hash, originalWidth, originalHeight] of index.images) {
      images.add({ hash: Buffer.from(hash, "hex"), originalWidth, originalHeight });
    }
    return images;
  } catch {
    return null;
  }
}

function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
