/** @file Gradient of conv2d by its filter, as a forward convolution, which XNNPACK computes fast. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  Conv2DBackpropFilter,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropFilterInputs,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { at, f32At } from "../../../../arrays.js";
import { type ConvInfo, convInfo, convolve, type Dilated } from "./conv2d.js";
import {
  cropped,
  dispose,
  floats,
  type KernelCall,
  runKernel,
  transposeMatrix,
  viewAs,
  wasmKernel,
  zeros,
} from "./kernel.js";

/** Floats of dy that one convolution may take as its filter: bounds the memory for packed filters to some 100 MB. */
const MAX_FILTER_FLOATS = 8e6;

/** Floats of dy in a band: with the packed copy 1 MB. */
const BAND_FLOATS = 2 ** 18;

/** Gradient of a convolution with respect to its filter. */
export const conv2dBackpropFilter = wasmKernel<Conv2DBackpropFilterInputs, Conv2DBackpropFilterAttrs & Dilated>(
  Conv2DBackpropFilter,
  backpropFilter,
);

/**
 * Gradient of conv2d by its filter: x [batch, height, width, in], dy [batch, outHeight, outWidth, out]
 * → [filterHeight, filterWidth, in, out].
 */
function backpropFilter(call: KernelCall<Conv2DBackpropFilterInputs, Conv2DBackpropFilterAttrs & Dilated>): TensorInfo {
  const { backend, attrs } = call;
  const { x, dy } = call.inputs;
  const info = convInfo(x.shape, attrs.filterShape, attrs);
  if (isMatMul(info)) return filterGradientByMatMul(backend, x, dy, info);

  const imageFloats = info.outHeight * info.outWidth * info.outChannels;
  const imagesAtOnce = Math.max(1, Math.floor(MAX_FILTER_FLOATS / imageFloats));
  if (imagesAtOnce >= info.batchSize) return filterGradient(backend, x, dy, info);

  let sum = zeros(backend, info.filterShape);
  for (let first = 0; first < info.batchSize; first += imagesAtOnce) {
    const count = Math.min(imagesAtOnce, info.batchSize - first);
    const someX = sliceImages(backend, x, first, count);
    const someDy = sliceImages(backend, dy, first, count);
    const part = filterGradient(backend, someX, someDy, info);
    const next = runKernel(backend, "Add", { a: sum, b: part });
    dispose(backend, someX, someDy, part, sum);
    sum = next;
  }
  return sum;
}

function sliceImages(backend: BackendWasm, x: TensorInfo, first: number, count: number): TensorInfo {
  const size = [count, ...x.shape.slice(1)];
  return runKernel(backend, "Slice", { x }, { begin: [first, 0, 0, 0], size });
}

/** Whether each output pixel reads exactly the input pixel under it. */
function isMatMul(info: ConvInfo): boolean {
  const { padInfo } = info;
  const isPointwise = info.filterHeight === 1 && info.filterWidth === 1;
  const isUnitStride = info.strideHeight === 1 && info.strideWidth === 1;
  return isPointwise && isUnitStride && padInfo.top + padInfo.bottom + padInfo.left + padInfo.right === 0;
}

function filterGradientByMatMul(backend: BackendWasm, x: TensorInfo, dy: TensorInfo, info: ConvInfo): TensorInfo {
  const pixels = info.batchSize * info.outHeight * info.outWidth;
  const transposed = transposeMatrix(backend, viewAs(x, [pixels, info.inChannels]));
  const product = runKernel(
    backend,
    "BatchMatMul",
    { a: viewAs(transposed, [1, info.inChannels, pixels]), b: viewAs(dy, [1, pixels, info.outChannels]) },
    { transposeA: false, transposeB: false },
  );
  dispose(backend, transposed);
  return { ...product, shape: info.filterShape };
}

/**
 * The sum over batch and output pixels is a convolution whose channels are the batch, whose filter is dy and whose
 * dilation is the stride. Input channels are laid along the width (column `w * in + c`): so x needs one matrix
 * transposition only, and the output [filterHeight, filterWidth * in, out] is the gradient as it should lie.
 */
function filterGradient(backend: BackendWasm, x: TensorInfo, dy: TensorInfo, info: ConvInfo): TensorInfo {
  const { inChannels, outChannels, outHeight, outWidth, padInfo } = info;
  const { effectiveFilterHeight: taps, effectiveFilterWidth: columnTaps } = info;
  const batch = at(x.shape, 0);
  // pixels past the last one that any tap reaches are cut off, missing ones are padding
  const readHeight = taps + (outHeight - 1) * info.strideHeight - padInfo.top;
  const readWidth = columnTaps + (outWidth - 1) * info.strideWidth - padInfo.left;
  const height = Math.min(info.inHeight, readHeight);
  const width = Math.min(info.inWidth, readWidth);

  const image = batchToChannels(backend, cropped(backend, x, [0, 0], [height, width]), [1, height, width * inChannels]);
  const pixelsFirst = runKernel(
    backend,
    "Transpose",
    { x: viewAs(dy, [batch, outHeight * outWidth, outChannels]) },
    { perm: [1, 0, 2] },
  );
  const filter = viewAs(pixelsFirst, [outHeight, outWidth, batch, outChannels]);
  const gradient = addUpBands(backend, image, filter, info, [
    padInfo.left * inChannels,
    (readWidth - width) * inChannels,
  ]);
  dispose(backend, image, pixelsFirst);
  return everyDilatedTap(backend, { ...gradient, shape: [taps, columnTaps, inChannels, outChannels] }, info);
}

/**
 * The convolution band by band of the output's rows: XNNPACK reads the whole filter for every few pixels that it computes,
 * which then lies in the processor's cache.
 * @param image [1, height, width * in, batch]
 * @param filter [outHeight, outWidth, batch, out]
 * @param sides columns of padding on the left and on the right
 */
function addUpBands(
  backend: BackendWasm,
  image: TensorInfo,
  filter: TensorInfo,
  info: ConvInfo,
  [left, right]: readonly [number, number],
): TensorInfo {
  const { outHeight, strideHeight, effectiveFilterHeight: taps, padInfo } = info;
  const height = at(image.shape, 1);
  const bandRows = Math.max(
    1,
    Math.floor((BAND_FLOATS * outHeight) / filter.shape.reduce((size, axis) => size * axis, 1)),
  );
  const dilations = [strideHeight, info.strideWidth * info.inChannels] as const;
  let sum: TensorInfo | null = null;
  for (let first = 0; first < outHeight; first += bandRows) {
    const rows = Math.min(bandRows, outHeight - first);
    const from = first * strideHeight - padInfo.top;
    const to = from + taps + (rows - 1) * strideHeight;
    const [top, bottom] = [Math.max(0, from), Math.min(height, to)];
    // nothing but padding
    if (top >= bottom && sum !== null) continue;
    const band = copyRows(backend, image, 1, top, bottom - top);
    const own = copyRows(backend, filter, 0, first, rows);
    const part = convolve(backend, band, own, {
      pad: [top - from, to - bottom, left, right],
      dilations: [...dilations],
    });
    dispose(backend, band, own);
    if (sum === null) sum = part;
    else {
      const [total, values] = [floats(backend, sum), floats(backend, part)];
      for (let i = 0; i < total.length; i++) total[i] = f32At(total, i) + f32At(values, i);
      dispose(backend, part);
    }
  }
  return sum as TensorInfo;
}

/** Rows along the first axis that is not 1, copied as they lie; the stock slice goes from number to number. */
function copyRows(backend: BackendWasm, x: TensorInfo, axis: 0 | 1, first: number, rows: number): TensorInfo {
  if (rows === x.shape[axis]) return runKernel(backend, "Identity", { x });
  const out = backend.makeOutput(
    x.shape.map((size, i) => (i === axis ? rows : size)),
    x.dtype,
  );
  const values = floats(backend, x);
  const length = values.length / at(x.shape, axis);
  floats(backend, out).set(values.subarray(first * length, (first + rows) * length));
  return out;
}

/** [batch, …] → [...shape, batch]; consumes x. */
function batchToChannels(backend: BackendWasm, x: TensorInfo, shape: readonly number[]): TensorInfo {
  const batch = at(x.shape, 0);
  const pixels = shape.reduce((product, size) => product * size, 1);
  const out = transposeMatrix(backend, viewAs(x, [batch, pixels]));
  dispose(backend, x);
  return { ...out, shape: [...shape, batch] };
}

/** Of the gradient by a filter that is filled up with zeros, the taps that exist; consumes the gradient. */
function everyDilatedTap(backend: BackendWasm, gradient: TensorInfo, info: ConvInfo): TensorInfo {
  const { dilationHeight, dilationWidth } = info;
  if (dilationHeight === 1 && dilationWidth === 1) return gradient;
  const attrs = {
    begin: [0, 0, 0, 0],
    end: gradient.shape,
    strides: [dilationHeight, dilationWidth, 1, 1],
    beginMask: 0,
    endMask: 0,
    ellipsisMask: 0,
    newAxisMask: 0,
    shrinkAxisMask: 0,
  };
  const out = runKernel(backend, "StridedSlice", { x: gradient }, attrs);
  dispose(backend, gradient);
  return out;
}
