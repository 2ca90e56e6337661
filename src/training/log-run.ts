/** @file Who listens to a run besides the store. */
import type { RunStart } from "../logging/run-logger.js";
import { openTensorBoardLogger } from "../logging/tensorboard-logger.js";
import { SPLITS } from "../tasks/evaluation.js";
import { datasetPictures } from "../asking/sample-pictures.js";
import { alertLogger } from "../project/alerts.js";
import type { RunContext } from "./run-context.js";

/**
 * Opens TensorBoard's curves and the project's own loggers; one that cannot be opened is left out with a warning.
 * @param step from which the run goes on
 */
export async function openLoggers(context: Omit<RunContext, "backend" | "resumed">, step: number): Promise<void> {
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
  const { alerts } = project;
  if (alerts.length > 0) await loggers.open(() => alertLogger(alerts, start, (line) => loggers.warning(line)));
  for (const open of project.loggers) await loggers.open(() => open(start));
}
