/** @file The calibration of the ensemble of a group of folds, in the folder of the group. */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { type CalibrationRecord, readCalibration } from "../../records/calibration.js";
import { runFiles, writeJson } from "../../records/run-folder.js";
import type { RunStore } from "../../storage/run-store.js";
import type { StoredRun } from "../stored-run.js";
import { groupFolder } from "./group-runs.js";

const folderOf = (store: RunStore, groupId: string): string => dirname(groupFolder(store, groupId));

/** Of the ensemble, in terms of its first fold; null where it has not been calibrated. */
export function readGroupCalibration(store: RunStore, groupId: string, first: StoredRun): CalibrationRecord | null {
  return readCalibration(folderOf(store, groupId), first.graph);
}

export function keepGroupCalibration(store: RunStore, groupId: string, record: CalibrationRecord): void {
  const folder = folderOf(store, groupId);
  mkdirSync(folder, { recursive: true });
  writeJson(runFiles(folder).calibration, record);
}

/** The ensemble's scores are those of its networks again. */
export function dropGroupCalibration(store: RunStore, groupId: string): void {
  const file = runFiles(folderOf(store, groupId)).calibration;
  if (existsSync(file)) rmSync(file);
}
