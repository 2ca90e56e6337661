/** @file Which way a metric of ours gets better, by its name. */

/** Losses, errors and perplexities are better when lower, every other metric when higher. Labels after a `/` do not count. */
export function growsWhenBetter(metricName: string): boolean {
  const [metric = ""] = metricName.split("/");
  return !/(^|_)(loss|error|brier|perplexity)(_|$)/.test(metric);
}

/** Whether more is better where a metric says so itself, by `<task path>/<metric>`. */
export type MetricDirections = Readonly<Record<string, boolean>>;
