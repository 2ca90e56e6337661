/** @file Gradients of max and average pooling as loops over the wasm heap. */
import {
  AvgPoolGrad,
  type AvgPoolGradAttrs,
  type AvgPoolGradInputs,
  backend_util,
  MaxPoolGrad,
  type MaxPoolGradAttrs,
  type MaxPoolGradInputs,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { at as itemAt, f32At, i32At } from "../../../../arrays.js";
import { floats, type KernelCall, wasmKernel, zeros } from "./kernel.js";

type PoolInfo = backend_util.Conv2DInfo;

/** Kernels `MaxPoolGrad` and `AvgPoolGrad`. */
export const poolGradientKernels = [
  wasmKernel<MaxPoolGradInputs, MaxPoolGradAttrs>(MaxPoolGrad, maxPoolGradient),
  wasmKernel<AvgPoolGradInputs, AvgPoolGradAttrs>(AvgPoolGrad, averagePoolGradient),
];

function poolInfo(input: TensorInfo, attrs: AvgPoolGradAttrs & Partial<MaxPoolGradAttrs>): PoolInfo {
  const shape = input.shape as [number, number, number, number];
  return backend_util.computePool2DInfo(shape, attrs.filterSize, attrs.strides, 1, attrs.pad, attrs.dimRoundingMode);
}

/** The gradient goes to the first maximum of each window: dy [batch, outHeight, outWidth, channels] → shape of input. */
function maxPoolGradient({ inputs, attrs, backend }: KernelCall<MaxPoolGradInputs, MaxPoolGradAttrs>): TensorInfo {
  const info = poolInfo(inputs.input, attrs);
  const channels = info.inChannels;
  const dxTensor = zeros(backend, inputs.input.shape);
  const x = floats(backend, inputs.input);
  const dy = floats(backend, inputs.dy);
  const dx = floats(backend, dxTensor);
  if (isPair(info)) {
    maximaOfPairs(info, x, dy, dx);
    return dxTensor;
  }
  const maximum = new Float32Array(channels);
  const place = new Int32Array(channels);
  forEachWindow(info, (output, pixels) => {
    maximum.fill(Number.NEGATIVE_INFINITY);
    place.fill(itemAt(pixels, 0));
    for (const pixel of pixels) {
      for (let c = 0; c < channels; c++) {
        const value = f32At(x, pixel + c);
        if (value > f32At(maximum, c)) {
          maximum[c] = value;
          place[c] = pixel;
        }
      }
    }
    for (let c = 0; c < channels; c++) {
      const at = i32At(place, c) + c;
      dx[at] = f32At(dx, at) + f32At(dy, output + c);
    }
  });
  return dxTensor;
}

/** Whether all windows are of 2 × 2 pixels, as in most networks. */
function isPair({ filterHeight, filterWidth, padInfo }: PoolInfo): boolean {
  const { top, left, bottom, right } = padInfo;
  return filterHeight === 2 && filterWidth === 2 && top + left + bottom + right === 0;
}

/** The same of windows that lie within the picture, in a quarter of the time: nothing is kept from pixel to pixel. */
function maximaOfPairs(info: PoolInfo, x: Float32Array, dy: Float32Array, dx: Float32Array): void {
  const { inHeight, inWidth, outHeight, outWidth, inChannels: channels, strideHeight, strideWidth } = info;
  const line = inWidth * channels;
  let output = 0;
  for (let row = 0; row < info.batchSize * outHeight; row++) {
    const image = Math.floor(row / outHeight);
    const top = (image * inHeight + (row - image * outHeight) * strideHeight) * line;
    for (let column = 0; column < outWidth; column++) {
      const corner = top + column * strideWidth * channels;
      for (let at = corner; at < corner + channels; at++, output++) {
        let place = at;
        let most = Number.NEGATIVE_INFINITY;
        const a = f32At(x, at);
        const b = f32At(x, at + channels);
        const c = f32At(x, at + line);
        const d = f32At(x, at + line + channels);
        if (a > most) most = a;
        if (b > most) {
          most = b;
          place = at + channels;
        }
        if (c > most) {
          most = c;
          place = at + line;
        }
        if (d > most) place = at + line + channels;
        dx[place] = f32At(dx, place) + f32At(dy, output);
      }
    }
  }
}

/**
 * Each pixel of a window gets the same share. Padding is not counted, as the forward kernel does not count it;
 * tfjs's own gradient divides by the whole window, which is wrong at padded edges.
 */
function averagePoolGradient({ inputs, attrs, backend }: KernelCall<AvgPoolGradInputs, AvgPoolGradAttrs>): TensorInfo {
  const info = poolInfo(inputs.input, attrs);
  const dxTensor = zeros(backend, inputs.input.shape);
  const dy = floats(backend, inputs.dy);
  const dx = floats(backend, dxTensor);
  forEachWindow(info, (output, pixels) => {
    const share = 1 / pixels.length;
    for (const pixel of pixels) {
      for (let c = 0; c < info.inChannels; c++) {
        dx[pixel + c] = f32At(dx, pixel + c) + share * f32At(dy, output + c);
      }
    }
  });
  return dxTensor;
}

/** Calls `visit` with the offset of each output pixel and the offsets of the input pixels in its window. */
function forEachWindow(info: PoolInfo, visit: (output: number, pixels: readonly number[]) => void): void {
  const { inHeight, inWidth, outHeight, outWidth, inChannels, padInfo } = info;
  const pixels: number[] = [];
  let output = 0;
  for (let image = 0; image < info.batchSize; image++) {
    for (let outRow = 0; outRow < outHeight; outRow++) {
      const top = outRow * info.strideHeight - padInfo.top;
      const lastRow = Math.min(inHeight, top + info.filterHeight);
      for (let outColumn = 0; outColumn < outWidth; outColumn++, output += inChannels) {
        const left = outColumn * info.strideWidth - padInfo.left;
        const lastColumn = Math.min(inWidth, left + info.filterWidth);
        pixels.length = 0;
        for (let row = Math.max(0, top); row < lastRow; row++) {
          const line = (image * inHeight + row) * inWidth;
          for (let column = Math.max(0, left); column < lastColumn; column++) pixels.push((line + column) * inChannels);
        }
        if (pixels.length > 0) visit(output, pixels);
      }
    }
  }
}
