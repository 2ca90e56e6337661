/** @file TensorFlow's native library through tfjs-node or tfjs-node-gpu, where one of them is installed. */
import { createRequire } from "node:module";
import { BackendError } from "../../errors.js";
import type { Backend, OpenedBackend } from "./backend.js";

/** The faster one first. */
const PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

export const tensorflow: Backend = {
  async passedOver() {
    return installedPackage() === null ? "is not installed" : "is not supported yet";
  },
  open: openTensorflow,
};

async function openTensorflow(): Promise<OpenedBackend> {
  const installed = installedPackage();
  const problem =
    installed === null
      ? "is not installed. Install it with `npm i @tensorflow/tfjs-node`, or use --backend wasm."
      : "is installed but not supported yet. Use --backend wasm.";
  throw new BackendError(`The tensorflow backend (${PACKAGES.join(" or ")}) ${problem}`, {
    backend: "tensorflow",
    packages: PACKAGES,
    isInstalled: installed !== null,
  });
}

function installedPackage(): string | null {
  const require = createRequire(import.meta.url);
  return PACKAGES.find((name) => resolves(require, name)) ?? null;
}

function resolves(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
