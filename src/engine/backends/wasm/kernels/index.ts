/** @file Registers what tfjs's wasm backend lacks for training. Importing this loads tfjs with its wasm backend. */
import "@tensorflow/tfjs-backend-wasm";
// tfjs-layers registers the stock gradients in Node: before ours, which wrap and replace some of them
import "@tensorflow/tfjs-layers";
import {
  _FusedMatMul,
  AvgPool3DGrad,
  BatchMatMul,
  getKernel,
  Identity,
  registerGradient,
  Sum,
} from "@tensorflow/tfjs-core";
import { registerDilatedGradients } from "../../dilated.js";
import { mendAveragePooling } from "../../padded-average.js";
import { replaceKernel } from "../../replace-kernel.js";
import { conv2dBackpropFilter } from "./conv2d-filter.js";
import { conv2dBackpropInput } from "./conv2d-input.js";
import { depthwiseGradientKernels } from "./depthwise.js";
import { einsumGradient, einsumKernel } from "./einsum.js";
import { sharingIdentity } from "./identity.js";
import { steadyMatMul } from "./mat-mul.js";
import { poolGradientKernels } from "./pool.js";
import { unsortedSegmentSumKernel } from "./segment-sum.js";
import { fastLeadingSum } from "./sum.js";
import { volumeKernels } from "./volume.js";

let isRegistered = false;

/**
 * Adds the gradient kernels that training needs to the backend "wasm", and replaces its slow or wrong ones. Works
 * before and after the backend starts; a second call does nothing.
 */
export function registerWasmGradientKernels(): void {
  if (isRegistered) return;
  isRegistered = true;
  const kernels = [
    conv2dBackpropFilter,
    conv2dBackpropInput,
    ...depthwiseGradientKernels,
    ...poolGradientKernels,
    ...volumeKernels,
    unsortedSegmentSumKernel,
    einsumKernel,
    steadyMatMul(getKernel(BatchMatMul, "wasm")),
    steadyMatMul(getKernel(_FusedMatMul, "wasm")),
    fastLeadingSum(getKernel(Sum, "wasm")),
    sharingIdentity(getKernel(Identity, "wasm")),
  ];
  for (const kernel of kernels) replaceKernel(kernel);
  mendAveragePooling("wasm", [AvgPool3DGrad]);
  registerDilatedGradients();
  registerGradient(einsumGradient);
}
