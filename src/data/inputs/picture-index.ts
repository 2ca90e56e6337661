/** @file What pictures are known again by: a digest of their pixels, and a difference hash that survives small changes. */
import { createHash } from "node:crypto";
import { at, u32At, u8At } from "../../arrays.js";
import { yieldTo } from "../../platform/yield-to.js";
import type { PixelSource } from "../dataset.js";

/** Side of the thumbnail that pictures are compared by. */
const SIDE = 18;
const AREA = SIDE * SIDE;
/** Side of the grid that the hash is made of: means of 2 × 2 pixels of the thumbnail. */
const GRID = SIDE / 2;
/** Bits of one direction: whether a grey rises from each place to the next. */
const BITS = GRID * (GRID - 1);
const WORDS = 9;
const WORD_BITS = (2 * BITS) / WORDS;
/** A rise within this is none: in plain areas noise would decide. */
const RISE = 2;

/** Of hashes that differ in no more bits one word at least is the same, so that no pair is missed. */
export const NEAR_BITS = WORDS - 1;
/** Root mean square of the levels (0 to 255) by which nearly the same pictures differ, brightness left out. */
const NEAR_LEVELS = 6;
/** Levels by which they may be brighter. */
const NEAR_BRIGHTNESS = 32;
/** Root mean square around the mean of a picture that shows anything: plain ones are all alike. */
const LEAST_CONTRAST = 2 * NEAR_LEVELS;

/** Pictures of one input, in the order in which they were given. */
export interface PictureIndex {
  /** sha256 of the pixels as the network sees them, hex. */
  readonly digests: readonly string[];
  /** Difference hashes of 144 bits in both directions, [pictures, 9] words of 16 bits. */
  readonly hashes: Uint32Array;
  /** [pictures, 18, 18, channels] */
  readonly thumbnails: Uint8Array;
  readonly channels: number;
}

// pictures that are read and shrunk at a time
const BATCH = 256;

/**
 * Indexes decoded pictures. The difference hash compares each place of a small grey picture with its right and its lower
 * neighbour (Krawetz, "Kind of Like That", 2013).
 * @param rows of the source
 * @throws InterruptedError where the signal fires
 */
export async function indexPictures(
  source: PixelSource,
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<PictureIndex> {
  const { default: open } = await import("sharp");
  const [height, width] = source.spec.size;
  const { channels } = source.spec;
  const size = height * width * channels;
  const digests: string[] = [];
  const thumbnails = new Uint8Array(rows.length * AREA * channels);
  for (let first = 0; first < rows.length; first += BATCH) {
    await yieldTo(signal);
    const some = rows.subarray(first, first + BATCH);
    const pixels = source.read(some);
    const small = await Promise.all(
      Array.from(some, async (_, i) => {
        const own = pixels.subarray(i * size, (i + 1) * size);
        digests[first + i] = createHash("sha256").update(own).digest("hex");
        const shrunk = open(own, { raw: { width, height, channels } }).resize(SIDE, SIDE, { fit: "fill" });
        return (channels === 1 ? shrunk.greyscale() : shrunk).raw().toBuffer();
      }),
    );
    for (const [i, thumbnail] of small.entries()) thumbnails.set(thumbnail, (first + i) * AREA * channels);
  }
  return { digests, hashes: hashesOf(thumbnails, channels), thumbnails, channels };
}

function hashesOf(thumbnails: Uint8Array, channels: number): Uint32Array {
  const bytes = AREA * channels;
  const count = thumbnails.length / bytes;
  const hashes = new Uint32Array(count * WORDS);
  const grid = new Float64Array(GRID * GRID);
  for (let picture = 0; picture < count; picture++) {
    writeGrid(thumbnails.subarray(picture * bytes, (picture + 1) * bytes), channels, grid);
    let bit = 0;
    const add = (from: number, to: number): void => {
      const word = picture * WORDS + Math.floor(bit / WORD_BITS);
      const rises = at(grid, to) - at(grid, from) > RISE ? 1 : 0;
      hashes[word] = u32At(hashes, word) | (rises << (bit % WORD_BITS));
      bit++;
    };
    for (let y = 0; y < GRID; y++) for (let x = 0; x + 1 < GRID; x++) add(y * GRID + x, y * GRID + x + 1);
    for (let y = 0; y + 1 < GRID; y++) for (let x = 0; x < GRID; x++) add(y * GRID + x, (y + 1) * GRID + x);
  }
  return hashes;
}

/** Means over 2 × 2 pixels and all channels. */
function writeGrid(thumbnail: Uint8Array, channels: number, grid: Float64Array): void {
  grid.fill(0);
  for (let i = 0; i < thumbnail.length; i++) {
    const pixel = Math.floor(i / channels);
    const place = Math.floor(pixel / SIDE / 2) * GRID + Math.floor((pixel % SIDE) / 2);
    grid[place] = at(grid, place) + u8At(thumbnail, i) / (4 * channels);
  }
}

/** Two pictures that show the same, or nearly. */
export interface PicturePair {
  /** Places in the index. */
  readonly a: number;
  readonly b: number;
  readonly kind: "same" | "near";
}

// pictures that share a word of their hash by the thousand, such as plain ones, are compared by their whole hash alone
const LARGEST_BUCKET = 2000;

/**
 * For each picture the most alike one of another part: one of the same pixels where there is one, else the nearest whose
 * hash differs in at most 8 of 144 bits and whose thumbnail by at most 6 of 255 levels (root mean square, brightness
 * left out, which may differ by 32). Plain pictures are only compared pixel by pixel.
 * @param partOf of each picture in the index, e.g. its split; only pictures of different parts make a pair
 * @returns each pair once, in the order of `b`
 */
export function alikePictures(index: PictureIndex, partOf: readonly number[]): PicturePair[] {
  const pairs: PicturePair[] = [];
  const same = placesBy(index.digests.length, (i) => at(index.digests, i));
  const isPlain = Array.from(index.digests, (_, i) => contrast(index, i) < LEAST_CONTRAST);
  const words = Array.from({ length: WORDS }, (_, w) =>
    placesBy(index.digests.length, (i) => String(u32At(index.hashes, i * WORDS + w))),
  );
  const whole = placesBy(index.digests.length, (i) => hashAt(index, i).join());
  for (let b = 0; b < index.digests.length; b++) {
    const isOther = (a: number): boolean => a < b && partOf[a] !== partOf[b];
    const twin = (same.get(at(index.digests, b)) ?? []).find(isOther);
    if (twin !== undefined) {
      pairs.push({ a: twin, b, kind: "same" });
      continue;
    }
    if (isPlain[b] === true) continue;
    const candidates = new Set<number>(whole.get(hashAt(index, b).join())?.slice(0, LARGEST_BUCKET));
    for (const [w, places] of words.entries()) {
      const own = places.get(String(u32At(index.hashes, b * WORDS + w))) ?? [];
      if (own.length <= LARGEST_BUCKET) for (const a of own) candidates.add(a);
    }
    let nearest: { readonly a: number; readonly levels: number } | null = null;
    for (const a of candidates) {
      if (!isOther(a) || differingBits(index, a, b) > NEAR_BITS) continue;
      const levels = levelDifference(index, a, b);
      if (levels <= NEAR_LEVELS && (nearest === null || levels < nearest.levels)) nearest = { a, levels };
    }
    if (nearest !== null) pairs.push({ a: nearest.a, b, kind: "near" });
  }
  return pairs;
}

function hashAt({ hashes }: PictureIndex, picture: number): Uint32Array {
  return hashes.subarray(picture * WORDS, (picture + 1) * WORDS);
}

function placesBy(count: number, keyOf: (place: number) => string): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (let place = 0; place < count; place++) {
    const key = keyOf(place);
    const own = places.get(key);
    if (own === undefined) places.set(key, [place]);
    else own.push(place);
  }
  return places;
}

/** Bits in which two hashes differ. */
function differingBits(index: PictureIndex, a: number, b: number): number {
  let bits = 0;
  for (let w = 0; w < WORDS; w++) {
    for (
      let rest = u32At(index.hashes, a * WORDS + w) ^ u32At(index.hashes, b * WORDS + w);
      rest !== 0;
      rest &= rest - 1
    )
      bits++;
  }
  return bits;
}

/** Standard deviation of the differences between two thumbnails; infinite where one is much brighter. */
function levelDifference({ thumbnails, channels }: PictureIndex, a: number, b: number): number {
  const bytes = AREA * channels;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < bytes; i++) {
    const difference = u8At(thumbnails, a * bytes + i) - u8At(thumbnails, b * bytes + i);
    sum += difference;
    squares += difference * difference;
  }
  if (Math.abs(sum / bytes) > NEAR_BRIGHTNESS) return Number.POSITIVE_INFINITY;
  return Math.sqrt(Math.max(0, squares / bytes - (sum / bytes) ** 2));
}

/** Standard deviation of a thumbnail's levels. */
function contrast({ thumbnails, channels }: PictureIndex, picture: number): number {
  const bytes = AREA * channels;
  let [sum, squares] = [0, 0];
  for (let i = picture * bytes; i < (picture + 1) * bytes; i++) {
    const level = u8At(thumbnails, i);
    sum += level;
    squares += level * level;
  }
  return Math.sqrt(Math.max(0, squares / bytes - (sum / bytes) ** 2));
}
