/** @file Metrics of every task kind, over whole splits, by scikit-learn's definitions. */
export { classificationMetrics } from "./metrics/classes.js";
export { TUNABLE_METRICS } from "./metrics/decisions.js";
export { growsWhenBetter, type MetricDirections } from "./metrics/direction.js";
export { regressionMetrics } from "./metrics/regression.js";
export { binaryMetrics, multilabelMetrics } from "./metrics/yes-no.js";
