/** @file Gradients of convolutions: what tfjs-node refuses, and what TensorFlow's oneDNN computes wrongly. */
import {
  backend_util,
  type KernelConfig,
  type NamedAttrMap,
  pad,
  slice,
  stridedSlice,
  type Tensor,
  type Tensor4D,
  tidy,
} from "@tensorflow/tfjs-core";

type Pair = readonly [number, number];

/** Rows and columns of padding around an image. */
interface Margins {
  readonly rows: Pair;
  readonly columns: Pair;
}

/**
 * A kernel Conv2DBackpropFilter or DepthwiseConv2dNativeBackpropFilter that also takes explicit padding, and that is
 * safe with strides.
 */
export function filterGradient(stock: KernelConfig): KernelConfig {
  return {
    ...stock,
    kernelFunc(call) {
      const { attrs = {} } = call;
      const margins = marginsOf(attrs);
      const steps = isPointwise(attrs.filterShape as number[]) ? stridesOf(attrs) : NO_STRIDES;
      const skips = steps.some((step) => step > 1);
      if ((margins === null && !skips) || !isChannelsLast(attrs)) return stock.kernelFunc(call);
      const { dy, x } = call.inputs as unknown as { readonly dy: Tensor; readonly x: Tensor4D };
      return tidy(() => {
        const padded = margins === null ? x : padWith(x, margins);
        // oneDNN writes outside its memory where a 1 × 1 filter skips the last row or column: give it no other pixels
        // than those that count
        const seen = skips ? stridedSlice(padded, [0, 0, 0, 0], padded.shape, [1, ...steps, 1]) : padded;
        const plain = { ...attrs, pad: "valid", ...(skips ? { strides: [1, 1] } : {}) };
        return stock.kernelFunc({ ...call, inputs: { dy, x: seen }, attrs: plain }) as Tensor;
      });
    },
  };
}

/** A kernel Conv2DBackpropInput or DepthwiseConv2dNativeBackpropInput that also takes explicit padding. */
export function inputGradient(stock: KernelConfig): KernelConfig {
  return {
    ...stock,
    kernelFunc(call) {
      const { attrs = {} } = call;
      const margins = marginsOf(attrs);
      if (margins === null || !isChannelsLast(attrs)) return stock.kernelFunc(call);
      const [batch, height, width, channels] = attrs.inputShape as [number, number, number, number];
      const { rows, columns } = margins;
      const paddedShape = [batch, height + rows[0] + rows[1], width + columns[0] + columns[1], channels];
      return tidy(() => {
        const valid = { ...attrs, pad: "valid", inputShape: paddedShape };
        const padded = stock.kernelFunc({ ...call, attrs: valid }) as Tensor4D;
        return slice(padded, [0, rows[0], columns[0], 0], [batch, height, width, channels]);
      });
    },
  };
}

const NO_STRIDES: Pair = [1, 1];

function isPointwise([height, width]: readonly number[]): boolean {
  return height === 1 && width === 1;
}

function isChannelsLast({ dataFormat }: NamedAttrMap): boolean {
  return dataFormat === undefined || backend_util.convertConv2DDataFormat(dataFormat as "NHWC") === "channelsLast";
}

function stridesOf({ strides }: NamedAttrMap): Pair {
  const [height = 1, width = height] = [strides as number | number[]].flat();
  return [height, width];
}

/** Explicit padding; null where TensorFlow pads by itself. */
function marginsOf({ pad: padding }: NamedAttrMap): Margins | null {
  if (typeof padding === "number") return { rows: [padding, padding], columns: [padding, padding] };
  if (!Array.isArray(padding)) return null;
  const [, rows, columns] = padding as unknown as readonly Pair[];
  return { rows: rows ?? [0, 0], columns: columns ?? [0, 0] };
}

function padWith(x: Tensor4D, { rows, columns }: Margins): Tensor4D {
  return pad(x, [
    [0, 0],
    [rows[0], rows[1]],
    [columns[0], columns[1]],
    [0, 0],
  ]);
}
