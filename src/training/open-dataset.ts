/** @file The data of a run: prepared and loaded, with what is said about it. */
import { join } from "node:path";
import { labelReportSliced } from "../analysis/label-report.js";
import type { Dataset } from "../data/dataset.js";
import type { FlowGraph } from "../flow/graph.js";
import type { LoggerGroup } from "../logging/logger-group.js";
import { inSlices, yieldTo } from "../platform/yield-to.js";
import { prepareData } from "../project/load-project.js";
import type { LoadedProject } from "../project/resolve-project.js";
import type { Settings } from "../project/settings.js";
import { earlyWarning, memoryWarning } from "./memory-needed.js";

/** Prepares and loads the data; everything that can be wrong with it is found here, before a run exists. */
export async function openDataset(
  project: LoadedProject,
  settings: Settings,
  storeDir: string,
  loggers: LoggerGroup,
  signal?: AbortSignal,
): Promise<Dataset> {
  const { projectDir } = project;
  await prepareData(project, (line) => loggers.message(line));
  const early = await earlyWarning(project, settings);
  if (early !== null) loggers.warning(early);
  const { loadDataset } = await import("../data/load.js");
  const dataset = await loadDataset({
    graph: project.graph,
    table: settings.data.table,
    tables: settings.data.tables,
    allow: settings.data.allow,
    impliedLabels: settings.data.impliedLabels,
    weight: settings.data.weight,
    inputs: project.inputs,
    split: settings.data.split,
    projectDir,
    cacheDir: join(storeDir, "cache"),
    onBadImage: settings.data.onBadImage,
    onProgress: (done, total) => loggers.work({ what: "decoding images", done, total }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (dataset.skipped.length > 0) {
    const [first] = dataset.skipped;
    loggers.warning(
      `${dataset.skipped.length} rows were skipped; the first: ${first?.sample} (row ${first?.row}): ${first?.reason}`,
    );
  }
  for (const warning of dataset.warnings ?? []) loggers.warning(warning);
  const unfit = early === null ? memoryWarning(project.graph, dataset) : null;
  if (unfit !== null) loggers.warning(unfit);
  try {
    await reportLabels(project.graph, dataset, loggers, signal);
    return dataset;
  } catch (error) {
    dataset.close();
    throw error;
  }
}

/** What the labels can never teach, and which of them are implied. */
async function reportLabels(
  graph: FlowGraph,
  dataset: Dataset,
  loggers: LoggerGroup,
  signal: AbortSignal | undefined,
): Promise<void> {
  await yieldTo(signal);
  const { labels, splits, offsets = null } = dataset;
  const report = await inSlices(labelReportSliced(graph, labels, splits, { offsets }), signal);
  for (const { task_path, level, message } of report.warnings) {
    if (level === "problem") loggers.warning(`${task_path}: ${message}`);
  }
  for (const { task_path, implied } of dataset.implied) {
    loggers.message(`${task_path}: ${implied} missing labels are implied by labels that are conditioned on it`);
  }
  await yieldTo(signal);
}
