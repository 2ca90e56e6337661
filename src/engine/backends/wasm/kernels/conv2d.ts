/** @file What both conv2d gradients share: the geometry of the layer, and the forward convolution they are made of. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { backend_util, type Conv2DBackpropInputAttrs, type TensorInfo } from "@tensorflow/tfjs-core";
import { BackendError } from "../../../../errors.js";
import { runKernel, type Shape4D } from "./kernel.js";

export type ConvInfo = backend_util.Conv2DInfo;

/** Dilations reach these kernels only from the gradient in `dilated.ts`; tfjs-core's own has none. */
export interface Dilated {
  readonly dilations?: number | [number, number];
}

/** Sizes, strides and padding of the layer whose gradient is asked for. */
export function convInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: Pick<Conv2DBackpropInputAttrs, "strides" | "pad" | "dataFormat" | "dimRoundingMode"> & Dilated,
): ConvInfo {
  if (attrs.dataFormat !== "NHWC") {
    throw new BackendError(
      `The wasm backend convolves only images with channels last (NHWC), not ${attrs.dataFormat}. ` +
        `Set dataFormat to "channelsLast" in the layer, or use --backend cpu.`,
      { dataFormat: attrs.dataFormat },
    );
  }
  return backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    false,
    "channelsLast",
  );
}

/** conv2d of stride 1; `pad` is [top, bottom, left, right]. */
export function convolve(
  backend: BackendWasm,
  x: TensorInfo,
  filter: TensorInfo,
  options: { readonly pad: readonly [number, number, number, number]; readonly dilations: readonly [number, number] },
): TensorInfo {
  const [top, bottom, left, right] = options.pad;
  const none = [0, 0];
  return runKernel(
    backend,
    "Conv2D",
    { x, filter },
    {
      strides: [1, 1],
      pad: [none, [top, bottom], [left, right], none],
      dataFormat: "NHWC",
      dilations: options.dilations,
    },
  );
}
