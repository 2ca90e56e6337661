/** @file Public API of dnn-cool. Importing it loads nothing heavy: engines and file formats load when used. */

export type {
  CategoricalInputSpec,
  ImageInputSpec,
  InputSpec,
  NumericInputSpec,
  TokensInputSpec,
} from "./data/dataset.js";
export { categorical, idCount, image, type NumericColumns, numeric, tokens } from "./data/inputs/inputs.js";
export type { Layers, LayersModel, SymbolicTensor, TrunkFunction } from "./engine/model/network.js";
export { maskPadding, poolTokens } from "./engine/model/token-layers.js";
export * from "./errors.js";
export { defineTasks, Expression, type TaskDefinitions } from "./flow/define.js";
export type * from "./flow/graph.js";
export { printCondition, printGraph } from "./flow/print.js";
export { defineTask, type HeadFunction, type HeadParts, type TaskDefinition } from "./project/define-task.js";
export type * from "./logging/run-logger.js";
export { type LoadedRun, loadRun } from "./asking/load-run.js";
export { defineProject, type Project, type ProjectDefinition } from "./project/project.js";
export { drawReceptiveField, type ReceptiveField } from "./asking/receptive-field-run.js";
export { type RunResult, type TrainRunOptions, trainRun } from "./training/train-run.js";
export type { EvaluationRow, Gates, MetricPoint, Split } from "./tasks/evaluation.js";
export { binary, boundedRegression, classification, known, maskedLanguageModeling, multilabel } from "./tasks/index.js";
