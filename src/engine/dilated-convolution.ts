/** @file The gradient of a dilated convolution, which tfjs refuses: that of one with a stretched filter. */
import {
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  concat,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  engine,
  type GradConfig,
  type NamedAttrMap,
  reshape,
  slice,
  stridedSlice,
  type Tensor,
  zeros,
} from "@tensorflow/tfjs-core";

type Pair = readonly [number, number];

/** For each convolution, its gradient kernels by input and by filter. */
const gradientKernels: Readonly<Record<string, { readonly byInput: string; readonly byFilter: string }>> = {
  [Conv2D]: { byInput: Conv2DBackpropInput, byFilter: Conv2DBackpropFilter },
  [DepthwiseConv2dNative]: {
    byInput: DepthwiseConv2dNativeBackpropInput,
    byFilter: DepthwiseConv2dNativeBackpropFilter,
  },
};

/** The stock gradient of a convolution, except of a dilated one on the backend named. */
export function withStretchedFilter(stock: GradConfig, backendName: string): GradConfig {
  const { byInput = "", byFilter = "" } = gradientKernels[stock.kernelName] ?? {};
  return {
    ...stock,
    gradFunc(dy, saved, attrs) {
      const dilations = dilationsOf(attrs);
      if (dilations.every((rate) => rate === 1) || engine().backendName !== backendName) {
        return stock.gradFunc(dy, saved, attrs);
      }
      const [x, filter] = saved as [Tensor, Tensor];
      // a filter with zeros between its numbers convolves as the dilated one does
      const plain: NamedAttrMap = { ...attrs, dilations: 1 };
      const filterShape = stretchedShape(filter.shape, dilations);
      const kernel = (name: string, inputs: Record<string, Tensor>, more: NamedAttrMap): Tensor =>
        engine().runKernel(name, inputs, { ...plain, ...more });
      return {
        x: () => kernel(byInput, { dy: dy as Tensor, filter: stretch(filter, dilations) }, { inputShape: x.shape }),
        filter: () => {
          const all = kernel(byFilter, { x, dy: dy as Tensor }, { filterShape });
          return stridedSlice(all, [0, 0, 0, 0], filterShape, [...dilations, 1, 1]);
        },
      };
    },
  };
}

function dilationsOf({ dilations }: NamedAttrMap): Pair {
  const [height = 1, width = height] = [(dilations as number | readonly number[] | null | undefined) ?? 1].flat();
  return [height, width];
}

/** [height, width, channels in, channels out] */
function stretchedShape(shape: readonly number[], [byHeight, byWidth]: Pair): number[] {
  const [height = 1, width = 1, ...channels] = shape;
  return [(height - 1) * byHeight + 1, (width - 1) * byWidth + 1, ...channels];
}

/** Zeros between the rows and between the columns of a filter. */
function stretch(filter: Tensor, dilations: Pair): Tensor {
  const [height = 1, width = 1, from = 1, to = 1] = filter.shape;
  const [byHeight, byWidth] = dilations;
  const rows = followedByZeros(reshape(filter, [height, 1, width * from * to]), byHeight - 1);
  const columns = followedByZeros(reshape(rows, [height * byHeight * width, 1, from * to]), byWidth - 1);
  const all = reshape(columns, [height * byHeight, width * byWidth, from, to]);
  return slice(all, [0, 0, 0, 0], stretchedShape(filter.shape, dilations));
}

/** [n, 1, m] → [n, 1 + count, m] */
function followedByZeros(lines: Tensor, count: number): Tensor {
  const [n = 0, , m = 0] = lines.shape;
  return count === 0 ? lines : concat([lines, zeros([n, count, m])], 1);
}
