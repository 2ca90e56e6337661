/** @file Gradients of depthwise conv2d: by its input another depthwise convolution, by its filter a loop. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  backend_util,
  DepthwiseConv2dNativeBackpropFilter,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropFilterInputs,
  DepthwiseConv2dNativeBackpropInput,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type DepthwiseConv2dNativeBackpropInputInputs,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { f32At, f64At } from "../../../../arrays.js";
import {
  cropped,
  dispose,
  floats,
  type KernelCall,
  runKernel,
  type Shape4D,
  viewAs,
  wasmKernel,
  zeros,
} from "./kernel.js";

type ConvInfo = backend_util.Conv2DInfo;

/** Kernels `DepthwiseConv2dNativeBackpropFilter` and `DepthwiseConv2dNativeBackpropInput`. */
export const depthwiseGradientKernels = [
  wasmKernel<DepthwiseConv2dNativeBackpropFilterInputs, DepthwiseConv2dNativeBackpropFilterAttrs>(
    DepthwiseConv2dNativeBackpropFilter,
    backpropFilter,
  ),
  wasmKernel<DepthwiseConv2dNativeBackpropInputInputs, DepthwiseConv2dNativeBackpropInputAttrs>(
    DepthwiseConv2dNativeBackpropInput,
    backpropInput,
  ),
];

function convInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: Omit<DepthwiseConv2dNativeBackpropInputAttrs, "inputShape">,
): ConvInfo {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  );
}

/**
 * x [batch, height, width, in], dy [batch, outHeight, outWidth, in * multiplier]
 * → [filterHeight, filterWidth, in, multiplier].
 */
function backpropFilter(
  call: KernelCall<DepthwiseConv2dNativeBackpropFilterInputs, DepthwiseConv2dNativeBackpropFilterAttrs>,
): TensorInfo {
  const { backend, inputs, attrs } = call;
  const info = convInfo(inputs.x.shape, attrs.filterShape, attrs);
  const out = backend.makeOutput(info.filterShape, "float32");
  const sums = new Float64Array(info.filterHeight * info.filterWidth * info.outChannels);
  const x = floats(backend, inputs.x);
  const dy = floats(backend, inputs.dy);
  for (let image = 0; image < info.batchSize; image++) {
    for (let outRow = 0; outRow < info.outHeight; outRow++) addRow(sums, x, dy, image, outRow, info);
  }
  floats(backend, out).set(sums);
  return out;
}

/** Adds what one row of dy contributes to every tap. */
function addRow(
  sums: Float64Array,
  x: Float32Array,
  dy: Float32Array,
  image: number,
  outRow: number,
  info: ConvInfo,
): void {
  const { inChannels, outChannels, inHeight, inWidth, outWidth, strideWidth, padInfo } = info;
  const multiplier = outChannels / inChannels;
  const dyRow = (image * info.outHeight + outRow) * outWidth * outChannels;
  for (let tapRow = 0; tapRow < info.filterHeight; tapRow++) {
    const row = outRow * info.strideHeight + tapRow * info.dilationHeight - padInfo.top;
    if (row < 0 || row >= inHeight) continue;
    for (let tapColumn = 0; tapColumn < info.filterWidth; tapColumn++) {
      const tap = (tapRow * info.filterWidth + tapColumn) * outChannels;
      const shift = tapColumn * info.dilationWidth - padInfo.left;
      for (let outColumn = 0; outColumn < outWidth; outColumn++) {
        const column = outColumn * strideWidth + shift;
        if (column < 0 || column >= inWidth) continue;
        const from = ((image * inHeight + row) * inWidth + column) * inChannels;
        addPixel(sums, tap, x, from, dy, dyRow + outColumn * outChannels, outChannels, multiplier);
      }
    }
  }
}

/** sums[tap + c] += x[from + c / multiplier] * dy[at + c] for every output channel c. */
function addPixel(
  sums: Float64Array,
  tap: number,
  x: Float32Array,
  from: number,
  dy: Float32Array,
  at: number,
  channels: number,
  multiplier: number,
): void {
  if (multiplier === 1) {
    for (let c = 0; c < channels; c++) {
      sums[tap + c] = f64At(sums, tap + c) + f32At(x, from + c) * f32At(dy, at + c);
    }
    return;
  }
  for (let first = 0, channel = from; first < channels; first += multiplier, channel++) {
    const value = f32At(x, channel);
    for (let c = first; c < first + multiplier; c++) {
      sums[tap + c] = f64At(sums, tap + c) + value * f32At(dy, at + c);
    }
  }
}

/**
 * dy [batch, outHeight, outWidth, in * multiplier] → [batch, height, width, in]: dy, spread out by the stride, under
 * the flipped filter; then the sum over the multiplier.
 */
function backpropInput(
  call: KernelCall<DepthwiseConv2dNativeBackpropInputInputs, DepthwiseConv2dNativeBackpropInputAttrs>,
): TensorInfo {
  const { backend, inputs, attrs } = call;
  const { dy, filter } = inputs;
  const info = convInfo(attrs.inputShape, filter.shape, attrs);
  const { inHeight, inWidth, outChannels, padInfo } = info;
  const spread = spreadOut(backend, dy, info);
  const tapsShape = [info.filterHeight, info.filterWidth, outChannels, 1];
  const flipped = runKernel(backend, "Reverse", { x: viewAs(filter, tapsShape) }, { dims: [0, 1] });
  const [, spreadHeight, spreadWidth] = spread.shape as Shape4D;
  const rows = axisPadding(info.effectiveFilterHeight, padInfo.top, inHeight, spreadHeight);
  const columns = axisPadding(info.effectiveFilterWidth, padInfo.left, inWidth, spreadWidth);
  const convolved = runKernel(
    backend,
    "DepthwiseConv2dNative",
    { x: spread, filter: flipped },
    {
      strides: [1, 1],
      dilations: [info.dilationHeight, info.dilationWidth],
      pad: [[0, 0], rows.pad, columns.pad, [0, 0]],
    },
  );
  const dx = cropped(backend, convolved, [rows.start, columns.start], [inHeight, inWidth]);
  dispose(backend, spread, flipped, convolved);
  return sumOverMultiplier(backend, dx, info);
}

/** Padding of the spread-out dy, and where dx starts in the convolution (after 0 unless the layer pads very widely). */
function axisPadding(
  taps: number,
  pad: number,
  inSize: number,
  spreadSize: number,
): { readonly pad: readonly [before: number, after: number]; readonly start: number } {
  const before = taps - 1 - pad;
  const after = inSize - spreadSize + pad;
  return { pad: [Math.max(0, before), Math.max(0, after)], start: Math.max(0, -before) };
}

/** dy with `stride - 1` zeros between its pixels, owned by the caller. */
function spreadOut(backend: BackendWasm, dy: TensorInfo, info: ConvInfo): TensorInfo {
  const { batchSize, outHeight, outWidth, outChannels, strideHeight, strideWidth } = info;
  if (strideHeight === 1 && strideWidth === 1) return runKernel(backend, "Identity", { x: dy });
  const height = (outHeight - 1) * strideHeight + 1;
  const width = (outWidth - 1) * strideWidth + 1;
  const spread = zeros(backend, [batchSize, height, width, outChannels]);
  const from = floats(backend, dy);
  const to = floats(backend, spread);
  let source = 0;
  for (let image = 0; image < batchSize; image++) {
    for (let row = 0; row < height; row += strideHeight) {
      for (let column = 0; column < width; column += strideWidth) {
        const target = ((image * height + row) * width + column) * outChannels;
        for (let c = 0; c < outChannels; c++, source++) to[target + c] = f32At(from, source);
      }
    }
  }
  return spread;
}

/** [batch, height, width, in * multiplier] → [batch, height, width, in]; consumes x. */
function sumOverMultiplier(backend: BackendWasm, x: TensorInfo, info: ConvInfo): TensorInfo {
  const multiplier = info.outChannels / info.inChannels;
  if (multiplier === 1) return x;
  const shape = [info.batchSize * info.inHeight * info.inWidth * info.inChannels, multiplier];
  const sum = runKernel(backend, "Sum", { x: viewAs(x, shape) }, { axis: [1], keepDims: false });
  dispose(backend, x);
  return { ...sum, shape: info.inShape };
}
