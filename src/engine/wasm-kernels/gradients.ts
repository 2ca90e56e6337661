/** @file Gradients of dilated convolutions on wasm; tfjs-core refuses dilations above 1. */
import {
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  engine,
  type GradConfig,
  type NamedAttrMap,
  type Tensor,
} from "@tensorflow/tfjs-core";

/** For each convolution, its gradient kernels by filter and by input. */
export const dilatedConvolutions = [
  { kernelName: Conv2D, byFilter: Conv2DBackpropFilter, byInput: Conv2DBackpropInput },
  {
    kernelName: DepthwiseConv2dNative,
    byFilter: DepthwiseConv2dNativeBackpropFilter,
    byInput: DepthwiseConv2dNativeBackpropInput,
  },
] as const;

/** The stock gradient, except of a dilated convolution on wasm, whose gradient kernels here know dilations. */
export function withDilations(stock: GradConfig, byFilter: string, byInput: string): GradConfig {
  return {
    ...stock,
    gradFunc: (dy, saved, attrs) => {
      if (!isDilated(attrs) || engine().backendName !== "wasm") return stock.gradFunc(dy, saved, attrs);
      const [x, filter] = saved as [Tensor, Tensor];
      const dyTensor = dy as Tensor;
      return {
        x: () => engine().runKernel<Tensor>(byInput, { dy: dyTensor, filter }, { ...attrs, inputShape: x.shape }),
        filter: () =>
          engine().runKernel<Tensor>(byFilter, { x, dy: dyTensor }, { ...attrs, filterShape: filter.shape }),
      };
    },
  };
}

function isDilated(attrs: NamedAttrMap): boolean {
  const dilations = attrs.dilations as number | readonly number[] | null | undefined;
  return [dilations ?? 1].flat().some((dilation) => dilation !== 1);
}
