/**
 * @file `dnn-cool/predictor`: answers of a trained run without the rest of dnn-cool. No dependency; runs in Node.js,
 * browsers and workers.
 */
export type { Answer } from "../decoding/answers.js";
export type { Decoder, Described } from "../decoding/decoders.js";
export { DOCUMENT_VERSION, type PredictorDocument, type PredictorInput, readDocument } from "./document.js";
export { PredictorError } from "./errors.js";
export type { RowFacts } from "./feeds.js";
export { type ExportFiles, type ReadFile, readExport } from "./files.js";
export type { FedInput, InputForm, InputValue } from "./inputs.js";
export type { Picture } from "./pictures.js";
export {
  type Answers,
  type NetworkOutputs,
  type NumberedAnswers,
  Predictor,
  type PredictorOptions,
  type Row,
} from "./predictor.js";
export { type ResampleFilter, resample } from "./resample.js";
export { onnxRunner, type Runner, tfjsRunner } from "./runners.js";
