/**
 * @file What a configuration is written with: all that `dnn-cool` offers but training and asking runs, which a
 * configuration has no use for. Importing it loads nothing heavy: engines and file formats load when used.
 */

export type {
  CategoricalInputSpec,
  ImageInputSpec,
  InputSpec,
  NumericInputSpec,
  TokensInputSpec,
} from "../data/dataset.js";
export {
  categorical,
  idCount,
  image,
  type NumericColumns,
  numeric,
  type TokenizerOptions,
  tokenizer,
  tokens,
} from "../data/inputs/inputs.js";
export type { Layers, LayersModel, SymbolicTensor, TrunkFunction } from "../engine/model/network.js";
export {
  type Block,
  concatenate,
  type EncodedTokens,
  type MapFeaturesOptions,
  type MlpOptions,
  mapFeatures,
  mlp,
  type ResidualNetOptions,
  residualNet,
  type SmallConvNetOptions,
  sequential,
  smallConvNet,
  type TokenEncoderOptions,
  type TrunkPart,
  tokenEncoder,
} from "../engine/model/ready-trunks.js";
export { type UNetOptions, unet } from "../engine/model/u-net.js";
export type { PreprocessingInput } from "../engine/model/pretrained/preprocessing.js";
export { type FreezeChoice, type PretrainedOptions, pretrained } from "../engine/model/pretrained/pretrained.js";
export { maskPadding, poolTokens } from "../engine/model/token-layers.js";
export * from "../errors.js";
export { implies, never } from "../flow/contracts.js";
export { defineTasks, Expression, type TaskDefinitions } from "../flow/define.js";
export type * from "../flow/graph.js";
export { printCondition, printGraph } from "../flow/print.js";
export { defineTask, type HeadFunction, type HeadParts, type TaskDefinition } from "./define-task.js";
export type * from "../logging/run-logger.js";
export { defineProject, type Project, type ProjectDefinition } from "./define-project.js";
export type { EvaluationRow, Gates, GroupEvaluationRow, MetricPoint, Split } from "../tasks/evaluation.js";
export {
  binary,
  type BoxOptions,
  boundedRegression,
  box,
  classification,
  known,
  maskedLanguageModeling,
  multilabel,
  ordinal,
  type PointOptions,
  point,
  type RegressionOptions,
  regression,
} from "../tasks/index.js";
