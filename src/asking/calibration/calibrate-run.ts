/** @file `cool calibrate`: probabilities that mean what they say, from the stored predictions of a finished run. */
import { fitCalibration } from "../../analysis/calibration/fit.js";
import { type CalibrationRow, measureCalibration } from "../../analysis/calibration/measure.js";
import type { CalibrationMethod } from "../../decoding/calibration.js";
import { ConfigError } from "../../errors.js";
import { type CalibrationRecord, dropCalibration, keepCalibration } from "../../records/calibration.js";
import { digestFiles } from "../../records/run-artifacts.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import type { RunStore } from "../../storage/run-store.js";
import type { Split } from "../../tasks/evaluation.js";
import { type OpenRunOptions, openStoredRun, predictedSplits, readScoredSplit } from "../stored-run.js";

export interface CalibrateResult {
  readonly run: RunSummary;
  readonly method: CalibrationMethod | "none";
  /** The split that it was fitted on. */
  readonly split: Split;
  readonly tasks: CalibrationRecord["tasks"];
  /** On valid, which it was fitted on, and on test, where there is one. */
  readonly calibration: readonly CalibrationRow[];
  readonly warnings: readonly string[];
}

const FITTED_ON = "valid";
const MEASURED_ON: readonly Split[] = [FITTED_ON, "test"];

/**
 * Fits the run's calibration on valid and keeps it in its folder and the store. Thresholds and decisions stay.
 * @param method none: the scores are the network's again
 * @throws ConfigError where the run has no valid split
 */
export async function calibrateRun(
  store: RunStore,
  reference: string,
  method: CalibrationMethod | "none",
  options: OpenRunOptions = {},
): Promise<CalibrateResult> {
  const stored = await openStoredRun(store, reference, options);
  const { run, dir, graph } = stored;
  const facts = { run: summarize(run, dir), method, split: FITTED_ON } as const;
  if (method === "none") {
    dropCalibration(store, run.id, dir);
    store.recordArtifacts(run.id, await digestFiles(dir));
    return { ...facts, tasks: {}, calibration: [], warnings: [] };
  }
  const splits = predictedSplits(dir);
  if (!splits.includes(FITTED_ON)) {
    const found = splits.length === 0 ? "no predictions" : "no valid split to calibrate on";
    throw new ConfigError(`Run ${run.id} (${run.name}) has ${found}. Give data.split a valid part and run again.`, {
      run: run.id,
    });
  }
  const valid = await readScoredSplit(stored, FITTED_ON);
  const { tasks, warnings } = fitCalibration(graph, valid, method);
  const calibration: CalibrationRow[] = [];
  for (const split of MEASURED_ON) {
    if (!splits.includes(split)) continue;
    const scored = split === FITTED_ON ? valid : await readScoredSplit(stored, split);
    calibration.push(...measureCalibration(graph, scored, tasks));
  }
  keepCalibration(store, run.id, dir, { formatVersion: 1, method, split: FITTED_ON, tasks }, calibration);
  // its calibration is another file now
  store.recordArtifacts(run.id, await digestFiles(dir));
  return { ...facts, tasks, calibration, warnings };
}
