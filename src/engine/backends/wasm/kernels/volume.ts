/** @file Convolution gradients and max pooling of volumes as loops: tfjs's own kernels are wrong at many shapes. */
import {
  backend_util,
  Conv3DBackpropFilterV2,
  type Conv3DBackpropFilterV2Attrs,
  type Conv3DBackpropFilterV2Inputs,
  Conv3DBackpropInputV2,
  type Conv3DBackpropInputV2Attrs,
  type Conv3DBackpropInputV2Inputs,
  MaxPool3D,
  type MaxPool3DAttrs,
  MaxPool3DGrad,
  type MaxPool3DGradAttrs,
  type MaxPool3DGradInputs,
  type MaxPool3DInputs,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { floats, type KernelCall, wasmKernel, zeros } from "./kernel.js";

type Shape5D = [number, number, number, number, number];
type Three = number | [number, number, number];

export const volumeKernels = [
  wasmKernel<Conv3DBackpropFilterV2Inputs, Conv3DBackpropFilterV2Attrs>(Conv3DBackpropFilterV2, filterGradient),
  wasmKernel<Conv3DBackpropInputV2Inputs, Conv3DBackpropInputV2Attrs>(Conv3DBackpropInputV2, inputGradient),
  wasmKernel<MaxPool3DInputs, MaxPool3DAttrs>(MaxPool3D, maxPool),
  wasmKernel<MaxPool3DGradInputs, MaxPool3DGradAttrs>(MaxPool3DGrad, maxPoolGradient),
];

/** x [batch, depth, height, width, in], dy [batch, …, out] → [depth, height, width, in, out] of the filter. */
function filterGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<Conv3DBackpropFilterV2Inputs, Conv3DBackpropFilterV2Attrs>): TensorInfo {
  const windows = convWindows(inputs.x.shape, attrs.filterShape, attrs.strides, attrs.pad);
  const gradient = zeros(backend, attrs.filterShape);
  const [x, dy, dw] = [floats(backend, inputs.x), floats(backend, inputs.dy), floats(backend, gradient)];
  const [, , , from, to] = attrs.filterShape;
  forEachPlace(windows, (output, input, tap) => {
    for (let i = 0; i < from; i++) {
      const value = x[input * from + i] as number;
      const row = (tap * from + i) * to;
      for (let o = 0; o < to; o++) dw[row + o] = (dw[row + o] as number) + value * (dy[output * to + o] as number);
    }
  });
  return gradient;
}

/** dy [batch, …, out], filter [depth, height, width, in, out] → the shape of x. */
function inputGradient({
  inputs,
  attrs,
  backend,
}: KernelCall<Conv3DBackpropInputV2Inputs, Conv3DBackpropInputV2Attrs>): TensorInfo {
  const shape = inputs.filter.shape as Shape5D;
  const windows = convWindows(attrs.inputShape, shape, attrs.strides, attrs.pad);
  const gradient = zeros(backend, attrs.inputShape);
  const [w, dy, dx] = [floats(backend, inputs.filter), floats(backend, inputs.dy), floats(backend, gradient)];
  const [, , , from, to] = shape;
  forEachPlace(windows, (output, input, tap) => {
    for (let i = 0; i < from; i++) {
      const row = (tap * from + i) * to;
      let sum = 0;
      for (let o = 0; o < to; o++) sum += (w[row + o] as number) * (dy[output * to + o] as number);
      dx[input * from + i] = (dx[input * from + i] as number) + sum;
    }
  });
  return gradient;
}

/** [batch, depth, height, width, channels] → the largest of each window. */
function maxPool({ inputs, attrs, backend }: KernelCall<MaxPool3DInputs, MaxPool3DAttrs>): TensorInfo {
  const windows = poolWindows(inputs.x.shape, attrs);
  const channels = inputs.x.shape[4] as number;
  const result = zeros(backend, windows.outShape);
  const [x, y] = [floats(backend, inputs.x), floats(backend, result)];
  y.fill(Number.NEGATIVE_INFINITY);
  forEachPlace(windows, (output, input) => {
    for (let c = 0; c < channels; c++) {
      const at = output * channels + c;
      y[at] = Math.max(y[at] as number, x[input * channels + c] as number);
    }
  });
  return result;
}

/** The gradient goes to the first maximum of each window. */
function maxPoolGradient({ inputs, attrs, backend }: KernelCall<MaxPool3DGradInputs, MaxPool3DGradAttrs>): TensorInfo {
  const windows = poolWindows(inputs.input.shape, attrs);
  const channels = inputs.input.shape[4] as number;
  const gradient = zeros(backend, inputs.input.shape);
  const [x, dy, dx] = [floats(backend, inputs.input), floats(backend, inputs.dy), floats(backend, gradient)];
  const place = new Int32Array(dy.length).fill(-1);
  forEachPlace(windows, (output, input) => {
    for (let c = 0; c < channels; c++) {
      const [at, candidate] = [output * channels + c, input * channels + c];
      const best = place[at] as number;
      if (best < 0 || (x[candidate] as number) > (x[best] as number)) place[at] = candidate;
    }
  });
  place.forEach((at, output) => {
    if (at >= 0) dx[at] = (dx[at] as number) + (dy[output] as number);
  });
  return gradient;
}

type Conv3DInfo = backend_util.Conv3DInfo;

function convWindows(shape: readonly number[], filter: Shape5D, strides: Three, pad: "same" | "valid"): Conv3DInfo {
  return backend_util.computeConv3DInfo(shape as Shape5D, filter, strides, 1, pad);
}

function poolWindows(shape: readonly number[], attrs: MaxPool3DAttrs | MaxPool3DGradAttrs): Conv3DInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const [size, steps] = [filterSize as Three, strides as Three];
  return backend_util.computePool3DInfo(shape as Shape5D, size, steps, 1, pad as "same" | "valid", dimRoundingMode);
}

/** Where taps of a window meet outputs and inputs along one axis. */
type Meetings = readonly (readonly [output: number, input: number, tap: number])[];

function meetings(outputs: number, inputs: number, window: number, stride: number, padding: number): Meetings {
  return Array.from({ length: outputs }, (_, output) => output).flatMap((output) =>
    Array.from({ length: window }, (_, tap) => [output, output * stride - padding + tap, tap] as const).filter(
      ([, input]) => input >= 0 && input < inputs,
    ),
  );
}

/** Calls `visit` with the numbers of an output place, an input place of its window, and the place in the window. */
function forEachPlace(info: Conv3DInfo, visit: (output: number, input: number, tap: number) => void): void {
  const { inDepth, inHeight, inWidth, outDepth, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  const depths = meetings(outDepth, inDepth, info.filterDepth, info.strideDepth, padInfo.front);
  const rows = meetings(outHeight, inHeight, filterHeight, info.strideHeight, padInfo.top);
  const columns = meetings(outWidth, inWidth, filterWidth, info.strideWidth, padInfo.left);
  for (let volume = 0; volume < info.batchSize; volume++) {
    for (const [outPlane, inPlane, tapPlane] of depths) {
      for (const [outRow, inRow, tapRow] of rows) {
        const output = ((volume * outDepth + outPlane) * outHeight + outRow) * outWidth;
        const input = ((volume * inDepth + inPlane) * inHeight + inRow) * inWidth;
        const tap = (tapPlane * filterHeight + tapRow) * filterWidth;
        for (const [outColumn, inColumn, tapColumn] of columns) {
          visit(output + outColumn, input + inColumn, tap + tapColumn);
        }
      }
    }
  }
}
