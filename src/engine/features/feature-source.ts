/** @file Features of a frozen trunk, row by row: computed once per picture, then read from a cache. */
import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-core";
import { at, f32At, u8At } from "../../arrays.js";
import { batchesOf } from "../../data/batches.js";
import type { InputSource, PixelSource } from "../../data/dataset.js";
import { ConfigError } from "../../errors.js";
import type { ContentCache } from "../../platform/content-cache.js";
import { yieldTo } from "../../platform/yield-to.js";
import { BYTES, bytesOf, type FeaturePrecision, type Kept, keep, keptFrom, restore } from "./numbers.js";
import type { FrozenFeature, FrozenTrunk } from "./split-network.js";

export interface FeatureOptions {
  readonly precision: FeaturePrecision;
  /** Kept on disk, for later runs. */
  readonly cache: ContentCache;
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
/** Pictures that pass the trunk together: few, since a backbone's maps are large. */
const BATCH = 16;

/** Pictures, row by row. */
export type Pictures = Pick<PixelSource, "spec" | "paths" | "read">;

/** The features of the pictures of one input. Rows are those of the dataset. */
export class FeatureRows {
  readonly #trunk: FrozenTrunk;
  readonly #pixels: Pictures;
  readonly #options: FeatureOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #keys = new Map<number, string>();
  #room: number;

  constructor(trunk: FrozenTrunk, pixels: Pictures, options: FeatureOptions) {
    this.#trunk = trunk;
    this.#pixels = pixels;
    this.#options = options;
    this.#room = options.memoryBytes ?? MEMORY_BYTES;
  }

  /**
   * Makes the features of some rows ready.
   * @returns how many pictures had to be computed
   * @throws ConfigError where the trunk answers what is not finite; InterruptedError if the signal fires
   */
  async fill(rows: Int32Array, { onProgress, signal }: FillOptions = {}): Promise<number> {
    let [done, computed] = [0, 0];
    for (const batch of batchesOf(rows, BATCH)) {
      computed += this.#ready(batch).computed;
      done += batch.length;
      onProgress?.(done, rows.length);
      await yieldTo(signal);
    }
    return computed;
  }

  /** One of the trunk's features as an input. */
  source({ name, size, offset }: FrozenFeature): InputSource {
    return {
      spec: {
        kind: "numeric",
        columns: [name],
        listLength: size,
        standardize: false,
        missing: "error",
        statistics: null,
      },
      read: (rows) => {
        const values = new Float32Array(rows.length * size);
        const whole = new Float32Array(this.#trunk.width);
        this.#ready(rows).kept.forEach((kept, i) => {
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

  /** Kept features of some rows, from memory, from the cache, or computed now. */
  #ready(rows: ArrayLike<number>): { readonly kept: readonly Kept[]; readonly computed: number } {
    const keys = Array.from(rows, (row) => this.#keyOf(row));
    const found = new Map(keys.map((key) => [key, this.#kept.get(key) ?? this.#cached(key)]));
    const missing = [...found].flatMap(([key, kept]) => (kept === null ? [key] : []));
    if (missing.length > 0) {
      const computed = this.#compute(missing.map((key) => at(rows, keys.indexOf(key))));
      missing.forEach((key, i) => {
        const kept = at(computed, i);
        found.set(key, kept);
        this.#options.cache.write(key, bytesOf(kept));
        this.#remember(key, kept);
      });
    }
    return { kept: keys.map((key) => found.get(key) as Kept), computed: missing.length };
  }

  #cached(key: string): Kept | null {
    const { cache, precision } = this.#options;
    const bytes = cache.read(key, this.#trunk.width * BYTES[precision]);
    if (bytes === null) return null;
    const kept = keptFrom(bytes, precision);
    this.#remember(key, kept);
    return kept;
  }

  #remember(key: string, kept: Kept): void {
    if (this.#room < kept.byteLength) return;
    this.#room -= kept.byteLength;
    this.#kept.set(key, kept);
  }

  /** Of what a picture's features depend on: trunk, backend, precision and pixels. */
  #keyOf(row: number): string {
    const known = this.#keys.get(row);
    if (known !== undefined) return known;
    const { precision, backend } = this.#options;
    const { size, channels } = this.#pixels.spec;
    const facts = [this.#trunk.digest, backend, precision, size, channels];
    const hash = createHash("sha256").update(JSON.stringify(facts));
    const key = hash.update(this.#pixels.read([row])).digest("hex");
    this.#keys.set(row, key);
    return key;
  }

  #compute(rows: readonly number[]): Kept[] {
    const { width } = this.#trunk;
    const { size, channels } = this.#pixels.spec;
    const seen = toUnit(this.#pixels.read(rows));
    const values = tf.tidy(() =>
      this.#trunk.compute(tf.tensor4d(seen, [rows.length, ...size, channels])).dataSync<"float32">(),
    );
    return rows.map((row, i) => {
      const own = values.subarray(i * width, (i + 1) * width);
      this.#assertFinite(own, row);
      return keep(own, this.#options.precision);
    });
  }

  #assertFinite(values: Float32Array, row: number): void {
    const isHalf = this.#options.precision === "float16";
    const wrong = values.findIndex((value) => !(Math.abs(value) < (isHalf ? HALF_LIMIT : Number.POSITIVE_INFINITY)));
    if (wrong < 0) return;
    const sample = this.#pixels.paths[row];
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

/** From here on a number of 16 bits is infinite. */
const HALF_LIMIT = 65_520;

const BYTE_TO_UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

function toUnit(bytes: Uint8Array): Float32Array {
  const unit = new Float32Array(bytes.length);
  for (let i = 0; i < unit.length; i++) unit[i] = f32At(BYTE_TO_UNIT, u8At(bytes, i));
  return unit;
}
