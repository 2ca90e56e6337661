/** @file tfjs's kernels for WebGPU, which only browsers with a GPU load. */
import "@tensorflow/tfjs-backend-webgpu";
import { Cast, getKernel } from "@tensorflow/tfjs-core";
import { replaceKernel } from "../../engine/backends/replace-kernel.js";
import { convertingCast } from "../../engine/backends/webgpu/kernels/cast.js";

/** Puts our kernel in the place of the one that is wrong in answers, too. */
export function mendWebgpu(): void {
  replaceKernel(convertingCast(getKernel(Cast, "webgpu")));
}
