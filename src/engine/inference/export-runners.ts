/** @file What computes the network of an export here: ONNX Runtime, or tfjs on the backend that is open. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { DataError } from "../../errors.js";
import { onnxRunner, type Runner, tfjsRunner } from "../../predictor/runners.js";
import { loadOnnxRuntime, openSession } from "../model/pretrained/onnx-runtime.js";

/** A runner with what it holds. */
export interface OpenRunner extends Runner {
  close(): Promise<void>;
}

/**
 * @param model an export's model.onnx
 * @param name of it, for messages
 * @param projectDir in whose node_modules ONNX Runtime may lie
 * @param threads that compute one batch
 * @throws BackendError where ONNX Runtime is not installed; ConfigError where it cannot open the model
 */
export async function openOnnxRunner(
  model: Uint8Array,
  name: string,
  projectDir: string,
  threads: number,
): Promise<OpenRunner> {
  const runtime = loadOnnxRuntime(projectDir);
  const session = await openSession(runtime, model, name, threads);
  const inputNames = session.inputMetadata.map((input) => input.name);
  const run = (feeds: Readonly<Record<string, unknown>>, fetches: readonly string[]) => session.run(feeds, fetches);
  return { ...onnxRunner(runtime, { inputNames, run }), close: () => session.release() };
}

/**
 * @param model model.json of an export of the format layers
 * @throws DataError where it is none
 */
export async function openLayersRunner(model: Uint8Array, weights: Uint8Array): Promise<OpenRunner> {
  try {
    const { modelTopology, weightsManifest } = JSON.parse(new TextDecoder().decode(model));
    const weightSpecs = weightsManifest[0].weights;
    const layers = await tfl.loadLayersModel(
      tf.io.fromMemory({ modelTopology, weightSpecs, weightData: weights.slice().buffer }),
    );
    return { ...tfjsRunner(tf, layers), close: async () => void layers.dispose() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(
      `model.json is no LayersModel that opens here: ${reason}. Export the run again.`,
      {},
      {
        cause: error,
      },
    );
  }
}
