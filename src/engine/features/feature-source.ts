/** @file Features of a frozen trunk, row by row: computed once per picture or text, then read from a cache. */
import { createHash } from "node:crypto";
import { at, f32At, i32At } from "../../arrays.js";
import { batchesOf } from "../../data/batches.js";
import { type InputSource, type InputSpec, vectorSpec } from "../../data/dataset.js";
import { ConfigError } from "../../errors.js";
import type { ContentCache } from "../../platform/content-cache.js";
import { yieldTo } from "../../platform/yield-to.js";
import { BYTES, bytesOf, type FeaturePrecision, type Kept, keep, keptFrom, restore } from "./numbers.js";
import type { FrozenFeature, FrozenTrunk } from "./split-network.js";

export interface FeatureOptions {
  readonly precision: FeaturePrecision;
  /** Kept on disk, for later runs; null: in memory alone. */
  readonly cache: ContentCache | null;
  /** What computes, as features of another backend differ in their last digits. */
  readonly backend: string;
  /** Up to so many bytes stay in memory; more are read again and again. */
  readonly memoryBytes?: number;
}

export interface FillOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const MEMORY_BYTES = 1024 * 2 ** 20;
/** Rows that pass the trunk together: few, since a backbone's maps are large. */
const BATCH = 16;

/** What a trunk reads, row by row: pictures, with their paths, or texts, with their lengths. */
export interface Samples extends Pick<InputSource, "spec" | "read"> {
  readonly paths?: readonly string[];
  readonly lengths?: Int32Array;
}

/** The features of what one input reads. Rows are those of the dataset. */
export class FeatureRows {
  readonly #trunk: FrozenTrunk;
  readonly #samples: Samples;
  readonly #options: FeatureOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #keys = new Map<number, string>();
  #room: number;
  #isWaiting = false;

  constructor(trunk: FrozenTrunk, samples: Samples, options: FeatureOptions) {
    this.#trunk = trunk;
    this.#samples = samples;
    this.#options = options;
    this.#room = options.memoryBytes ?? MEMORY_BYTES;
  }

  /**
   * Makes the features of some rows ready.
   * @returns how many pictures or texts had to be computed
   * @throws ConfigError where the trunk answers what is not finite, or there is no room; InterruptedError if the signal
   * fires
   */
  async fill(rows: Int32Array, { onProgress, signal }: FillOptions = {}): Promise<number> {
    let [done, computed] = [0, 0];
    for (const batch of this.#batches(rows)) {
      computed += await this.#fillBatch(batch);
      done += batch.length;
      onProgress?.(done, rows.length);
      await yieldTo(signal);
    }
    return computed;
  }

  /** One of the trunk's features as an input. */
  source({ name, size, offset }: FrozenFeature): InputSource {
    const spec = vectorSpec(name, size);
    const text = this.#trunk.perToken === true ? this.#trunk.input : null;
    if (text !== null) return { spec: { ...spec, perToken: text }, read: (rows) => this.#readTokens(rows), close() {} };
    return {
      spec,
      read: (rows) => {
        const values = new Float32Array(rows.length * size);
        const whole = new Float32Array(this.#trunk.width);
        this.#ready(rows).forEach((kept, i) => {
          if (whole.length === size) {
            restore(kept, values, i * size);
            return;
          }
          restore(kept, whole, 0);
          values.set(whole.subarray(offset, offset + size), i * size);
        });
        return values;
      },
      close: () => {},
    };
  }

  /** Vectors of the tokens of rows, padded with 0 as their ids are. */
  #readTokens(rows: ArrayLike<number>): Float32Array {
    const longest = Array.from(rows, (row) => this.#numbersOf(row)).reduce((most, numbers) => Math.max(most, numbers));
    const values = new Float32Array(rows.length * longest);
    this.#ready(rows).forEach((kept, i) => {
      restore(kept, values, i * longest);
    });
    return values;
  }

  /** How many numbers there are for a row: a text without tokens is read as one of padding. */
  #numbersOf(row: number): number {
    const { width, perToken } = this.#trunk;
    const { lengths } = this.#samples;
    return perToken === true && lengths !== undefined ? width * Math.max(1, i32At(lengths, row)) : width;
  }

  /** Of texts those of one length, so that none is padded and no answer depends on its neighbours. */
  #batches(rows: Int32Array): Int32Array[] {
    const { lengths } = this.#samples;
    if (lengths === undefined) return batchesOf(rows, BATCH);
    const byLength = new Map<number, number[]>();
    for (const row of rows) {
      const length = i32At(lengths, row);
      const group = byLength.get(length);
      if (group === undefined) byLength.set(length, [row]);
      else group.push(row);
    }
    return [...byLength.values()].flatMap((group) => batchesOf(Int32Array.from(group), BATCH));
  }

  async #fillBatch(rows: Int32Array): Promise<number> {
    const { missing } = this.#find(rows);
    if (missing.length === 0) return 0;
    const computed = this.#compute(missing);
    // what takes waiting cannot be computed again when it is read
    this.#isWaiting = computed instanceof Promise;
    this.#keep(missing, await computed);
    return missing.length;
  }

  /** Kept features of some rows, from memory, from the cache, or computed now where that takes no waiting. */
  #ready(rows: ArrayLike<number>): Kept[] {
    const { found, missing } = this.#find(rows);
    const computed = missing.length === 0 ? [] : this.#compute(missing);
    if (computed instanceof Promise) throw new Error("features that take waiting must be filled before they are read");
    const fresh = this.#keep(missing, computed);
    return Array.from(rows, (row) => (found.get(this.#keyOf(row)) ?? fresh.get(this.#keyOf(row))) as Kept);
  }

  /** What there is, and rows whose features are nowhere yet, one for each picture or text. */
  #find(rows: ArrayLike<number>): { readonly found: ReadonlyMap<string, Kept>; readonly missing: readonly number[] } {
    const found = new Map<string, Kept>();
    const missing = new Map<string, number>();
    for (let i = 0; i < rows.length; i++) {
      const key = this.#keyOf(at(rows, i));
      if (found.has(key) || missing.has(key)) continue;
      const kept = this.#kept.get(key) ?? this.#cached(key, at(rows, i));
      if (kept === null) missing.set(key, at(rows, i));
      else found.set(key, kept);
    }
    return { found, missing: [...missing.values()] };
  }

  #keep(rows: readonly number[], values: readonly Kept[]): Map<string, Kept> {
    const fresh = new Map<string, Kept>();
    rows.forEach((row, i) => {
      const [key, kept] = [this.#keyOf(row), at(values, i)];
      fresh.set(key, kept);
      const isOnDisk = this.#options.cache?.write(key, bytesOf(kept)) === true;
      if (this.#remember(key, kept) || isOnDisk || !this.#isWaiting) return;
      throw new ConfigError(
        "The features of the model beside the network have room neither in memory nor in the cache. Raise train.featureCache.gigabytes, or take a smaller output of the model.",
        { width: this.#trunk.width },
      );
    });
    return fresh;
  }

  #cached(key: string, row: number): Kept | null {
    const { cache, precision } = this.#options;
    const bytes = cache?.read(key, this.#numbersOf(row) * BYTES[precision]);
    if (bytes == null) return null;
    const kept = keptFrom(bytes, precision);
    this.#remember(key, kept);
    return kept;
  }

  /** @returns whether there was room */
  #remember(key: string, kept: Kept): boolean {
    if (this.#room < kept.byteLength) return false;
    this.#room -= kept.byteLength;
    this.#kept.set(key, kept);
    return true;
  }

  /** Of what a row's features depend on: trunk, backend, precision, and pixels or ids. */
  #keyOf(row: number): string {
    const known = this.#keys.get(row);
    if (known !== undefined) return known;
    const { precision, backend } = this.#options;
    const facts = [this.#trunk.digest, backend, precision, ...shapeOf(this.#samples.spec)];
    const hash = createHash("sha256").update(JSON.stringify(facts));
    const key = hash.update(this.#samples.read([row])).digest("hex");
    this.#keys.set(row, key);
    return key;
  }

  #compute(rows: readonly number[]): Kept[] | Promise<Kept[]> {
    const values = this.#trunk.compute(this.#samples.read(rows), rows.length);
    return values instanceof Promise ? values.then((all) => this.#split(rows, all)) : this.#split(rows, values);
  }

  #split(rows: readonly number[], values: Float32Array): Kept[] {
    return rows.map((row, i) => {
      // rows that are computed together have as many tokens
      const numbers = this.#numbersOf(row);
      const own = values.subarray(i * numbers, (i + 1) * numbers);
      this.#assertFinite(own, row);
      return keep(own, this.#options.precision);
    });
  }

  #assertFinite(values: Float32Array, row: number): void {
    const isHalf = this.#options.precision === "float16";
    const wrong = values.findIndex((value) => !(Math.abs(value) < (isHalf ? HALF_LIMIT : Number.POSITIVE_INFINITY)));
    if (wrong < 0) return;
    const sample = this.#samples.paths?.[row] ?? `row ${row + 1}`;
    if (Number.isFinite(values[wrong])) {
      throw new ConfigError(
        `The frozen trunk answers ${f32At(values, wrong)} to ${sample}, which is too large for 16 bits. Set train.featureCache.precision to "float32".`,
        { sample, value: f32At(values, wrong) },
      );
    }
    throw new ConfigError(
      `The frozen trunk answers ${f32At(values, wrong)} to ${sample}. Check what the model was trained to see (pretrained({ input })), and that its file is sound.`,
      { sample, value: String(f32At(values, wrong)) },
    );
  }
}

function shapeOf(spec: InputSpec): unknown[] {
  return spec.kind === "image" ? [spec.size, spec.channels] : [spec.kind];
}

/** From here on a number of 16 bits is infinite. */
const HALF_LIMIT = 65_520;
