/** @file Metrics of every task kind, over whole splits, by scikit-learn's definitions. */
export { macroAverage } from "./metrics/averages.js";
export { classificationMetrics } from "./metrics/classes.js";
export { levelMetrics } from "./metrics/levels.js";
export { boxMetrics, distanceAt, pointMetrics } from "./metrics/places.js";
export { regressionMetrics, unboundedMetrics } from "./metrics/regression.js";
export {
  type Metric,
  type MetricFacts,
  type MetricTable,
  metricTable,
  NO_METRICS,
} from "./metrics/table.js";
export { binaryMetrics, multilabelMetrics } from "./metrics/yes-no.js";
