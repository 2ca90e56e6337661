/** @file Analyses of scored splits: pure functions over typed arrays. */
export * from "./comparison/comparable-run.js";
export * from "./comparison/compare.js";
export * from "./comparison/directions.js";
export * from "./evaluate.js";
export * from "./explanation/explain.js";
export * from "./explanation/explanation.js";
export * from "./interpret.js";
export * from "./label-report.js";
export * from "./explanation/print-explanation.js";
export * from "./score.js";
export * from "./tune.js";
