/** @file Dilated depthwise convolutions, which TensorFlow refuses on processors where it does not turn oneDNN on. */
import { type KernelConfig, type Tensor, type Tensor4D, tidy } from "@tensorflow/tfjs-core";
import { dilationsOf, spreadOut } from "../../dilated.js";

/** Whether TensorFlow's own kernel takes dilations; oneDNN's does. Null until one was asked for. */
let takesDilations: boolean | null = null;

/**
 * A kernel DepthwiseConv2dNative or FusedDepthwiseConv2D that dilates on any processor: where TensorFlow refuses, by the
 * same convolution without dilation, whose filter has zeros in between.
 */
export function withDilations(stock: KernelConfig): KernelConfig {
  return {
    ...stock,
    kernelFunc(call) {
      const dilations = dilationsOf(call.attrs ?? {});
      if (dilations.every((dilation) => dilation === 1)) return stock.kernelFunc(call);
      if (takesDilations !== false) {
        try {
          const result = stock.kernelFunc(call);
          takesDilations = true;
          return result;
        } catch (error) {
          if (!isUnsupported(error)) throw error;
          takesDilations = false;
        }
      }
      return tidy(() => {
        const filter = spreadOut(call.inputs.filter as Tensor4D, dilations);
        const attrs = { ...call.attrs, dilations: [1, 1] };
        return stock.kernelFunc({ ...call, inputs: { ...call.inputs, filter }, attrs }) as Tensor;
      });
    },
  };
}

/** TensorFlow's status UNIMPLEMENTED (12), which comes before anything is computed. */
function isUnsupported(error: unknown): boolean {
  return error instanceof Error && error.message.includes("TF_Status: 12");
}
