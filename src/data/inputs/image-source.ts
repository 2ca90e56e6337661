/** @file Many image files → pixels that can be read row by row. */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { at } from "../../arrays.js";
import { DataError, InterruptedError, shorten } from "../../errors.js";
import { yieldTo } from "../../platform/yield-to.js";
import type { ImageInputSpec, PixelSource, SkippedRow } from "../dataset.js";
import { RememberedFiles } from "./cache/remembered-files.js";
import { checkImageFile, decodeImage, type Outcome, readImageFile } from "./images.js";
import { MemoryPixels, PixelCache, type PixelStore, type StoredImage } from "./pixel-cache.js";

/** What to do with rows whose image cannot be used: stop, or leave them out. */
export type OnBadImage = "error" | "skip";

export interface DecodeOptions {
  /** Called as images become ready, also for those found in the cache. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What files hold that were read before; default: each is read. */
  readonly remembered?: RememberedFiles | undefined;
}

/** An image whose pixels are in a store. */
export interface ReadyImage extends StoredImage {
  /** sha256 of the file's content, hex. */
  readonly hash: string;
}

/** What is remembered of files beside a cache of their pixels. */
export function rememberedIn(cacheDir: string): RememberedFiles {
  return new RememberedFiles(join(cacheDir, "files"));
}

/** Checks that files exist and have a size, in the order given. */
export function checkImages(located: readonly Outcome<string>[], signal?: AbortSignal): Promise<Outcome<string>[]> {
  return mapConcurrently(located, 64, (one) => (one.ok ? checkImageFile(one.value) : Promise.resolve(one)), signal);
}

/**
 * Makes every image ready in the store: each file is hashed, unless it is remembered as it stands, and decoded if its
 * content is not there yet.
 * @returns one outcome per path, in their order
 * @throws InterruptedError if the signal fires; what is decoded by then is kept
 */
export async function decodeImages(
  paths: readonly string[],
  spec: ImageInputSpec,
  store: PixelStore,
  { onProgress, signal, remembered }: DecodeOptions,
): Promise<Outcome<ReadyImage>[]> {
  const unique = [...new Set(paths)];
  const pending = new Map<string, Promise<Outcome<ReadyImage>>>();
  let done = 0;
  const ready = async (path: string): Promise<Outcome<ReadyImage>> => {
    // before it is read: what changes meanwhile is of another time then
    const state = remembered === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    const file = await readImageFile(path);
    if (!file.ok) return file;
    const hash = createHash("sha256").update(file.value).digest("hex");
    if (state !== undefined) remembered?.add(path, state, hash);
    // files of the same content are decoded once even while the first is under way
    const outcome = pending.get(hash) ?? readyOf(hash, file.value, spec, store);
    pending.set(hash, outcome);
    return outcome;
  };
  const outcomes = new Array<Outcome<ReadyImage> | undefined>(unique.length);
  try {
    if (remembered !== undefined) {
      for (let i = 0; i < unique.length; i++) {
        outcomes[i] = untouched(at(unique, i), store, remembered);
        if (outcomes[i] !== undefined) done++;
        if ((i + 1) % UNTOUCHED_AT_ONCE !== 0) continue;
        onProgress?.(done, unique.length);
        await yieldTo(signal, "Stopped while images were read.");
      }
    }
    const left = Int32Array.from(unique.keys()).filter((i) => outcomes[i] === undefined);
    await mapConcurrently(
      left,
      2 * availableParallelism(),
      async (i) => {
        outcomes[i] = await ready(at(unique, i));
        onProgress?.(++done, unique.length);
      },
      signal,
    );
    if (left.length === 0 && unique.length > 0) onProgress?.(done, unique.length);
    const all = outcomes as Outcome<ReadyImage>[];
    if (unique.length === paths.length) return all;
    const byPath = new Map(unique.map((path, i) => [path, at(all, i)]));
    return paths.map((path) => byPath.get(path) as Outcome<ReadyImage>);
  } finally {
    store.publish();
    remembered?.publish();
  }
}

const UNTOUCHED_AT_ONCE = 4096;

/** An image whose file is as it was when it was hashed, and whose pixels are there; undefined for any other. */
function untouched(path: string, store: PixelStore, remembered: RememberedFiles): Outcome<ReadyImage> | undefined {
  const state = statSync(path, { throwIfNoEntry: false });
  const hash = state?.isFile() === true ? remembered.find(path, state) : null;
  const stored = hash === null ? undefined : store.find(hash);
  return hash === null || stored === undefined ? undefined : { ok: true, value: { hash, ...stored } };
}

async function readyOf(
  hash: string,
  bytes: Buffer,
  spec: ImageInputSpec,
  store: PixelStore,
): Promise<Outcome<ReadyImage>> {
  const cached = store.find(hash);
  if (cached !== undefined) return { ok: true, value: { hash, ...cached } };
  const decoded = await decodeImage(bytes, spec);
  return decoded.ok ? { ok: true, value: { hash, ...store.add(hash, decoded.value) } } : decoded;
}

async function mapConcurrently<In, Out>(
  items: ArrayLike<In>,
  workers: number,
  each: (item: In) => Promise<Out>,
  signal?: AbortSignal,
): Promise<Out[]> {
  const results = new Array<Out>(items.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      if (signal?.aborted) throw new InterruptedError("Stopped while images were read.", { images: items.length });
      const i = next++;
      results[i] = await each(at(items, i));
    }
  };
  // all of them, so that none still writes when the first has failed
  const ended = await Promise.allSettled(Array.from({ length: workers }, work));
  for (const end of ended) if (end.status === "rejected") throw end.reason;
  return results;
}

const MEMORY_BYTES = 512 * 2 ** 20;

/**
 * Pixels of some rows. Up to `memoryBytes` are held in memory; more stay on disk, where the page cache serves them.
 * Owns the store from now on.
 */
export function createPixelSource(
  spec: ImageInputSpec,
  store: PixelStore,
  images: readonly StoredImage[],
  paths: readonly string[],
  memoryBytes = MEMORY_BYTES,
): PixelSource {
  const read =
    images.length * store.imageBytes <= memoryBytes ? memoryReader(store, images) : storeReader(store, images);
  return {
    spec,
    paths,
    originalWidth: Float32Array.from(images, (image) => image.originalWidth),
    originalHeight: Float32Array.from(images, (image) => image.originalHeight),
    read,
    close: () => store.close(),
  };
}

function memoryReader(store: PixelStore, images: readonly StoredImage[]): PixelSource["read"] {
  const { imageBytes } = store;
  const pixels = new Uint8Array(images.length * imageBytes);
  storeReader(store, images)(Array.from(images.keys()), pixels);
  store.close();
  return (rows, out = new Uint8Array(rows.length * imageBytes)) => {
    forEachRun(
      rows.length,
      (i) => rows[i] === at(rows, i - 1) + 1,
      (i, count) => {
        const start = at(rows, i) * imageBytes;
        out.set(pixels.subarray(start, start + count * imageBytes), i * imageBytes);
      },
    );
    return out;
  };
}

function storeReader(store: PixelStore, images: readonly StoredImage[]): PixelSource["read"] {
  return (rows, out = new Uint8Array(rows.length * store.imageBytes)) => {
    const image = (i: number): StoredImage => at(images, rows[i] as number);
    forEachRun(
      rows.length,
      (i) => image(i).shard === image(i - 1).shard && image(i).index === image(i - 1).index + 1,
      (i, count) => store.read(image(i).shard, image(i).index, count, out, i * store.imageBytes),
    );
    return out;
  };
}

/** Calls `each` for every longest run of positions that continue one another. */
function forEachRun(length: number, continues: (i: number) => boolean, each: (i: number, count: number) => void): void {
  let start = 0;
  for (let i = 1; i <= length; i++) {
    if (i < length && continues(i)) continue;
    each(start, i - start);
    start = i;
  }
}

const SHOWN = 5;

/** @param file table or list that names the images, for the message */
export function badImagesError(
  file: string,
  bad: readonly SkippedRow[],
  total: number,
  onBadImage: OnBadImage,
): DataError {
  const byReason = new Map<string, SkippedRow[]>();
  for (const one of bad) byReason.set(one.reason, [...(byReason.get(one.reason) ?? []), one]);
  const place = ({ table, row }: SkippedRow): string => `${table === undefined ? "" : `${table}, `}row ${row}`;
  const shown = [...byReason].slice(0, SHOWN).flatMap(([reason, [first, ...others]]) => {
    if (first === undefined) return [];
    const more =
      others
        .slice(0, SHOWN - 1)
        .map(place)
        .join(", ") + (others.length >= SHOWN ? ", …" : "");
    const same = others.length === 0 ? "" : ` (and so in ${others.length} more: ${more})`;
    return [`${place(first)}: "${shorten(first.sample)}" ${reason}${same}`];
  });
  const left = [...byReason.values()].slice(SHOWN).reduce((sum, group) => sum + group.length, 0);
  const rest = left > 0 ? `; and ${left} more` : "";
  const wayOut =
    onBadImage === "skip"
      ? "No row is left without them: correct at least one."
      : 'Correct them, or set onBadImage to "skip" to leave such rows out.';
  return new DataError(
    `${bad.length} of ${total} images of ${file} cannot be used: ${shown.join("; ")}${rest}. ${wayOut}`,
    { file, count: bad.length, images: bad.slice(0, SHOWN) },
  );
}

export interface LoadedImages {
  /** The images that could be read; its paths are as given. */
  readonly images: PixelSource;
  readonly skipped: readonly SkippedRow[];
}

/**
 * Decodes images that no table names, e.g. to predict.
 * @param paths absolute, or relative to `baseDir` (default: the working folder); any folder is allowed
 * @throws DataError if images are bad and `onBadImage` is "error", or if none is good
 */
export async function loadImages(
  paths: readonly string[],
  spec: ImageInputSpec,
  options: DecodeOptions & {
    readonly onBadImage: OnBadImage;
    readonly baseDir?: string;
    /** Without it, pixels are held in memory. */
    readonly cacheDir?: string;
  },
): Promise<LoadedImages> {
  const baseDir = options.baseDir ?? process.cwd();
  const { cacheDir } = options;
  const store = cacheDir === undefined ? new MemoryPixels(spec) : new PixelCache(cacheDir, spec);
  const absolute = paths.map((path) => resolve(baseDir, path));
  const remembered = cacheDir === undefined ? undefined : rememberedIn(cacheDir);
  const outcomes = await decodeImages(absolute, spec, store, { ...options, remembered });
  const kept: string[] = [];
  const ready: ReadyImage[] = [];
  const bad: SkippedRow[] = [];
  outcomes.forEach((outcome, i) => {
    const path = at(paths, i);
    if (outcome.ok) {
      kept.push(path);
      ready.push(outcome.value);
    } else {
      bad.push({ row: i + 1, sample: path, reason: outcome.reason });
    }
  });
  if (bad.length > 0 && (options.onBadImage === "error" || kept.length === 0)) {
    throw badImagesError("the list", bad, paths.length, options.onBadImage);
  }
  return {
    images: createPixelSource(spec, store, ready, kept),
    skipped: bad,
  };
}
