/** @file Runs side by side: where their settings differ, and which did better at what. */
import type { EvaluatedGates, EvaluationRow, Split } from "../../tasks/evaluation.js";
import { directionOf, type MetricDirections } from "./directions.js";
import type { ComparableRun, ConfigValue, FlatFacts } from "./comparable-run.js";
import { groupsBySeed, type RunGroup } from "./compare-groups.js";
import { type Spread, spreadOf } from "../statistics/moments.js";

/** A setting or another fact; one value per run, null where a run has none. */
export interface ComparedParam {
  readonly key: string;
  readonly values: readonly ConfigValue[];
}

interface MetricKey {
  readonly split: Split;
  readonly task_path: string;
  readonly metric_name: string;
  readonly gates: EvaluatedGates;
}

/** A metric of all runs. */
export interface ComparedMetric extends MetricKey {
  /** One per run; null where it is undefined or missing. */
  readonly values: readonly (number | null)[];
  /** Index of the best value, the first if several share it; null if none beats another. */
  readonly best: number | null;
}

/** A metric of groups of runs. */
export interface GroupedMetric extends MetricKey {
  /** One per group, over the runs in which the metric is defined; null where there is none. */
  readonly groups: readonly (Spread | null)[];
  /** Index of the group with the best mean. */
  readonly best: number | null;
}

export interface Comparison {
  readonly params: readonly ComparedParam[];
  readonly environment: readonly ComparedParam[];
  readonly code: readonly ComparedParam[];
  readonly data: readonly ComparedParam[];
  readonly metrics: readonly ComparedMetric[];
  /** A partition of the runs where groups were named or some differ in their seed alone; else empty. */
  readonly groups: readonly RunGroup[];
  /** Parallel to `metrics`; empty without groups. */
  readonly grouped_metrics: readonly GroupedMetric[];
}

export interface CompareOptions {
  /** Also facts that are the same in all runs; default false. */
  readonly all?: boolean;
  /** Whether runs that differ in their seed alone become one group; default true. */
  readonly group?: boolean;
  /** Groups that the runs were named by, a partition of them; default: those of `group`. */
  readonly groups?: readonly RunGroup[] | undefined;
}

/** Compares runs. Facts and metrics come in the order in which the runs first mention them. */
export function compareRuns(runs: readonly ComparableRun[], options: CompareOptions = {}): Comparison {
  const { all = false, group = true } = options;
  const directions: MetricDirections = Object.assign({}, ...runs.map((run) => run.directions));
  const metrics = compareMetrics(runs, directions);
  const groups = options.groups ?? (group ? groupsBySeed(runs) : []);
  return {
    params: compareFacts(
      runs.map(({ config }) => config),
      all,
    ),
    environment: compareFacts(
      runs.map(({ environment = {} }) => environment),
      all,
    ),
    code: compareFacts(
      runs.map(({ code = {} }) => code),
      all,
    ),
    data: compareFacts(
      runs.map(({ data = {} }) => data),
      all,
    ),
    metrics,
    groups,
    grouped_metrics: groups.length === 0 ? [] : metrics.map((metric) => groupMetric(metric, groups, directions)),
  };
}

/**
 * Facts of several runs by key.
 * @param all also those that are the same in all runs
 */
export function compareFacts(facts: readonly FlatFacts[], all: boolean): ComparedParam[] {
  const keys = new Set(facts.flatMap((run) => Object.keys(run)));
  return [...keys]
    .map((key) => ({ key, values: facts.map((run) => run[key] ?? null) }))
    .filter(({ values }) => all || new Set(values).size > 1);
}

/**
 * Index of the best value, the first if several share it; null if none beats another.
 * @param higher whether a higher value is better; null: neither is
 */
export function bestOf(values: readonly (number | null)[], higher: boolean | null): number | null {
  if (higher === null) return null;
  const defined = values.filter((value): value is number => value !== null && !Number.isNaN(value));
  const lowest = Math.min(...defined);
  const highest = Math.max(...defined);
  return defined.length < 2 || lowest === highest ? null : values.indexOf(higher ? highest : lowest);
}

function compareMetrics(runs: readonly ComparableRun[], directions: MetricDirections): ComparedMetric[] {
  // none of them has a line break
  const keyOf = (row: EvaluationRow): string => `${row.split}\n${row.task_path}\n${row.metric_name}\n${row.gates}`;
  const firstMentions = new Map<string, EvaluationRow>();
  const valuesOf = runs.map(({ evaluation }) => {
    const values = new Map<string, EvaluationRow["metric_res"]>();
    for (const row of evaluation) {
      const key = keyOf(row);
      values.set(key, row.metric_res);
      if (!firstMentions.has(key)) firstMentions.set(key, row);
    }
    return values;
  });
  return [...firstMentions].map(([key, { split, task_path, metric_name, gates }]) => {
    const values = valuesOf.map((run) => run.get(key) ?? null);
    const best = bestOf(values, directionOf(directions, task_path, metric_name));
    return { split, task_path, metric_name, gates, values, best };
  });
}

function groupMetric(
  { values, best: _, ...key }: ComparedMetric,
  groups: readonly RunGroup[],
  directions: MetricDirections,
): GroupedMetric {
  const spreads = groups.map(({ runs }) => spreadOf(runs.map((run) => values[run] ?? null)));
  const means = spreads.map((spread) => spread?.mean ?? null);
  return { ...key, groups: spreads, best: bestOf(means, directionOf(directions, key.task_path, key.metric_name)) };
}
