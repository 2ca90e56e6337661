/** @file `cool calibrate`: probabilities that mean what they say, from the stored predictions of a run or a group of folds. */
import { refusePixels } from "../pixels/per-pixel.js";
import { fitCalibration } from "../../analysis/calibration/fit.js";
import { type CalibrationRow, measureCalibration } from "../../analysis/calibration/measure.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { at } from "../../arrays.js";
import type { CalibrationMethod } from "../../decoding/calibration.js";
import { ConfigError } from "../../errors.js";
import type { FlowGraph } from "../../flow/graph.js";
import { type CalibrationRecord, dropCalibration, keepCalibration } from "../../records/calibration.js";
import { digestFiles } from "../../records/run-artifacts.js";
import { type RunSummary, summarize } from "../../records/run-summary.js";
import type { RunStore } from "../../storage/run-store.js";
import type { RunGroup } from "../../storage/tables/groups.js";
import { type Split, SYSTEM_TASK } from "../../tasks/evaluation.js";
import { groupSplits } from "../groups/complete-folds.js";
import { dropGroupCalibration, keepGroupCalibration } from "../groups/group-calibration.js";
import { type GroupSummary, openMembers, summarizeGroup } from "../groups/group-runs.js";
import { type OpenRunOptions, openStoredRun, predictedSplits, readScoredSplit } from "../stored-run.js";
import { tellCalibration } from "./calibration-curves.js";

interface Calibrated {
  readonly method: CalibrationMethod | "none";
  /** The split that it was fitted on. */
  readonly split: Split;
  readonly tasks: CalibrationRecord["tasks"];
  /** On valid, which it was fitted on, and on test, where there is one. */
  readonly calibration: readonly CalibrationRow[];
  readonly warnings: readonly string[];
}

/** Of a run, or of a group of folds. */
export type CalibrateResult = Calibrated & ({ readonly run: RunSummary } | { readonly group: GroupSummary });

const FITTED_ON = "valid";
const MEASURED_ON: readonly Split[] = [FITTED_ON, "test"];

/**
 * Fits the calibration of a run on valid, of a group of folds on their out-of-fold answers, and keeps it in its folder; of
 * a run also in the store and beside its curves. Thresholds and decisions stay.
 * @param method none: the scores are the network's again
 * @throws ConfigError where the run has no valid split
 */
export async function calibrateRun(
  store: RunStore,
  reference: string,
  method: CalibrationMethod | "none",
  options: OpenRunOptions = {},
): Promise<CalibrateResult> {
  const group = store.findGroup(reference);
  return group === null
    ? calibrateOne(store, reference, method, options)
    : calibrateGroup(store, group, method, options);
}

async function calibrateOne(
  store: RunStore,
  reference: string,
  method: CalibrationMethod | "none",
  options: OpenRunOptions,
): Promise<CalibrateResult> {
  const stored = await openStoredRun(store, reference, options);
  const { run, dir, graph } = stored;
  const facts = { run: summarize(run, dir) };
  if (method === "none") {
    dropCalibration(store, run.id, dir);
    await tellCalibration(dir, lastStep(store, run.id), [], {}, []);
    store.recordArtifacts(run.id, await digestFiles(dir));
    return { ...facts, ...NONE };
  }
  const splits = predictedSplits(dir);
  if (!splits.includes(FITTED_ON)) {
    const found = splits.length === 0 ? "no predictions" : "no valid split to calibrate on";
    throw new ConfigError(`Run ${run.id} (${run.name}) has ${found}. Give data.split a valid part and run again.`, {
      run: run.id,
    });
  }
  const scored: ScoredSplit[] = [];
  for (const split of MEASURED_ON) if (splits.includes(split)) scored.push(await readScoredSplit(stored, split));
  const { record, ...found } = fitted(graph, scored, method);
  keepCalibration(store, run.id, dir, record, found.calibration);
  await tellCalibration(dir, lastStep(store, run.id), scored, found.tasks, found.calibration);
  // its calibration is another file now
  store.recordArtifacts(run.id, await digestFiles(dir));
  return { ...facts, ...found };
}

async function calibrateGroup(
  store: RunStore,
  group: RunGroup,
  method: CalibrationMethod | "none",
  options: OpenRunOptions,
): Promise<CalibrateResult> {
  const members = await openMembers(store, group, options);
  const facts = { group: summarizeGroup(store, group) };
  if (method === "none") {
    dropGroupCalibration(store, group.id);
    return { ...facts, ...NONE };
  }
  const { record, ...found } = fitted(at(members, 0).graph, await groupSplits(members), method);
  keepGroupCalibration(store, group.id, record);
  return { ...facts, ...found };
}

const NONE: Calibrated = { method: "none", split: FITTED_ON, tasks: {}, calibration: [], warnings: [] };

/** @param scored the first is what it is fitted on */
function fitted(
  graph: FlowGraph,
  scored: readonly ScoredSplit[],
  method: CalibrationMethod,
): Calibrated & { readonly record: CalibrationRecord } {
  refusePixels(graph, "its scores are not calibrated: calibrate a run without tasks per pixel");
  const { tasks, warnings } = fitCalibration(graph, at(scored, 0), method);
  const calibration = scored.flatMap((split) => measureCalibration(graph, split, tasks));
  const facts = { method, split: FITTED_ON, tasks } as const;
  return { ...facts, calibration, warnings, record: { formatVersion: 1, ...facts } };
}

/** Of the curves that training has written. */
function lastStep(store: RunStore, runId: string): number {
  return store
    .readMetrics(runId)
    .reduce((last, { step, taskPath }) => (taskPath === SYSTEM_TASK ? last : Math.max(last, step)), 0);
}
