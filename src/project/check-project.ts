/** @file `cool check`: a project's flow and labels, before any training. */
import { type LabelReport, labelReport } from "../analysis/label-report.js";
import type { FlowGraph } from "../flow/graph.js";
import { printGraph } from "../flow/print.js";
import type { LoadedProject } from "./resolve-project.js";

export interface ProjectCheck {
  readonly graph: FlowGraph;
  readonly labels: LabelReport;
  /** The flow as a tree with preconditions. */
  readonly tree: string;
}

/** Reads the table and its labels; images are not opened. */
export async function checkProject(
  project: LoadedProject,
  log: (line: string) => void = () => {},
): Promise<ProjectCheck> {
  const { graph, inputs, projectDir, settings } = project;
  await project.prepare?.({ projectDir, log });
  const { loadLabels } = await import("../data/load.js");
  const { data } = settings;
  const { labels, splits, tables, implied, offsets } = await loadLabels({
    graph,
    inputs,
    projectDir,
    table: data.table,
    tables: data.tables,
    allow: data.allow,
    split: data.split,
    impliedLabels: data.impliedLabels,
  });
  return {
    graph,
    labels: labelReport(graph, labels, splits, { tables, implied, offsets: offsets ?? null }),
    tree: printGraph(graph),
  };
}
