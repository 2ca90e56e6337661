/** @file Decoded images on disk, found by the content of their files. */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { at as itemAt } from "../../arrays.js";
import { DataError, StoreError } from "../../errors.js";
import type { ImageInputSpec } from "../dataset.js";
import { framingKey } from "../../decoding/framing.js";
import { ImageTable, type StoredImage } from "./cache/image-table.js";
import { encodeShard, readJsonShard, readShard, type ShardForm, type ShardImages } from "./cache/shard-images.js";
import type { DecodedImage } from "./images.js";

export type { StoredImage } from "./cache/image-table.js";

/** Keeps decoded images of one size. */
export interface PixelStore {
  /** Bytes per image. */
  readonly imageBytes: number;
  /** @param hash sha256 of the image file's content, hex */
  find(hash: string): StoredImage | undefined;
  add(hash: string, image: DecodedImage): StoredImage;
  /** Copies `count` images that lie one after another in a shard to `out`, from byte `at`. */
  read(shard: number, index: number, count: number, out: Uint8Array, at: number): void;
  /** Makes what was added visible to other processes. */
  publish(): void;
  close(): void;
}

// raise when decoding changes, so that old pixels are not taken for new ones
const DECODER_VERSION = 2;
const SHARD_BYTES = 256 * 2 ** 20;
const STALE_MS = 24 * 3600 * 1000;

interface Shard {
  readonly path: string;
  /** Opened at the first read. */
  descriptor: number | null;
}

/** The shard being written. */
interface OpenShard {
  readonly number: number;
  readonly descriptor: number;
  readonly name: string;
}

/** Size of one decoded image in bytes. */
export function imageBytesOf({ size: [height, width], channels }: ImageInputSpec): number {
  return height * width * channels;
}

/**
 * A cache that only grows: `<folder>/<h>x<w>x<c>/shard-<uuid>.u8` holds pixels one image after another,
 * `shard-<uuid>.idx` says which (`.json` in earlier versions). Both are written under temporary names, the index is renamed last, and no file is
 * changed after that; so any number of processes may share a cache, and a killed one leaves nothing half-visible.
 * Two processes that decode the same images at once keep them twice, which is harmless.
 */
export class PixelCache implements PixelStore {
  readonly imageBytes: number;
  readonly #folder: string;
  readonly #shards: Shard[] = [];
  readonly #images = new ImageTable();
  #open: OpenShard | null = null;

  /** @throws StoreError if the folder cannot be made or read */
  constructor(cacheDir: string, spec: ImageInputSpec) {
    const [height, width] = spec.size;
    this.imageBytes = imageBytesOf(spec);
    const range = spec.range === undefined ? "" : `-${spec.range.join("..")}`;
    this.#folder = join(cacheDir, `${height}x${width}x${spec.channels}${framingKey(spec)}${range}`);
    this.#attempt("opened", () => {
      mkdirSync(this.#folder, { recursive: true });
      for (const name of readdirSync(this.#folder)) {
        if (/\.(idx|json)$/.test(name)) this.#load(name);
        else if (name.endsWith(".tmp")) this.#removeIfStale(name);
      }
    });
  }

  find(hash: string): StoredImage | undefined {
    return this.#images.find(hash);
  }

  /** @throws StoreError if the disk does not take it */
  add(hash: string, image: DecodedImage): StoredImage {
    return this.#attempt("written", () => {
      this.#open ??= this.#create();
      const { number, descriptor } = this.#open;
      const at = this.#images.imagesOf(number).count * this.imageBytes;
      writeAll(descriptor, image.pixels, at);
      const { originalWidth, originalHeight } = image;
      const stored = this.#images.add(number, hash, { originalWidth, originalHeight });
      if (at + this.imageBytes >= SHARD_BYTES) this.publish();
      return stored;
    });
  }

  read(shard: number, index: number, count: number, out: Uint8Array, at: number): void {
    const source = itemAt(this.#shards, shard);
    source.descriptor ??= openShard(source.path);
    const bytes = count * this.imageBytes;
    const read = readSync(source.descriptor, out, at, bytes, index * this.imageBytes);
    if (read !== bytes) {
      throw new DataError(`The pixel cache file ${source.path} was cut short. Remove it; images are decoded again.`, {
        path: source.path,
      });
    }
  }

  publish(): void {
    const shard = this.#open;
    if (shard === null) return;
    this.#open = null;
    this.#attempt("written", () => {
      fsyncSync(shard.descriptor);
      const path = join(this.#folder, shard.name);
      writeFileSync(`${path}.idx.tmp`, encodeShard(this.#images.imagesOf(shard.number), this.#form));
      renameSync(`${path}.u8.tmp`, `${path}.u8`);
      renameSync(`${path}.idx.tmp`, `${path}.idx`);
    });
  }

  /** Publishes and closes all files. */
  close(): void {
    this.publish();
    for (const shard of this.#shards) {
      if (shard.descriptor !== null) closeSync(shard.descriptor);
      shard.descriptor = null;
    }
  }

  #create(): OpenShard {
    const name = `shard-${randomUUID()}`;
    // the descriptor outlives the renaming, so it also serves later reads
    const descriptor = openSync(join(this.#folder, `${name}.u8.tmp`), "wx+");
    const number = this.#addShard({ path: join(this.#folder, `${name}.u8`), descriptor });
    return { number, descriptor, name };
  }

  /** Takes a published shard in; one of another version, or whose files do not fit together, is passed over. */
  #load(name: string): void {
    const path = join(this.#folder, name.replace(/\.\w+$/, ".u8"));
    const read = name.endsWith(".idx") ? readShard : readJsonShard;
    const images = read(join(this.#folder, name), this.#form);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (images === null || size !== images.count * this.imageBytes) return;
    this.#addShard({ path, descriptor: null }, images);
  }

  /** @returns its number, here and in the table */
  #addShard(shard: Shard, images?: ShardImages): number {
    this.#shards.push(shard);
    return this.#images.addShard(images);
  }

  get #form(): ShardForm {
    return { version: DECODER_VERSION, imageBytes: this.imageBytes };
  }

  /** Left by a process that was killed; a younger one may still be written. */
  #removeIfStale(name: string): void {
    const path = join(this.#folder, name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - changed > STALE_MS) rmSync(path, { force: true });
  }

  #attempt<Result>(done: string, action: () => Result): Result {
    try {
      return action();
    } catch (cause) {
      if (cause instanceof StoreError) throw cause;
      const reason = (cause as Error).message;
      throw new StoreError(
        `The pixel cache ${this.#folder} cannot be ${done}: ${reason}. Make room or permit it, or choose another store.`,
        { folder: this.#folder, reason },
        { cause },
      );
    }
  }
}

function openShard(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw new DataError(
      `The pixel cache file ${path} has gone since this program began. Start again; images are decoded again.`,
      { path },
      { cause },
    );
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, at + done);
  }
}

/** Keeps decoded images in memory, for inputs that are seen once. */
export class MemoryPixels implements PixelStore {
  readonly imageBytes: number;
  readonly #pixels: Uint8Array[] = [];
  readonly #images = new Map<string, StoredImage>();

  constructor(spec: ImageInputSpec) {
    this.imageBytes = imageBytesOf(spec);
  }
  find(hash: string): StoredImage | undefined {
    return this.#images.get(hash);
  }
  add(hash: string, { pixels, originalWidth, originalHeight }: DecodedImage): StoredImage {
    const stored = { shard: 0, index: this.#pixels.push(pixels) - 1, originalWidth, originalHeight };
    this.#images.set(hash, stored);
    return stored;
  }
  read(_shard: number, index: number, count: number, out: Uint8Array, at: number): void {
    for (let i = 0; i < count; i++) out.set(itemAt(this.#pixels, index + i), at + i * this.imageBytes);
  }
  publish(): void {}
  close(): void {
    this.#pixels.length = 0;
    this.#images.clear();
  }
}
