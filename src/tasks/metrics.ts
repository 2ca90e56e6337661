/** @file Metrics of every task kind, over whole splits, by scikit-learn's definitions. */
export { classificationMetrics, furtherClassificationMetrics } from "./metrics/classes.js";
export { TUNABLE_METRICS } from "./metrics/decisions.js";
export { growsWhenBetter, type MetricDirections } from "./metrics/direction.js";
export { FURTHER_REGRESSION_METRICS, regressionMetrics } from "./metrics/regression.js";
export { binaryMetrics, FURTHER_YES_NO_METRICS, multilabelMetrics } from "./metrics/yes-no.js";
