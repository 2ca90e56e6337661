/** @file TensorBoard event files without TensorFlow: the public entry `dnn-cool/tensorboard`. */
export type { CustomChart, CustomScalarsLayout, MarginSeries } from "./custom-scalars.js";
export { listEventFiles } from "./event-file.js";
export {
  type Event,
  type EventContent,
  iterateEvents,
  readEvents,
  type SummaryMetadata,
  type SummaryValue,
} from "./event-reader.js";
export { type EventWriter, type EventWriterOptions, openEventWriter } from "./event-writer.js";
export type { GraphNode } from "./graph.js";
export type { HParamMetric, HParams, HParamValue, SessionStatus } from "./hparams.js";
export type { EncodedImage } from "./images.js";
export type { PrCurveInput } from "./pr-curve.js";
export type { Tensor } from "./tensor.js";
