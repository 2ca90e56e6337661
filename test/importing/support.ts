/** @file Imports of logs that trackers have left (fixtures/trackers/make.py), and what a store has of them then. */
import { cpSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { importFound } from "../../src/importing/import-found.js";
import type { ImportedRuns, ImportOptions } from "../../src/importing/import-source.js";
import { findSource } from "../../src/importing/recognize.js";
import type { SourceKind } from "../../src/importing/shape.js";
import type { RunStore } from "../../src/storage/run-store.js";
import { openStore, temporaryDir } from "../storage/support.js";

/** A copy of a fixture, which a test may change. */
export function fixture(name: string): string {
  const copy = join(temporaryDir(), basename(name));
  cpSync(fileURLToPath(new URL(`../../fixtures/trackers/${name}`, import.meta.url)), copy, { recursive: true });
  return copy;
}

export function importAll(
  store: string,
  path: string,
  options: ImportOptions & { from?: SourceKind } = {},
): ImportedRuns {
  const found = findSource(path, options.from);
  if (found === null) throw new Error(`${path} is taken for a store of ours`);
  return importFound(store, found, options);
}

/** An import into a new store, which is open. */
export function imported(path: string, options: ImportOptions & { from?: SourceKind } = {}) {
  const dir = temporaryDir();
  const result = importAll(dir, path, options);
  return { dir, result, store: openStore(dir) };
}

/** `split/task/metric` → [step, value, seconds] of each point. */
export function curvesOf(store: RunStore, name: string): Record<string, [number, number | null, number][]> {
  const curves: Record<string, [number, number | null, number][]> = {};
  for (const { split, taskPath, metricName, step, value, wallTime } of store.readMetrics(store.findRun(name).id)) {
    const curve = `${split}/${taskPath}/${metricName}`;
    curves[curve] = [...(curves[curve] ?? []), [step, value, wallTime]];
  }
  return curves;
}

export function leftOf({ added }: ImportedRuns, name: string): string[] {
  const run = added.find((one) => one.name === name);
  return (run?.left ?? []).map(({ count, what, reason }) => `${count} ${what}: ${reason}`).sort();
}
