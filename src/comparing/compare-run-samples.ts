/** @file Two runs sample by sample: their stored predictions of one split, read and compared. */
import { existsSync } from "node:fs";
import { compareSamples, type SampleComparison } from "../analysis/comparison/compare-samples.js";
import type { RandomInt } from "../analysis/statistics/paired-differences.js";
import { randomIndices } from "../analysis/statistics/random-index.js";
import { createRandom } from "../data/rng.js";
import type { RunStore } from "../storage/run-store.js";
import type { Gates, Split } from "../tasks/evaluation.js";
import { runFiles } from "../records/run-folder.js";
import { openStoredRun, readScoredSplit } from "../asking/stored-run.js";

export interface CompareSamplesOptions {
  readonly split: Split;
  readonly gates: Gates;
  /** Changed samples to name per task and kind of change. */
  readonly top: number;
}

/**
 * @param ids of two runs
 * @returns null where one of them has no predictions of the split
 */
export async function compareRunSamples(
  store: RunStore,
  ids: readonly [string, string],
  { split, gates, top }: CompareSamplesOptions,
): Promise<SampleComparison | null> {
  const hasPredictions = (id: string): boolean => {
    const files = runFiles(store.runDir(id));
    return existsSync(files.predictions(split)) && existsSync(files.thresholds);
  };
  if (!ids.every(hasPredictions)) return null;
  const scored = await Promise.all(ids.map(async (id) => readScoredSplit(await openStoredRun(store, id), split)));
  const [first, second] = scored as [(typeof scored)[0], (typeof scored)[0]];
  return compareSamples(first, second, { gates, top, randomOf: seededByTask });
}

/** Each task's chance depends on its path alone, so that no other task changes its interval. */
function seededByTask(taskPath: string): RandomInt {
  return randomIndices(createRandom(`compare ${taskPath}`).state());
}
