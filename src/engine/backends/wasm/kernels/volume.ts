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
import { at as itemAt, f32At, i32At } from "../../../../arrays.js";
import { floats, type KernelCall, wasmKernel, zeros } from "./kernel.js";

type Shape5D = [number, number, number, number, number];
type Three = number | [number, number, number];

/** Gradients of convolutions over volumes, and maximum pools with theirs. */
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
      const value = f32At(x, input * from + i);
      const row = (tap * from + i) * to;
      for (let o = 0; o < to; o++) dw[row + o] = f32At(dw, row + o) + value * f32At(dy, output * to + o);
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
      for (let o = 0; o < to; o++) sum += f32At(w, row + o) * f32At(dy, output * to + o);
      dx[input * from + i] = f32At(dx, input * from + i) + sum;
    }
  });
  return gradient;
}

/** [batch, depth, height, width, channels] → the largest of each window. */
function maxPool({ inputs, attrs, backend }: KernelCall<MaxPool3DInputs, MaxPool3DAttrs>): TensorInfo {
  const windows = poolWindows(inputs.x.shape, attrs);
  const channels = itemAt(inputs.x.shape, 4);
  const result = zeros(backend, windows.outShape);
  const [x, y] = [floats(backend, inputs.x), floats(backend, result)];
  y.fill(Number.NEGATIVE_INFINITY);
  forEachPlace(windows, (output, input) => {
    for (let c = 0; c < channels; c++) {
      const at = output * channels + c;
      y[at] = Math.max(f32At(y, at), f32At(x, input * channels + c));
    }
  });
  return result;
}

/** The gradient goes to the first maximum of each window. */
function maxPoolGradient({ inputs, attrs, backend }: KernelCall<MaxPool3DGradInputs, MaxPool3DGradAttrs>): TensorInfo {
  const windows = poolWindows(inputs.input.shape, attrs);
  const channels = itemAt(inputs.input.shape, 4);
  const gradient = zeros(backend, inputs.input.shape);
  const [x, dy, dx] = [floats(backend, inputs.input), floats(backend, inputs.dy), floats(backend, gradient)];
  const place = new Int32Array(dy.length).fill(-1);
  forEachPlace(windows, (output, input) => {
    for (let c = 0; c < channels; c++) {
      const [at, candidate] = [output * channels + c, input * channels + c];
      const best = i32At(place, at);
      if (best < 0 || f32At(x, candidate) > f32At(x, best)) place[at] = candidate;
    }
  });
  place.forEach((at, output) => {
    if (at >= 0) dx[at] = f32At(dx, at) + f32At(dy, output);
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
