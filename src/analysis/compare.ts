/** @file Runs side by side: where their settings differ, and which did better at what. */
import type { EvaluationRow, Gates, Split } from "../tasks/evaluation.js";

export type ConfigValue = string | number | boolean | null;

/** A run as comparison sees it. */
export interface ComparableRun {
  readonly id: string;
  readonly name: string;
  /** Flattened settings. */
  readonly config: Readonly<Record<string, ConfigValue>>;
  readonly evaluation: readonly EvaluationRow[];
}

/** A setting that differs; one value per run, null where a run has none. */
export interface ComparedParam {
  readonly key: string;
  readonly values: readonly ConfigValue[];
}

/** A metric of all runs. */
export interface ComparedMetric {
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: string;
  readonly gates: Gates;
  /** One per run; null where it is undefined or missing. */
  readonly values: readonly (number | null)[];
  /** Index of the best value, the first if several share it; null if none beats another. */
  readonly best: number | null;
}

export interface Comparison {
  readonly params: readonly ComparedParam[];
  readonly metrics: readonly ComparedMetric[];
}

/** Compares runs. Settings and metrics come in the order in which the runs first mention them. */
export function compareRuns(runs: readonly ComparableRun[]): Comparison {
  return { params: compareParams(runs), metrics: compareMetrics(runs) };
}

/** Losses and errors are better when lower, every other metric when higher. Labels after a `/` do not count. */
export function higherIsBetter(metricName: string): boolean {
  const [metric = ""] = metricName.split("/");
  return !/(^|_)(loss|error)(_|$)/.test(metric);
}

function compareParams(runs: readonly ComparableRun[]): ComparedParam[] {
  const keys = new Set(runs.flatMap(({ config }) => Object.keys(config)));
  return [...keys]
    .map((key) => ({ key, values: runs.map(({ config }) => config[key] ?? null) }))
    .filter(({ values }) => new Set(values).size > 1);
}

function compareMetrics(runs: readonly ComparableRun[]): ComparedMetric[] {
  const keyOf = (row: EvaluationRow): string => JSON.stringify([row.split, row.task_path, row.metric_name, row.gates]);
  const firstMentions = new Map<string, EvaluationRow>();
  const valuesOf = runs.map(({ evaluation }) => {
    for (const row of evaluation) if (!firstMentions.has(keyOf(row))) firstMentions.set(keyOf(row), row);
    return new Map(evaluation.map((row) => [keyOf(row), row.metric_res]));
  });
  return [...firstMentions].map(([key, { split, task_path, metric_name, gates }]) => {
    const values = valuesOf.map((run) => run.get(key) ?? null);
    return { split, task_path, metric_name, gates, values, best: bestOf(values, higherIsBetter(metric_name)) };
  });
}

function bestOf(values: readonly (number | null)[], higher: boolean): number | null {
  const defined = values.filter((value) => value !== null && !Number.isNaN(value)) as number[];
  const lowest = Math.min(...defined);
  const highest = Math.max(...defined);
  return defined.length < 2 || lowest === highest ? null : values.indexOf(higher ? highest : lowest);
}
