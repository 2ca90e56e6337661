/** @file Which way metrics get better, when runs are compared: as their tasks say, never by what a name sounds like. */
import type { FlowGraph } from "../../flow/graph.js";
import { END_TO_END_METRICS } from "../../tasks/end-to-end.js";
import { directionOfMetric, metricNames, standardMetrics } from "../../tasks/index.js";

/** Whether more is better, by `<task path>/<metric>`. */
export type MetricDirections = Readonly<Record<string, boolean>>;

/** Directions of all metrics of a run's tasks. */
export function directionsOf({ tasks }: FlowGraph): MetricDirections {
  return Object.fromEntries(
    tasks.flatMap(({ path, spec }) =>
      metricNames(spec).flatMap((metric) => {
        const higher = directionOfMetric(spec, metric);
        return higher === null ? [] : [[`${path}/${metric}`, higher] as const];
      }),
    ),
  );
}

/** By name, of the metrics that our own kinds of tasks have: for runs whose graph is gone. */
const standard = new Map([
  ...standardMetrics().map(({ name, higherIsBetter }) => [name, higherIsBetter] as const),
  ...END_TO_END_METRICS.map((name) => [name, true] as const),
]);

/** Whether more is better; null where neither is, as of a learning rate, or nobody has said. */
export function directionOf(directions: MetricDirections, taskPath: string, metricName: string): boolean | null {
  const said = directions[`${taskPath}/${metricName}`];
  if (said !== undefined) return said;
  // a label after the slash is of the same metric
  const [metric = ""] = metricName.split("/");
  return standard.get(metric) ?? null;
}
