/** @file `cool check`: a project's flow and labels, before any training. */
import { type BaselineRow, baselineRowsSliced } from "../analysis/baselines.js";
import { type LabelReport, labelReportSliced } from "../analysis/label-report.js";
import type { Dataset, InputSpec } from "../data/dataset.js";
import { fitTasks } from "../data/labels/fit-tasks.js";
import { needsImageSize } from "../data/labels/labels.js";
import type { Leak } from "../data/load.js";
import type { FlowGraph } from "../flow/graph.js";
import { printGraph } from "../flow/print.js";
import { inSlices, yieldTo } from "../platform/yield-to.js";
import { prepareData } from "./load-project.js";
import type { LoadedProject } from "./resolve-project.js";

export interface ProjectCheck {
  readonly graph: FlowGraph;
  readonly labels: LabelReport;
  /** The flow as a tree with preconditions. */
  readonly tree: string;
  /** Tasks that are declared and never asked. */
  readonly unasked: readonly string[];
  readonly warnings: readonly string[];
  readonly leaks: readonly Leak[];
  /** What constant answers come to; not there for tasks in pixels of pictures, which are not opened. */
  readonly baselines: readonly BaselineRow[];
  /** Inputs as the network reads them. */
  readonly inputs: Readonly<Record<string, InputSpec>>;
  /** What was read; labels in pixels of pictures, which are not opened, are unknown. */
  readonly dataset: Pick<Dataset, "rows" | "ids" | "labels" | "splits" | "offsets">;
}

/** Prepares the data, and checks the project. */
export async function checkProject(
  project: LoadedProject,
  log: (line: string) => void = () => {},
): Promise<ProjectCheck> {
  await prepareData(project, log);
  return checkPrepared(project);
}

/**
 * Reads the table and its labels, which are there; images are not opened.
 * @throws DataError and ConfigError as loadLabels does; InterruptedError if the signal fires
 */
export async function checkPrepared(project: LoadedProject, signal?: AbortSignal): Promise<ProjectCheck> {
  const { graph, inputs, projectDir, settings } = project;
  const { loadLabels } = await import("../data/load.js");
  const { data } = settings;
  const { labels, splits, tables, implied, offsets, ...read } = await loadLabels({
    graph,
    inputs,
    projectDir,
    table: data.table,
    tables: data.tables,
    allow: data.allow,
    split: data.split,
    impliedLabels: data.impliedLabels,
    weight: data.weight,
    signal,
  });
  const rows = tables.reduce((sum, table) => sum + table.rows.length, 0);
  const dataset = {
    rows,
    ids: Array.from({ length: rows }, (_, row) => String(row + 1)),
    labels,
    splits,
    offsets: offsets ?? null,
  };
  const report = labelReportSliced(graph, labels, splits, { tables, implied, offsets: offsets ?? null });
  const counted = await inSlices(report, signal);
  const fitted = fitTasks(graph, dataset);
  await yieldTo(signal);
  const baselines = baselineRowsSliced(fitted, dataset, (task) => !needsImageSize(task));
  return {
    graph,
    labels: counted,
    tree: printGraph(graph),
    unasked: project.unasked,
    warnings: read.warnings,
    leaks: read.leaks,
    baselines: await inSlices(baselines, signal),
    inputs: read.inputs,
    dataset,
  };
}
