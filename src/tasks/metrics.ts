/** @file Metrics of every task kind, over whole splits, by scikit-learn's definitions. */
export { classificationMetrics, onDemandClassificationMetrics } from "./metrics/classes.js";
export { TUNABLE_METRICS } from "./metrics/decisions.js";
export { growsWhenBetter, type MetricDirections } from "./metrics/direction.js";
export { ON_DEMAND_REGRESSION_METRICS, regressionMetrics } from "./metrics/regression.js";
export { binaryMetrics, ON_DEMAND_YES_NO_METRICS, multilabelMetrics } from "./metrics/yes-no.js";
