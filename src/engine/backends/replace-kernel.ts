/** @file A kernel of ours in the place of a backend's own. */
import { getKernel, type KernelConfig, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";

/** Registers a kernel in the place of the one that its backend has, if any. */
export function replaceKernel(kernel: KernelConfig): void {
  // registering over a kernel warns on the console
  if (getKernel(kernel.kernelName, kernel.backendName) !== undefined) {
    unregisterKernel(kernel.kernelName, kernel.backendName);
  }
  registerKernel(kernel);
}
