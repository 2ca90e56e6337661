/** @file The network of an adopted run: a model that another program has trained. */
import { resolve } from "node:path";
import type { OnnxNetwork } from "../../engine/inference/onnx/onnx-network.js";
import { type AdoptedModel, adoptedFile } from "../../engine/model/pretrained/adopted-model.js";
import type { StoredRun } from "../stored-run.js";

/**
 * @throws StoreError where the store lacks the model, or it is another; BackendError where ONNX Runtime is not installed
 */
export async function openAdopted(
  { graph, config, dir, project }: Pick<StoredRun, "graph" | "config" | "dir" | "project">,
  adopted: AdoptedModel,
): Promise<OnnxNetwork> {
  const file = adoptedFile(resolve(dir, "..", ".."), adopted);
  const { openOnnxNetwork } = await import("../../engine/inference/onnx/onnx-network.js");
  const { model, inputs, outputs, preprocessing } = adopted;
  return openOnnxNetwork({
    ...{ model, file, graph, inputs: config.inputs, inputNames: inputs, outputNames: outputs, preprocessing },
    projectDir: project?.dir ?? null,
  });
}
