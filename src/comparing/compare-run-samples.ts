/** @file Runs sample by sample: their stored predictions of one split, read and compared. */
import { existsSync } from "node:fs";
import { at as itemAt } from "../arrays.js";
import { adjustTogether } from "../analysis/comparison/adjust-together.js";
import { compareSamples, type SampleComparison } from "../analysis/comparison/compare-samples.js";
import type { ScoredSplit } from "../analysis/score.js";
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
  /** How much worse the second may be; default: that is not tested. */
  readonly margin?: number;
}

/**
 * @param ids of two runs
 * @returns null where one of them has no predictions of the split
 */
export async function compareRunSamples(
  store: RunStore,
  ids: readonly [string, string],
  { split, ...options }: CompareSamplesOptions,
): Promise<SampleComparison | null> {
  const [first, second] = await Promise.all(ids.map((id) => scoredSplitOf(store, id, split)));
  if (first == null || second == null) return null;
  return compareSamples(first, second, { ...options, randomOf: seededByTask });
}

/** One of three runs or more, compared with the first. */
export interface ComparedWithFirst extends SampleComparison {
  /** Id of the run that is compared with the first. */
  readonly run: string;
}

/**
 * Each run compared with the first one, p-values adjusted over the tasks of all runs. The first is read once, the
 * others one after another.
 *
 * @param ids of three runs or more
 * @returns those that have predictions of the split; null where the first has none
 */
export async function compareRunsWithFirst(
  store: RunStore,
  [firstId, ...otherIds]: readonly [string, ...string[]],
  { split, gates, top }: CompareSamplesOptions,
): Promise<ComparedWithFirst[] | null> {
  const first = await scoredSplitOf(store, firstId, split);
  if (first === null) return null;
  const runs: string[] = [];
  const comparisons: SampleComparison[] = [];
  for (const id of otherIds) {
    const other = await scoredSplitOf(store, id, split);
    if (other === null) continue;
    runs.push(id);
    comparisons.push(compareSamples(first, other, { gates, top, randomOf: seededByTask }));
  }
  return adjustTogether(comparisons).map((comparison, i) => ({ run: itemAt(runs, i), ...comparison }));
}

/** Null where the run has no predictions of the split. */
async function scoredSplitOf(store: RunStore, id: string, split: Split): Promise<ScoredSplit | null> {
  const files = runFiles(store.runDir(id));
  if (!existsSync(files.predictions(split)) || !existsSync(files.thresholds)) return null;
  return readScoredSplit(await openStoredRun(store, id), split);
}

/** Each task's chance depends on its path alone, so that no other task changes its interval. */
export function seededByTask(taskPath: string): RandomInt {
  return randomIndices(createRandom(`compare ${taskPath}`).state());
}
