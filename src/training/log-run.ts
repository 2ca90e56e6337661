/** @file The curves and pictures of a run, and what the run says where they could not be written. */
import type { RunEnd, RunLogger } from "../logging/run-logger.js";
import { openTensorBoardLogger } from "../logging/tensorboard-logger.js";
import { SPLITS } from "../tasks/evaluation.js";
import { datasetPictures } from "../asking/sample-pictures.js";
import type { RunContext } from "./train-run.js";

/** @param resumeStep step from which the run goes on */
export function openCurves(context: RunContext, resumeStep: number): RunLogger {
  const { project, settings, dataset, store, run, runDir } = context;
  return openTensorBoardLogger({
    runDir,
    resumeStep,
    graph: project.graph,
    config: { ...store.readConfig(run.id), backend: run.backend ?? "unknown" },
    splits: SPLITS.filter((split) => dataset.splits[split].length > 0),
    pictureOf: datasetPictures(dataset, project.projectDir),
    epochs: settings.train.epochs,
    log: settings.log,
  });
}

/** Marks runs whose curves, pictures or log file have gaps. */
export const INCOMPLETE_LOGS = "incomplete-logs";

/** Tells the loggers how the run ended. Where one of them failed on the way, the run is tagged and says so. */
export function endLogs({ loggers, store, run }: Pick<RunContext, "loggers" | "store" | "run">, end: RunEnd): void {
  loggers.ended(end);
  if (loggers.failures.length === 0) return;
  loggers.warning(
    `The logs of run ${run.id} have gaps (it is tagged ${INCOMPLETE_LOGS}); weights and results are complete. ${loggers.failures.join(" ")}`,
  );
  try {
    store.addTags(run.id, [INCOMPLETE_LOGS]);
  } catch {
    // the disk that the logs lacked may be the store's as well; the warning has said it
  }
}
