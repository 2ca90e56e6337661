/** @file Public API of dnn-cool. Importing it loads nothing heavy: engines and file formats load when used. */

export { type LoadedRun, loadRun } from "./asking/load-run.js";
export { drawReceptiveField, type ReceptiveField } from "./asking/receptive-field-run.js";
export type { RunResult } from "./training/run-result.js";
export { type TrainRunOptions, trainRun } from "./training/train-run.js";
export type { GroupResult, GroupSummary } from "./asking/groups/group-runs.js";
export { type TrainFoldsOptions, trainFolds } from "./training/folds/train-folds.js";
export * from "./project/authoring.js";
