/** @file Thresholds as a run's folder keeps them. */
import type { FlowGraph } from "../flow/graph.js";
import { behaviourOf, type Thresholds } from "../tasks/index.js";
import { readJson, runFiles } from "./run-folder.js";

/** Thresholds by path of task, as in the JSON contract: a number, or one per label. */
export type ThresholdsByPath = Readonly<Record<string, number | readonly number[]>>;

export function defaultThresholds(graph: FlowGraph): Thresholds[] {
  return graph.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));
}

/** Thresholds of every task in the order of the graph; defaults for tasks that are not named. */
export function readThresholds(runDir: string, graph: FlowGraph): Thresholds[] {
  const stored = readJson(runFiles(runDir).thresholds) as ThresholdsByPath;
  const defaults = defaultThresholds(graph);
  return graph.tasks.map((task, i) => {
    const value = stored[task.path];
    if (value === undefined) return defaults[i] as Thresholds;
    return typeof value === "number" ? [value] : value;
  });
}

/** The contract's form: tasks without thresholds are left out. */
export function thresholdsByPath(graph: FlowGraph, thresholds: readonly Thresholds[]): ThresholdsByPath {
  return Object.fromEntries(
    graph.tasks.flatMap((task, i): [string, number | readonly number[]][] => {
      const values = thresholds[i] as Thresholds;
      if (values.length === 0) return [];
      return [[task.path, task.spec.kind === "binary" ? (values[0] as number) : values]];
    }),
  );
}
