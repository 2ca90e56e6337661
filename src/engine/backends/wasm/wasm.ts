/** @file tfjs's WebAssembly backend, with the gradient kernels that it lacks: the embedded default. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Backend, type OpenedBackend, prepareCore } from "../backend.js";

/** tfjs in WebAssembly, with the kernels that it lacks. */
export const wasm: Backend = { devices: ["cpu"], open: openWasm };

async function openWasm(): Promise<OpenedBackend> {
  const tf = await prepareCore();
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const { registerWasmGradientKernels } = await import("./kernels/index.js");
  registerWasmGradientKernels();
  const removeListeners = newProcessListeners();
  wasm.setWasmPaths(wasmFolder());
  await tf.setBackend("wasm");
  removeListeners();
  return { version: wasm.version_wasm, device: "WebAssembly", threads: wasm.getThreadsCount() };
}

/** The folder with the .wasm binaries of the installed package, with a slash at its end as tfjs expects. */
function wasmFolder(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/");
}

/**
 * The wasm module listens for uncaught errors and throws them again from inside its bundle, which would bury any
 * error of this process under a minified line.
 * @returns a function that takes off the listeners that were added since
 */
function newProcessListeners(): () => void {
  const events = ["uncaughtException", "unhandledRejection"];
  const before = new Map(events.map((event) => [event, new Set(process.rawListeners(event))]));
  return () => {
    for (const event of events) {
      for (const listener of process.rawListeners(event)) {
        if (!before.get(event)?.has(listener)) process.off(event, listener as (...args: unknown[]) => void);
      }
    }
  };
}
