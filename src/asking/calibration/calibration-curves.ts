/** @file What a calibration comes to, beside a run's curves: one step after its last one. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { withCalibration } from "../../analysis/calibration/apply.js";
import type { Calibrations } from "../../analysis/calibration/fit.js";
import type { CalibrationRow } from "../../analysis/calibration/measure.js";
import { calibration } from "../../analysis/calibration/reliability.js";
import type { ScoredSplit } from "../../analysis/score.js";
import { EventFolders } from "../../logging/event-folders.js";
import { drawReliabilityDiagram } from "../../logging/panels/reliability-panel.js";
import { listEventFiles } from "../../logging/tensorboard/event-file.js";
import type { Split } from "../../tasks/evaluation.js";

/** Numbers that are no metric of an evaluation, whose tags they would share. */
const SHOWN: readonly string[] = ["ece", "ece_adaptive"];

const BEFORE = "Expected calibration error of the network's own scores";
const AFTER = "The same of calibrated scores, which explain and predict show";

/**
 * Writes `<task>/ece`, `<task>/ece_adaptive`, the same under `/calibrated`, and the reliability diagram of calibrated
 * scores into the event files of each split. What an earlier calibration wrote is superseded, as it stood at the same step.
 * @param runDir folder of the run; where a split has no event files, none are made
 * @param step the last one of the run
 * @param scored the splits with the network's own scores; none: the run is no longer calibrated
 * @throws StoreError where an event file cannot be written
 */
export async function tellCalibration(
  runDir: string,
  step: number,
  scored: readonly ScoredSplit[],
  calibrations: Calibrations,
  rows: readonly CalibrationRow[],
): Promise<void> {
  const after = step + 1;
  const files = new EventFolders(runDir, after);
  const isLogged = (split: Split): boolean => {
    const folder = join(runDir, split);
    return existsSync(folder) && listEventFiles(folder).length > 0;
  };
  try {
    // what is opened at a step ends what stood there
    for (const split of ["valid", "test"] as const) if (isLogged(split)) files.writer(split);
    for (const { split, task_path, metric_name, raw, calibrated } of rows) {
      if (!SHOWN.includes(metric_name) || !isLogged(split)) continue;
      const tag = `${task_path}/${metric_name}`;
      if (raw !== null) files.writer(split).scalar(tag, raw, after, BEFORE);
      if (calibrated !== null) files.writer(split).scalar(`${tag}/calibrated`, calibrated, after, AFTER);
    }
    for (const split of scored) {
      if (!isLogged(split.split)) continue;
      for (const task of withCalibration(split, calibrations).tasks) {
        const { path } = task.task;
        const found = calibration(task);
        if (found === null || found.expectedCalibrationError === null || !Object.hasOwn(calibrations, path)) continue;
        const error = found.expectedCalibrationError.toFixed(3);
        const subtitle = `calibrated: ${found.count} answers on ${split.split}, error ${error}`;
        const image = await drawReliabilityDiagram(path, subtitle, found, "png");
        files.writer(split.split).image(`${path}/reliability/calibrated`, image, after);
      }
    }
  } finally {
    files.close();
  }
}
