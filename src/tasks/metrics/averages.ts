/** @file Metrics of one class or label, averaged over several. */
import type { MetricValue } from "../behaviour.js";
import { type Confusion, decisionMetrics, ratio } from "./decisions.js";

/** Metrics that are averaged in more than one way. */
export const AVERAGED_METRICS = ["f1_score", "precision", "recall"] as const;
type AveragedMetric = (typeof AVERAGED_METRICS)[number];

/** Unweighted mean over the classes that occur among labels or decisions. */
export function macroAverage(classes: readonly Confusion[], name: AveragedMetric): number {
  const occurring = classes.filter((c) => c.truePositives + c.falsePositives + c.falseNegatives > 0);
  return occurring.reduce((sum, counts) => sum + decisionMetrics[name](counts), 0) / occurring.length;
}

/** Mean over classes, each weighted by how often it is the truth; 0 where none ever is. */
export function weightedAverage(classes: readonly Confusion[], name: AveragedMetric): number {
  let sum = 0;
  let support = 0;
  for (const counts of classes) {
    const labelled = counts.truePositives + counts.falseNegatives;
    sum += labelled * decisionMetrics[name](counts);
    support += labelled;
  }
  return ratio(sum, support);
}

const AVERAGES = AVERAGED_METRICS.flatMap((metric) => [
  { name: `${metric}_macro`, of: (classes: readonly Confusion[]) => macroAverage(classes, metric) },
  { name: `${metric}_weighted`, of: (classes: readonly Confusion[]) => weightedAverage(classes, metric) },
]);

/** `f1_score_macro`, `f1_score_weighted`, and so on. */
export const AVERAGE_NAMES: readonly string[] = AVERAGES.map(({ name }) => name);

/**
 * The averages that are asked for.
 * @param classes each against the rest, over the same answers
 * @param count how many answers that are; none: null
 */
export function averagesOf(classes: readonly Confusion[], asked: readonly string[], count: number): MetricValue[] {
  return AVERAGES.filter(({ name }) => asked.includes(name)).map(({ name, of }) => ({
    name,
    value: count === 0 ? null : of(classes),
    count,
  }));
}
