/** @file Inputs of a run that a model beside its network makes of pictures or texts: computed when the run is asked. */
import { join, resolve } from "node:path";
import type { InputSource } from "../data/dataset.js";
import { NO_EXTERNALS } from "../engine/model/pretrained/external-part.js";
import { ContentCache } from "../platform/content-cache.js";
import type { StoredRun } from "./stored-run.js";

export interface ExternalOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string, done: number, total: number) => void) | undefined;
}

/**
 * The sources of a run with what its models put out for the pictures and texts of some rows; the same where there are none.
 * @throws StoreError where the store lacks a model; BackendError where what runs it is not installed
 */
export async function withExternals(
  sources: Readonly<Record<string, InputSource>>,
  rows: Int32Array,
  { config, dir, project }: Pick<StoredRun, "config" | "dir" | "project">,
  { signal, onProgress }: ExternalOptions,
): Promise<Readonly<Record<string, InputSource>>> {
  const { parts } = config.externals ?? NO_EXTERNALS;
  const storeDir = resolve(dir, "..", "..");
  const made: Record<string, InputSource> = {};
  for (const part of parts) {
    if (sources[part.name] !== undefined) continue;
    const source = sources[part.input];
    if (source === undefined) throw new Error(`the input "${part.input}" is not there`);
    const [{ openExternal }, { FeatureRows }] = await Promise.all([
      import("../engine/features/external-trunk.js"),
      import("../engine/features/feature-source.js"),
    ]);
    const trunk = await openExternal(part, source.spec, storeDir, project?.dir ?? null);
    try {
      const { precision = "float32", gigabytes = 10 } = config.settings.train.featureCache ?? {};
      const cache = new ContentCache(join(storeDir, "cache", "features"), { maxBytes: gigabytes * 2 ** 30 });
      const features = new FeatureRows(trunk, source, { precision, cache, backend: trunk.runtime });
      await features.fill(rows, {
        signal,
        onProgress: (done, total) => onProgress?.(`features of ${part.model}`, done, total),
      });
      for (const feature of trunk.features) made[feature.name] = features.source(feature);
    } finally {
      await trunk.close();
    }
  }
  return { ...sources, ...made };
}
