/** @file tfjs on WebGPU where the browser has a GPU, else on WebAssembly, with the kernels that training has. */
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { env, setBackend } from "@tensorflow/tfjs-core";
import { addTensorMethods } from "../../engine/backends/tensor-methods.js";
import { registerAnsweringKernels } from "../../engine/backends/wasm/kernels/answering.js";
import { PredictorError } from "../../predictor/errors.js";

/** The program of the WebAssembly backend, beside the page. */
export const WASM_FILE = "tfjs-backend-wasm-simd.wasm";
/** tfjs wants to be told of all that it may take. */
const WASM_FILES = [WASM_FILE, "tfjs-backend-wasm.wasm", "tfjs-backend-wasm-threaded-simd.wasm"];

/**
 * @param program bytes of the backend's program, which have been checked
 * @throws PredictorError in a browser that cannot run it
 */
export async function openWasm(program: Uint8Array): Promise<void> {
  addTensorMethods();
  if (!(await env().getAsync("WASM_HAS_SIMD_SUPPORT"))) {
    throw new PredictorError(
      "This browser has no WebAssembly with SIMD. Take a Chrome, Edge, Firefox or Safari of 2024 or later.",
    );
  }
  // threads need headers that few static servers send
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  registerAnsweringKernels();
  const url = URL.createObjectURL(new Blob([program.slice()], { type: "application/wasm" }));
  setWasmPaths(Object.fromEntries(WASM_FILES.map((name) => [name, url])));
  const isOpen = await setBackend("wasm");
  URL.revokeObjectURL(url);
  if (!isOpen) throw new PredictorError("This browser does not start WebAssembly. Allow it in its settings.");
}

/** What is used of `navigator.gpu`. */
interface Gpu {
  requestAdapter(options: { readonly powerPreference: "high-performance" }): Promise<Adapter | null>;
}
interface Adapter extends MaybeSoftware {
  readonly info?: MaybeSoftware & { readonly architecture?: string };
}
interface MaybeSoftware {
  readonly isFallbackAdapter?: boolean;
}

/**
 * Why WebGPU is passed over, to follow "because"; null where it can be had.
 * @param isWanted by name, so that one in software will do
 */
export async function problemWithGpu(isWanted: boolean): Promise<string | null> {
  const { gpu } = navigator as { readonly gpu?: Gpu };
  if (gpu === undefined) return "this browser has no WebGPU here";
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" }).catch(() => null);
  if (adapter === null) return "WebGPU finds no GPU";
  const { info } = adapter;
  const isSoftware = adapter.isFallbackAdapter ?? info?.isFallbackAdapter ?? info?.architecture === "swiftshader";
  return isSoftware && !isWanted ? "WebGPU has no GPU, only software" : null;
}

/** @throws whatever the browser says */
export async function openWebgpu(): Promise<void> {
  addTensorMethods();
  const { mendWebgpu } = await import("./webgpu.js");
  if (!(await setBackend("webgpu"))) throw new PredictorError("WebGPU does not start.");
  // small tensors would otherwise be left to kernels on the CPU
  env().set("WEBGPU_CPU_FORWARD", false);
  mendWebgpu();
}
