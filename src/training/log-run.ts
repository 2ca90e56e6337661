/** @file Who listens to a run besides the store, and what the run says where one of them failed. */
import type { RunEnd, RunStart } from "../logging/run-logger.js";
import { openTensorBoardLogger } from "../logging/tensorboard-logger.js";
import { SPLITS } from "../tasks/evaluation.js";
import { datasetPictures } from "../asking/sample-pictures.js";
import type { RunContext } from "./run-context.js";

/**
 * Opens TensorBoard's curves and the project's own loggers; one that cannot be opened is left out with a warning.
 * @param step from which the run goes on
 */
export async function openLoggers(context: RunContext, step: number): Promise<void> {
  const { project, settings, dataset, store, run, runDir, loggers } = context;
  const config = { ...store.readConfig(run.id), backend: run.backend ?? "unknown" };
  await loggers.open(() =>
    openTensorBoardLogger({
      runDir,
      resumeStep: step,
      graph: project.graph,
      config,
      splits: SPLITS.filter((split) => dataset.splits[split].length > 0),
      pictureOf: datasetPictures(dataset, project.projectDir),
      epochs: settings.train.epochs,
      log: settings.log,
    }),
  );
  const start: RunStart = { id: run.id, name: run.name, project: run.project, dir: runDir, config, step };
  for (const open of project.loggers) await loggers.open(() => open(start));
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
