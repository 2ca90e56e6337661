/** @file The models that run beside a run's network, kept open: nothing of what is asked goes to the disk. */
import { dirname } from "node:path";
import { everyRow } from "../../asking/run-answerer.js";
import type { OpenInputs } from "../../asking/open-inputs.js";
import type { StoredRun } from "../../asking/stored-run.js";
import type { InputSource } from "../../data/dataset.js";
import type { ExternalTrunk } from "../../engine/features/external-trunk.js";
import { type ExternalPart, NO_EXTERNALS } from "../../engine/model/pretrained/external-part.js";

/** Feeds a network what such models put out. */
export class RunExternals {
  readonly #stored: StoredRun;
  readonly #parts: readonly ExternalPart[];
  readonly #trunks = new Map<string, ExternalTrunk>();

  constructor(stored: StoredRun) {
    this.#stored = stored;
    this.#parts = (stored.config.externals ?? NO_EXTERNALS).parts;
  }

  /** All sources of opened rows. */
  async complete(opened: OpenInputs): Promise<Readonly<Record<string, InputSource>>> {
    const made: Record<string, InputSource> = {};
    for (const part of this.#parts) {
      const source = opened.sources[part.input];
      if (source === undefined) throw new Error(`the input "${part.input}" is not there`);
      const { openExternal } = await import("../../engine/features/external-trunk.js");
      const { FeatureRows } = await import("../../engine/features/feature-source.js");
      const storeDir = dirname(dirname(this.#stored.dir));
      const trunk =
        this.#trunks.get(part.name) ??
        (await openExternal(part, source.spec, storeDir, this.#stored.project?.dir ?? null));
      this.#trunks.set(part.name, trunk);
      const { precision = "float32" } = this.#stored.config.settings.train.featureCache ?? {};
      const features = new FeatureRows(trunk, source, { precision, cache: null, backend: trunk.runtime });
      await features.fill(everyRow(opened));
      for (const feature of trunk.features) made[feature.name] = features.source(feature);
    }
    return { ...opened.sources, ...made };
  }

  async close(): Promise<void> {
    for (const trunk of this.#trunks.values()) await trunk.close();
  }
}
