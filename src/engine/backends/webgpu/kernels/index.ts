/** @file Registers what tfjs's WebGPU backend lacks for training, or does wrong. Its own kernels come before. */
import { Cast, Conv2DBackpropFilter, getKernel, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import { mendAveragePooling } from "../../padded-average.js";
import { convertingCast } from "./cast.js";
import { groupedFilterGradient } from "./conv2d-filter.js";

let isRegistered = false;

/** Mends the kernels of the backend "webgpu"; a second call does nothing. */
export function registerWebgpuKernels(): void {
  if (isRegistered) return;
  isRegistered = true;
  const kernels = [
    convertingCast(getKernel(Cast, "webgpu")),
    groupedFilterGradient(getKernel(Conv2DBackpropFilter, "webgpu")),
  ];
  for (const kernel of kernels) {
    // registering over a kernel warns on the console
    unregisterKernel(kernel.kernelName, "webgpu");
    registerKernel(kernel);
  }
  mendAveragePooling("webgpu");
}
