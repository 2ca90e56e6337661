/** @file Thresholds as a run's folder keeps them. */
import { at } from "../arrays.js";
import type { FlowGraph, TaskSpec } from "../flow/graph.js";
import { behaviourOf, type Thresholds } from "../tasks/index.js";
import { readThresholdsByPath, type ThresholdsByPath } from "./run-documents.js";
import { brokenDocument } from "./run-folder.js";
import type { RunStore } from "../storage/run-store.js";
import type { Threshold } from "../storage/tables/thresholds.js";
import { runFiles, writeJson } from "./run-folder.js";

export type { ThresholdsByPath } from "./run-documents.js";

export function defaultThresholds(graph: FlowGraph): Thresholds[] {
  return graph.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));
}

/**
 * Thresholds of every task in the order of the graph; defaults for tasks that are not named.
 * @throws StoreError that names the file and the task, where they do not fit the graph
 */
export function readThresholds(runDir: string, graph: FlowGraph): Thresholds[] {
  const stored = readThresholdsByPath(runDir);
  const file = runFiles(runDir).thresholds;
  const known = new Set(graph.tasks.map(({ path }) => path));
  const unknown = Object.keys(stored).find((path) => !known.has(path));
  if (unknown !== undefined) throw brokenDocument(file, unknown, "the run has no such task");
  return graph.tasks.map(({ path, spec }): Thresholds => {
    const defaults = behaviourOf(spec).defaultThresholds(spec);
    const value = Object.hasOwn(stored, path) ? stored[path] : undefined;
    if (value === undefined) return defaults;
    const values = typeof value === "number" ? [value] : value;
    if (values.length === defaults.length) return values;
    throw brokenDocument(file, path, `it has ${values.length} thresholds, and the task has ${defaults.length}`);
  });
}

/** The contract's form: tasks without thresholds are left out. */
export function thresholdsByPath(graph: FlowGraph, thresholds: readonly Thresholds[]): ThresholdsByPath {
  return Object.fromEntries(
    graph.tasks.flatMap((task, i): [string, number | readonly number[]][] => {
      const values = at(thresholds, i);
      if (values.length === 0) return [];
      return [[task.path, isOneQuestion(task.spec) ? at(values, 0) : values]];
    }),
  );
}

/** Whether the task itself is its only yes-or-no question. */
function isOneQuestion(spec: TaskSpec): boolean {
  const questions = behaviourOf(spec).questions(spec);
  return questions.length === 1 && questions[0] === null;
}

/** Writes thresholds to the run's folder and to the store. */
export function keepThresholds(
  store: RunStore,
  runId: string,
  runDir: string,
  graph: FlowGraph,
  thresholds: readonly Thresholds[],
  metric: string,
): ThresholdsByPath {
  const byPath = thresholdsByPath(graph, thresholds);
  writeJson(runFiles(runDir).thresholds, byPath);
  store.replaceThresholds(runId, metric, thresholdRows(graph, thresholds));
  return byPath;
}

/** One row per threshold; of a multilabel task one per label. */
export function thresholdRows(graph: FlowGraph, thresholds: readonly Thresholds[]): Threshold[] {
  return graph.tasks.flatMap(({ path, index, spec }) =>
    (thresholds[index] ?? []).map((value, labelIndex) => ({
      taskPath: path,
      labelIndex,
      label: behaviourOf(spec).questions(spec)[labelIndex] ?? null,
      value,
    })),
  );
}
