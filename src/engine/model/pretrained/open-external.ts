/** @file Opens a model that runs beside the network, by its format. */
import { ConfigError } from "../../../errors.js";
import type { ExternalModel, ModelNeeds, TextNeeds } from "./external-model.js";
import type { ExternalPart } from "./external-part.js";

/** How models that read pictures are opened, by format. */
const OPENERS: { readonly [F in ExternalPart["format"]]: (needs: ModelNeeds) => Promise<ExternalModel> } = {
  onnx: async (needs) => (await import("./onnx/onnx-model.js")).openOnnx(needs),
  tfjs: async (needs) => (await import("./graph-model.js")).openGraph(needs),
};

/**
 * @throws BackendError where what runs it is not installed; ConfigError, UnknownNameError for a file that is no model, or
 * one that does not read such pictures or texts, or has no such output
 */
export async function openExternalModel(
  format: ExternalPart["format"],
  needs: ModelNeeds | TextNeeds,
): Promise<ExternalModel> {
  if (!("text" in needs)) return OPENERS[format](needs);
  if (format === "onnx") return (await import("./onnx/onnx-text.js")).openOnnxText(needs);
  throw new ConfigError(
    `The graph model ${needs.model} is applied to a text, but graph models read pictures alone. Take an ONNX export of the text encoder.`,
    { model: needs.model },
  );
}
