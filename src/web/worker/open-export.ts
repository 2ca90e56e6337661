/** @file The files of an export, checked → a predictor that has answered once. */
import { io, ones, tensor } from "@tensorflow/tfjs-core";
import { type LayersModel, loadLayersModel } from "@tensorflow/tfjs-layers";
import type { PredictorDocument } from "../../predictor/document.js";
import { PredictorError } from "../../predictor/errors.js";
import { readExport, SUMS } from "../../predictor/files.js";
import { Predictor } from "../../predictor/predictor.js";
import { tfjsRunner } from "../../predictor/runners.js";
import type { Device } from "../messages.js";
import { openWasm, openWebgpu, problemWithGpu, WASM_FILE } from "./devices.js";

export interface OpenedExport {
  readonly predictor: Predictor;
  readonly card: unknown;
  readonly device: Device;
  readonly instead: string | null;
}

type Files = ReadonlyMap<string, Uint8Array>;

/**
 * @param folder address of the export, with a slash at its end
 * @param wanted null: the fastest
 * @throws PredictorError that names the file which is missing or has been changed, or what the browser lacks
 */
export async function openExport(folder: string, wanted: Device | null): Promise<OpenedExport> {
  const { document, files } = await readExport((name, digest) => fetchFile(folder, name, digest));
  const card = parsed(files, "model-card.json");
  const problem = wanted === "wasm" ? null : await problemWithGpu(wanted === "webgpu");
  if (wanted !== "wasm" && problem === null) {
    try {
      await openWebgpu();
      return { predictor: await opened(document, files), card, device: "webgpu", instead: null };
    } catch (error) {
      // a driver that computes nothing, a shader that it refuses: WebAssembly computes everywhere
      return { ...(await onWasm(document, files)), card, instead: `WebGPU failed: ${messageOf(error)}` };
    }
  }
  return { ...(await onWasm(document, files)), card, instead: problem };
}

async function onWasm(document: PredictorDocument, files: Files): Promise<Pick<OpenedExport, "predictor" | "device">> {
  await openWasm(present(files, WASM_FILE));
  return { predictor: await opened(document, files), device: "wasm" };
}

/** The network on the backend that is open. What compiles at the first answer is compiled. */
async function opened(document: PredictorDocument, files: Files): Promise<Predictor> {
  const model = await loadModel(files);
  await warmUp(model);
  return new Predictor(document, { runner: tfjsRunner({ tensor }, model) });
}

interface SavedModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights: io.WeightsManifestEntry[] }[];
}

function loadModel(files: Files): Promise<LayersModel> {
  const { modelTopology, weightsManifest } = parsed(files, "model.json") as SavedModel;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const weightData = present(files, "weights.bin").slice().buffer;
  return loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData }));
}

/** @throws Error where the backend gives no numbers */
async function warmUp(model: LayersModel): Promise<void> {
  // a sequence of one token
  const inputs = model.inputs.map(({ shape }) => ones(shape.map((side) => side ?? 1)));
  const outputs = [model.predict(inputs)].flat();
  const numbers = await Promise.all(outputs.map((output) => output.data()));
  for (const tensor of [...inputs, ...outputs]) tensor.dispose();
  if (numbers.some((values) => values.some(Number.isNaN))) throw new Error("the network answers with NaN");
}

async function fetchFile(folder: string, name: string, digest?: string): Promise<Uint8Array> {
  // what has a digest never changes under it, so that it may come from any cache
  const address = new URL(digest === undefined ? name : `${name}?sha256=${digest}`, folder);
  const response = await fetch(address, digest === undefined ? { cache: "no-cache" } : {}).catch((error: unknown) => {
    throw new PredictorError(
      `The file ${name} of this export cannot be fetched: ${messageOf(error)}. Check the connection, and load the page again.`,
      { file: name },
      { cause: error },
    );
  });
  if (!response.ok) {
    const where = name === SUMS ? "beside this page" : `although ${SUMS} lists it`;
    throw new PredictorError(
      `The file ${name} of this export is not there, ${where} (HTTP ${response.status}). Copy all files of the export.`,
      { file: name, status: response.status },
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}

function present(files: Files, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes !== undefined) return bytes;
  throw new PredictorError(`This export lists no ${name}. Export the run again.`, { file: name });
}

function parsed(files: Files, name: string): unknown {
  return JSON.parse(new TextDecoder().decode(present(files, name)));
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
