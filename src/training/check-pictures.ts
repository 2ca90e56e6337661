/** @file `cool check --images`: what only the pictures themselves can tell. */
import { type BaselineRow, baselineRows } from "../analysis/baselines.js";
import { type Duplicate, duplicatesAcross } from "../data/inputs/duplicates.js";
import { fitTasks } from "../data/labels/fit-tasks.js";
import { LoggerGroup } from "../logging/logger-group.js";
import type { LoadedProject } from "../project/resolve-project.js";
import { openDataset } from "./open-dataset.js";

export interface CheckedPictures {
  /** Rows with sound pictures. */
  readonly rows: number;
  /** Of all tasks, those in pixels of the pictures among them. */
  readonly baselines: readonly BaselineRow[];
  /** Pictures of valid and test that another split shows as well, under another path. */
  readonly duplicates: readonly Duplicate[];
}

/**
 * Decodes every picture into the cache that runs read.
 * @throws DataError where pictures are bad, InterruptedError where the signal fires
 */
export async function checkPictures(
  project: LoadedProject,
  storeDir: string,
  signal: AbortSignal,
): Promise<CheckedPictures> {
  const dataset = await openDataset(project, project.settings, storeDir, new LoggerGroup([]), signal);
  try {
    const baselines = baselineRows(fitTasks(project.graph, dataset), dataset);
    return { rows: dataset.rows, baselines, duplicates: await duplicatesAcross(dataset, signal) };
  } finally {
    dataset.close();
  }
}
