/** @file Metrics of one class or label, averaged over several. */
import { type Confusion, decisionMetrics, ratio } from "./decisions.js";
import type { Metric, MetricContext } from "./table.js";

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

/**
 * `f1_score_macro`, `f1_score_weighted`, and so on, on demand.
 * @param classesOf each class against the rest, over the same answers; null where an answer is unknown
 */
export function averageRows<Context extends MetricContext>(
  classesOf: (context: Context) => readonly Confusion[] | null,
): Metric<Context>[] {
  const facts = { higherIsBetter: true, tunable: false, onDemand: true } as const;
  const of = (average: typeof macroAverage, metric: AveragedMetric) => (context: Context) => {
    const classes = classesOf(context);
    return classes === null ? null : average(classes, metric);
  };
  return AVERAGED_METRICS.flatMap((metric) => [
    { ...facts, name: `${metric}_macro`, compute: of(macroAverage, metric) },
    { ...facts, name: `${metric}_weighted`, compute: of(weightedAverage, metric) },
  ]);
}
