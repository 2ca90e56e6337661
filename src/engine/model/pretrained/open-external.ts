/** @file Opens a model that runs beside the network, by its format. */
import type { ExternalModel, ModelNeeds } from "./external-model.js";
import type { ExternalPart } from "./external-part.js";

/** How models are opened, by format. */
const OPENERS: { readonly [F in ExternalPart["format"]]: (needs: ModelNeeds) => Promise<ExternalModel> } = {
  onnx: async (needs) => (await import("./onnx-model.js")).openOnnx(needs),
  tfjs: async (needs) => (await import("./graph-model.js")).openGraph(needs),
};

/**
 * @throws BackendError where what runs it is not installed; ConfigError, UnknownNameError for a file that is no model, or
 * one that does not read such pictures or has no such output
 */
export function openExternalModel(format: ExternalPart["format"], needs: ModelNeeds): Promise<ExternalModel> {
  return OPENERS[format](needs);
}
