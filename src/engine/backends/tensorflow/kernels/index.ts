/** @file Registers what tfjs-node lacks for training, or computes wrongly. Its own kernels come before. */
// tfjs-layers registers the stock gradients in Node: before ours, which wrap and replace some of them
import "@tensorflow/tfjs-layers";
import {
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  FusedDepthwiseConv2D,
  getGradient,
  getKernel,
  type KernelConfig,
  registerGradient,
} from "@tensorflow/tfjs-core";
import { registerDilatedGradients } from "../../dilated.js";
import { replaceKernel } from "../../replace-kernel.js";
import { einsumGradient } from "../../wasm/kernels/einsum.js";
import { filterGradient, inputGradient } from "./convolution.js";
import { withDilations } from "./depthwise.js";
import { gather } from "./gather.js";
import { normalizationGradient, normalizationKernels } from "./normalization.js";
import { RECTIFIERS, rectifierGradients, secondGradients, withNativeGradient } from "./rectifier.js";

const replacements: readonly (readonly [kernelName: string, replace: (stock: KernelConfig) => KernelConfig])[] = [
  [DepthwiseConv2dNative, withDilations],
  [FusedDepthwiseConv2D, withDilations],
  [Conv2DBackpropFilter, filterGradient],
  [Conv2DBackpropInput, inputGradient],
  [DepthwiseConv2dNativeBackpropFilter, filterGradient],
  [DepthwiseConv2dNativeBackpropInput, inputGradient],
];

let isRegistered = false;

/** Mends the kernels of the backend "tensorflow"; a second call does nothing. */
export function registerTensorflowKernels(): void {
  if (isRegistered) return;
  isRegistered = true;
  for (const [kernelName, replace] of replacements) {
    replaceKernel(replace(getKernel(kernelName, "tensorflow")));
  }
  replaceKernel(gather);
  registerDilatedGradients();
  registerGradient(einsumGradient);
  for (const kernel of [...rectifierGradients, ...normalizationKernels]) replaceKernel(kernel);
  const gradients = RECTIFIERS.map((kernelName) => withNativeGradient(getGradient(kernelName)));
  for (const gradient of [...gradients, ...secondGradients, normalizationGradient]) registerGradient(gradient);
}
