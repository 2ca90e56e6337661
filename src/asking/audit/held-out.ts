/** @file The answers of a run, or of the folds of a group, to rows that they were not trained on. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { SplitOutputs } from "../../analysis/score.js";
import { StoreError } from "../../errors.js";
import { shellWord } from "../../platform/shell-word.js";
import { readPredictions } from "../../records/predictions/read.js";
import { runFiles } from "../../records/run-folder.js";
import type { RunStore } from "../../storage/run-store.js";
import { joinOutputs, outOfFoldOutputs } from "../groups/complete-folds.js";
import { groupFolder, openMembers } from "../groups/group-runs.js";
import { type OpenRunOptions, openStoredRun, predictedSplits, type StoredRun } from "../stored-run.js";

/** Rows that can be judged. */
export interface HeldOut {
  /** The run, or the first of the folds: its graph and thresholds are those of the outputs. */
  readonly stored: StoredRun;
  readonly name: string;
  readonly kind: "out_of_fold" | "held_out";
  readonly outputs: SplitOutputs;
  /** How many rows other than those were trained on; of folds none. */
  readonly advice: string | null;
}

/**
 * Of a group of folds the out-of-fold answers, with those of the ensemble to test; of a run those to valid and test.
 * @throws UnknownNameError, StoreError
 */
export async function heldOutAnswers(
  store: RunStore,
  reference: string,
  options: OpenRunOptions = {},
): Promise<HeldOut> {
  const group = store.findGroup(reference);
  if (group !== null) {
    const members = await openMembers(store, group, options);
    const [stored] = members;
    if (stored === undefined) throw new StoreError(`The group ${reference} has no runs.`, { group: reference });
    const test = join(groupFolder(store, group.id), "test.parquet");
    const parts = [await outOfFoldOutputs(members)];
    if (existsSync(test)) parts.push(await readPredictions(test, stored.graph, "test"));
    return { stored, name: group.name, kind: "out_of_fold", outputs: joinOutputs(parts), advice: null };
  }
  const stored = await openStoredRun(store, reference, options);
  const { dir, graph, run } = stored;
  const splits = predictedSplits(dir).filter((split) => split !== "train");
  const parts = await Promise.all(
    splits.map((split) => readPredictions(runFiles(dir).predictions(split), graph, split)),
  );
  if (parts.length === 0) {
    throw new StoreError(
      `Run ${run.id} (${run.name}) has no predictions of rows that it was not trained on, so no label can be judged. Train with a valid split, or with folds: cool run --folds`,
      { run: run.id },
    );
  }
  const ofGroup = store.groupOf(run.id);
  const advice =
    ofGroup?.kind === "folds"
      ? `this is one fold of ${ofGroup.name}, of which all rows can be judged: cool audit ${shellWord(ofGroup.name)}`
      : "train with cool run --folds and audit the group to judge all rows";
  return { stored, name: run.name, kind: "held_out", outputs: joinOutputs(parts), advice };
}
