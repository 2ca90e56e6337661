/** @file Kernels of tfjs's wasm backend in which a network answers, where its own lack, are slow or wrong. */
import "@tensorflow/tfjs-backend-wasm";
import { _FusedMatMul, BatchMatMul, getKernel, Sum } from "@tensorflow/tfjs-core";
import { replaceKernel } from "../../replace-kernel.js";
import { conv2dBackpropInput } from "./conv2d-input.js";
import { einsumKernel } from "./einsum.js";
import { steadyMatMul } from "./mat-mul.js";
import { fastLeadingSum } from "./sum.js";
import { volumeKernels } from "./volume.js";

let isRegistered = false;

/** Replaces kernels of the backend "wasm", before or after it starts; a second call does nothing. */
export function registerAnsweringKernels(): void {
  if (isRegistered) return;
  isRegistered = true;
  const kernels = [
    // transposed convolutions are made of it
    conv2dBackpropInput,
    ...volumeKernels,
    einsumKernel,
    steadyMatMul(getKernel(BatchMatMul, "wasm")),
    steadyMatMul(getKernel(_FusedMatMul, "wasm")),
    fastLeadingSum(getKernel(Sum, "wasm")),
  ];
  for (const kernel of kernels) replaceKernel(kernel);
}
