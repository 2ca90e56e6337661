/** @file Rows that are watched: new ones, and those of train out of the run's own tables. */
import type { Vectors } from "../../analysis/drift/features.js";
import type { InputSource } from "../../data/dataset.js";
import { createRandom } from "../../data/rng.js";
import { type Watched, watchInputs } from "../../data/monitor/row-statistics.js";
import { StoreError } from "../../errors.js";
import type { Monitor } from "../../records/monitor/monitor.js";
import { recordOfWatched, someRows } from "../../records/monitor/reference.js";
import { openOwnTables, type PredictOptions } from "../open-inputs.js";
import type { RunAnswerer } from "../run-answerer.js";
import { readScoredSplit, type StoredRun } from "../stored-run.js";

/** Most numbers of a row that are compared: more are projected on random directions. */
const MOST_FEATURES = 256;

/** What is watched of opened rows, and what the trunk makes of them. */
export async function watchRows(
  stored: StoredRun,
  answerer: RunAnswerer,
  sources: Readonly<Record<string, InputSource>>,
  rows: Int32Array,
  options: PredictOptions,
): Promise<{ readonly watched: readonly Watched[]; readonly features: Vectors | null }> {
  const watched = watchInputs(sources, Object.keys(stored.config.inputs), rows);
  const features = await answerer.features(sources, rows, options);
  return { watched, features: features === null ? null : projected(features, rows.length) };
}

/** Gaussian directions keep distances, nearly (Johnson & Lindenstrauss, 1984). */
function projected(values: Float32Array, rows: number): Vectors {
  const width = rows === 0 ? 0 : values.length / rows;
  if (width <= MOST_FEATURES) return { values, rows, width };
  const random = createRandom(`drift/projection/${width}`);
  const gaussian = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  const directions = Float32Array.from({ length: width * MOST_FEATURES }, () => gaussian() / Math.sqrt(MOST_FEATURES));
  const out = new Float32Array(rows * MOST_FEATURES);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) {
      const value = values[row * width + i] ?? 0;
      if (value === 0) continue;
      for (let k = 0; k < MOST_FEATURES; k++) {
        out[row * MOST_FEATURES + k] =
          (out[row * MOST_FEATURES + k] ?? 0) + value * (directions[i * MOST_FEATURES + k] ?? 0);
      }
    }
  }
  return { values: out, rows, width: MOST_FEATURES };
}

/**
 * What new data is compared with, out of the run's own tables.
 * @param cacheDir where decoded pictures are kept
 * @throws DataError, ConfigError where a table is gone; StoreError where none of its rows is one of train
 */
export async function watchTrain(
  stored: StoredRun,
  answerer: RunAnswerer,
  options: PredictOptions & { readonly cacheDir: string },
): Promise<Monitor> {
  const { run } = stored;
  const train = new Set((await readScoredSplit(stored, "train")).ids);
  const dataset = await openOwnTables(stored, { ...options, what: "decoding images of train" });
  try {
    const own = Int32Array.from(dataset.ids.flatMap((id, row) => (train.has(id) ? [row] : [])));
    if (own.length === 0) {
      throw new StoreError(
        `None of the rows that run ${run.id} (${run.name}) was trained on is in its tables any more. Restore them, or train again.`,
        { run: run.id },
      );
    }
    const rows = someRows(own, dataset.inputs);
    const { watched, features } = await watchRows(stored, answerer, dataset.inputs, rows, options);
    return { record: recordOfWatched(watched, rows.length), features };
  } finally {
    dataset.close();
  }
}
