/** @file Metrics that are asked for by name: which tasks have them, and what of an evaluation they select. */
import { at } from "../arrays.js";
import { UnknownNameError } from "../errors.js";
import type { FlowGraph } from "../flow/graph.js";
import { END_TO_END_METRICS } from "../tasks/end-to-end.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
import { metricNames } from "../tasks/index.js";
import type { Settings } from "./settings.js";

/** Asks for every metric that there is. */
const ALL = "all";

/** Metrics that a run's settings ask for besides the usual ones. */
export function onDemandMetricsOf({ evaluate }: Settings): readonly string[] {
  // settings that were stored before there was such a thing
  return ((evaluate as Settings["evaluate"] | undefined)?.metrics ?? []).map(withoutLabel);
}

/** `f1_score/red` is the f1_score of one label. */
export function withoutLabel(metric: string): string {
  return at(metric.split("/"), 0);
}

/** @throws UnknownNameError for a metric that no task of the flow has */
export function checkMetrics(
  graph: FlowGraph,
  names: readonly string[],
  where: string,
  options: { readonly exitCode?: 1 | 2 } = {},
): void {
  refuseOthers(metricsOf(graph), names, where, options);
}

/** @throws UnknownNameError for a metric that is not among those that there are */
function refuseOthers(
  metrics: ReadonlySet<string>,
  names: readonly string[],
  where: string,
  options: { readonly exitCode?: 1 | 2 },
): void {
  const other = names.find((name) => !metrics.has(name));
  if (other === undefined) return;
  // those of single labels are many, and follow from the others
  const suggested = [...metrics].filter((name) => other.includes("/") || !name.includes("/"));
  throw new UnknownNameError("metric", other, suggested, where, options);
}

/** What `--metric` asks for. */
export interface AskedMetrics {
  /** To be computed besides the usual ones. */
  readonly onDemand: readonly string[];
  selects(row: Pick<EvaluationRow, "metric_name">): boolean;
}

/**
 * @param names metrics, of all labels or of one (`f1_score/red`), or `all`
 * @throws UnknownNameError for a metric that no task of the flow has
 */
export function askFor(graph: FlowGraph, names: readonly string[]): AskedMetrics {
  if (names.includes(ALL)) return { onDemand: [...metricsOf(graph)], selects: () => true };
  checkMetrics(graph, names, "the run's flow", { exitCode: 2 });
  return { onDemand: names.map(withoutLabel), selects: selecting(names) };
}

/**
 * The same among rows that have been computed, where nothing else can be.
 * @throws UnknownNameError for a metric that none of them has
 */
export function askAmong(
  rows: readonly EvaluationRow[],
  names: readonly string[],
  where: string,
): Pick<AskedMetrics, "selects"> {
  if (names.includes(ALL)) return { selects: () => true };
  const kept = new Set(rows.flatMap(({ metric_name }) => [metric_name, withoutLabel(metric_name)]));
  refuseOthers(kept, names, where, { exitCode: 2 });
  return { selects: selecting(names) };
}

function selecting(names: readonly string[]): AskedMetrics["selects"] {
  return ({ metric_name }) => names.includes(metric_name) || names.includes(withoutLabel(metric_name));
}

function metricsOf({ tasks }: FlowGraph): ReadonlySet<string> {
  return new Set([...tasks.flatMap(({ spec }) => metricNames(spec)), ...END_TO_END_METRICS]);
}
