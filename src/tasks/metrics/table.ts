/** @file A metric is one row of its kind's table: what it is called, which way it gets better, how it is computed. */
import type { TaskSpec } from "../../flow/graph.js";
import type { MetricValue, Scored } from "../scored.js";

/** What is known of a metric without computing it. */
export interface MetricFacts {
  readonly name: string;
  readonly higherIsBetter: boolean;
  /** Whether thresholds, or other parameters of decoding, may be tuned by it. */
  readonly tunable: boolean;
  /** Only computed where it is asked for. */
  readonly onDemand: boolean;
  /** Whether a constant answer has the best value on any rows, as yes has of recall. */
  readonly bestOfConstants?: boolean;
}

/** One row of a table of metrics. */
export interface Metric<Context> extends MetricFacts {
  /** Over the rows that count, of which there is at least one. null or NaN: undefined on them. */
  readonly compute: (context: Context) => number | null;
}

/** What metrics of one task are computed from: whatever several of them need is computed once. */
export interface MetricContext {
  /** How many answers the metrics are made of. */
  readonly count: number;
}

/** The metrics of one kind of task. */
export interface MetricTable<Spec extends TaskSpec> {
  /** In the order in which they are shown. */
  facts(spec: Spec): readonly MetricFacts[];
  /**
   * Those that are always computed and those that are asked for; null where they are undefined, or there are no rows.
   * @param onDemand names that the task does not have are passed over
   */
  values(scored: Scored<Spec>, onDemand?: readonly string[]): MetricValue[];
}

/** Nothing to measure. */
export const NO_METRICS = { facts: () => [], values: () => [] } as const satisfies MetricTable<TaskSpec>;

/** A table whose rows share one context. */
export function metricTable<Spec extends TaskSpec, Context extends MetricContext>(
  rowsOf: (spec: Spec) => readonly Metric<Context>[],
  contextOf: (scored: Scored<Spec>) => Context,
): MetricTable<Spec> {
  return {
    facts: rowsOf,
    values(scored, onDemand = []) {
      const context = contextOf(scored);
      return valuesOf(rowsOf(scored.spec), context, onDemand);
    },
  };
}

/** Values of the rows that are always computed, and of those that are asked for. */
export function valuesOf<Context extends MetricContext>(
  rows: readonly Metric<Context>[],
  context: Context,
  onDemand: readonly string[],
): MetricValue[] {
  const { count } = context;
  return rows
    .filter((row) => !row.onDemand || onDemand.includes(row.name))
    .map(({ name, compute }) => {
      const value = count === 0 ? null : compute(context);
      return { name, value: Number.isNaN(value) ? null : value, count };
    });
}

/** A value that is computed when it is first asked for. */
export function lazily<T>(compute: () => T): () => T {
  let kept: { readonly value: T } | undefined;
  return () => {
    kept ??= { value: compute() };
    return kept.value;
  };
}
