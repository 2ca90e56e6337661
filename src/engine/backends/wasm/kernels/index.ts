/** @file Registers what tfjs's wasm backend lacks for training. Importing this loads tfjs with its wasm backend. */
import "@tensorflow/tfjs-backend-wasm";
// tfjs-layers registers the stock gradients in Node: before ours, which wrap and replace some of them
import "@tensorflow/tfjs-layers";
import { AvgPool3DGrad, getKernel, Identity, registerGradient, Tile } from "@tensorflow/tfjs-core";
import { registerDilatedGradients } from "../../dilated.js";
import { mendAveragePooling } from "../../padded-average.js";
import { replaceKernel } from "../../replace-kernel.js";
import { registerAnsweringKernels } from "./answering.js";
import { conv2dBackpropFilter } from "./conv2d-filter.js";
import { depthwiseGradientKernels } from "./depthwise.js";
import { einsumGradient } from "./einsum.js";
import { sharingIdentity } from "./identity.js";
import { poolGradientKernels } from "./pool.js";
import { unsortedSegmentSumKernel } from "./segment-sum.js";
import { fastLeadingTile } from "./tile.js";

let isRegistered = false;

/**
 * Adds the gradient kernels that training needs to the backend "wasm", and replaces its slow or wrong ones. Works
 * before and after the backend starts; a second call does nothing.
 */
export function registerWasmGradientKernels(): void {
  if (isRegistered) return;
  isRegistered = true;
  registerAnsweringKernels();
  const kernels = [
    conv2dBackpropFilter,
    ...depthwiseGradientKernels,
    ...poolGradientKernels,
    unsortedSegmentSumKernel,
    sharingIdentity(getKernel(Identity, "wasm")),
    fastLeadingTile(getKernel(Tile, "wasm")),
  ];
  for (const kernel of kernels) replaceKernel(kernel);
  mendAveragePooling("wasm", [AvgPool3DGrad]);
  registerDilatedGradients();
  registerGradient(einsumGradient);
}
