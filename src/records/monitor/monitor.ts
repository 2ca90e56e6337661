/** @file What a run keeps of train, for new data to be compared with: monitor.json, and features beside it. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { Vectors } from "../../analysis/drift/features.js";
import type { Sketch } from "../../analysis/drift/sketch.js";
import type { WatchedCategories } from "../../data/monitor/row-statistics.js";
import { explained } from "../../storage/database/store-errors.js";
import { checked } from "../run-documents.js";
import { brokenDocument, readJson, runFiles, writeJson } from "../run-folder.js";

/** monitor.json */
export interface MonitorRecord {
  readonly formatVersion: 1;
  /** Of train that were looked at. */
  readonly rows: number;
  readonly inputs: readonly (
    | { readonly kind: "numbers"; readonly name: string; readonly sketch: Sketch }
    | WatchedCategories
  )[];
  /** Of the file beside it; null where the trunk was not asked yet. */
  readonly features: { readonly rows: number; readonly width: number } | null;
}

/** What new data is compared with. */
export interface Monitor {
  readonly record: MonitorRecord;
  /** null where they are not known. */
  readonly features: Vectors | null;
}

const count = z.number().int().min(0);
const record = z.looseObject({
  formatVersion: z.literal(1),
  rows: count,
  inputs: z.array(
    z.discriminatedUnion("kind", [
      z.looseObject({
        kind: z.literal("numbers"),
        name: z.string(),
        sketch: z.looseObject({
          ...{ count, missing: count, mean: z.number().nullable(), deviation: z.number().min(0).nullable() },
          quantiles: z.array(z.number()).max(2000),
        }),
      }),
      z.looseObject({
        ...{ kind: z.literal("categories"), name: z.string(), names: z.array(z.string()) },
        counts: z.array(count),
      }),
    ]),
  ),
  features: z.object({ rows: count, width: count }).nullable(),
});

/**
 * @returns null for a run that keeps none
 * @throws StoreError that names the file and the key
 */
export function readMonitor(runDir: string): Monitor | null {
  const { monitor: file, monitorFeatures } = runFiles(runDir);
  if (!existsSync(file)) return null;
  const found = checked<MonitorRecord>(record, readJson(file), file);
  const { features } = found;
  if (features === null) return { record: found, features: null };
  const bytes = existsSync(monitorFeatures) ? readFileSync(monitorFeatures) : Buffer.alloc(0);
  if (bytes.byteLength !== 4 * features.rows * features.width) {
    throw brokenDocument(file, "features", `${monitorFeatures} has ${bytes.byteLength} bytes`);
  }
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  return { record: found, features: { values, ...features } };
}

export function keepMonitor(runDir: string, { record: kept, features }: Monitor): void {
  const { monitor: file, monitorFeatures } = runFiles(runDir);
  if (features !== null) {
    const writing = `${monitorFeatures}.writing-${process.pid}`;
    const { values } = features;
    explained(monitorFeatures, () => {
      writeFileSync(writing, new Uint8Array(values.buffer, values.byteOffset, values.byteLength), { flush: true });
      renameSync(writing, monitorFeatures);
    });
  }
  writeJson(file, {
    ...kept,
    features: features === null ? null : { rows: features.rows, width: features.width },
  });
}
