/** @file Calibrated probabilities in the place of a network's scores; decisions stay. */
import { calibrate, calibrateThreshold } from "../../decoding/calibration.js";
import type { ScoredSplit, ScoredTask } from "../score.js";
import type { Calibrations } from "./fit.js";

/**
 * The same answers with calibrated probabilities for scores. Each threshold moves along with the scores, and what was
 * decided stays as it is: a map that never falls gives no reason to decide otherwise.
 */
export function withCalibration(scored: ScoredSplit, calibrations: Calibrations): ScoredSplit {
  return { ...scored, tasks: scored.tasks.map((task) => calibrated(task, calibrations)) };
}

function calibrated(task: ScoredTask, calibrations: Calibrations): ScoredTask {
  const { path, spec } = task.task;
  const calibration = Object.hasOwn(calibrations, path) ? calibrations[path] : undefined;
  if (calibration === undefined || task.kept.kind === "summary") return task;
  const activated = calibrate(spec, calibration, task.kept.logits);
  const thresholds = task.thresholds.map((threshold, i) => calibrateThreshold(calibration, threshold, i));
  return { ...task, thresholds, kept: { ...task.kept, activated } };
}
