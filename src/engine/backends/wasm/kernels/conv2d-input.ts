/** @file Gradient of conv2d by its input, as forward convolutions, which XNNPACK computes fast. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import {
  Conv2DBackpropInput,
  type Conv2DBackpropInputAttrs,
  type Conv2DBackpropInputInputs,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { at, f32At } from "../../../../arrays.js";
import { convInfo, convolve, type Dilated } from "./conv2d.js";
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

/** Gradient of a convolution with respect to its input. */
export const conv2dBackpropInput = wasmKernel<Conv2DBackpropInputInputs, Conv2DBackpropInputAttrs & Dilated>(
  Conv2DBackpropInput,
  backpropInput,
);

/** How one axis of dx splits into `stride` interleaved parts, each a stride-1 convolution of dy. */
interface AxisPhases {
  readonly stride: number;
  /** Distance of neighbouring filter taps. */
  readonly dilation: number;
  /** Taps of each part; a part without taps is zero. */
  readonly taps: readonly number[];
  /** Padding of dy before, less the taps of the part: `taps + before` rows of padding. */
  readonly before: number;
  readonly after: number;
  /** Where dx starts among the interleaved rows. */
  readonly start: number;
}

/**
 * Row h of dx gets `sum over k of filter[k] dy[o]` where `o * stride + k - pad = h`. With h + pad = q * stride + r
 * only taps k = r + stride * t count, each with o = q - t: a convolution per remainder r, without the zeros that
 * a single convolution of the spread-out dy would multiply.
 */
function axisPhases(
  stride: number,
  dilation: number,
  effectiveTaps: number,
  pad: number,
  inSize: number,
  outSize: number,
): AxisPhases {
  const firstQ = Math.floor(pad / stride);
  const endQ = Math.max(Math.ceil((inSize + pad) / stride), outSize);
  const taps = Array.from({ length: stride }, (_, r) => {
    const count = Math.ceil((effectiveTaps - r) / stride);
    // taps of weight zero where the padding is wider than the filter, so that no padding becomes negative
    return count <= 0 ? 0 : Math.max(count, firstQ + 1);
  });
  return { stride, dilation, taps, before: -1 - firstQ, after: endQ - outSize, start: pad - firstQ * stride };
}

/**
 * Gradient of conv2d by its input: dy [batch, outHeight, outWidth, out], filter [filterHeight, filterWidth, in, out]
 * → [batch, height, width, in]. One convolution for each row remainder; its channels hold all column remainders.
 */
function backpropInput(call: KernelCall<Conv2DBackpropInputInputs, Conv2DBackpropInputAttrs & Dilated>): TensorInfo {
  const { backend, attrs } = call;
  const { dy, filter } = call.inputs;
  const info = convInfo(attrs.inputShape, filter.shape, attrs);
  const { inHeight, inWidth, inChannels, padInfo } = info;
  const rows = axisPhases(
    info.strideHeight,
    info.dilationHeight,
    info.effectiveFilterHeight,
    padInfo.top,
    inHeight,
    info.outHeight,
  );
  const columns = axisPhases(
    info.strideWidth,
    info.dilationWidth,
    info.effectiveFilterWidth,
    padInfo.left,
    inWidth,
    info.outWidth,
  );
  const parts = rows.taps.map((_, remainder) => rowPart(backend, dy, filter, rows, columns, remainder));
  const interleaved = interleaveRows(backend, parts, inChannels);
  const dx = cropped(backend, interleaved, [rows.start, columns.start], [inHeight, inWidth]);
  dispose(backend, interleaved);
  return dx;
}

/** Rows of dx (before cropping) whose index leaves `remainder`: [batch, rows, columns, strideWidth * in]. */
function rowPart(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  rows: AxisPhases,
  columns: AxisPhases,
  remainder: number,
): TensorInfo {
  const taps = at(rows.taps, remainder);
  const columnTaps = Math.max(...columns.taps);
  const [batch, outHeight, outWidth, outChannels] = dy.shape as Shape4D;
  const channels = columns.stride * at(filter.shape, 2);
  if (taps === 0) {
    const height = outHeight + rows.before + rows.after + 1;
    const width = outWidth + columns.before + columns.after + 1;
    return zeros(backend, [batch, height, width, channels]);
  }
  const part = zeros(backend, [taps, columnTaps, outChannels, channels]);
  fillPart(backend, filter, part, rows, columns, remainder);
  const out = convolve(backend, dy, part, {
    pad: [taps + rows.before, rows.after, columnTaps + columns.before, columns.after],
    dilations: [1, 1],
  });
  dispose(backend, part);
  return out;
}

/** Copies the taps of one row remainder, flipped and with in and out exchanged, into the filter `part`. */
function fillPart(
  backend: BackendWasm,
  filter: TensorInfo,
  part: TensorInfo,
  rows: AxisPhases,
  columns: AxisPhases,
  remainder: number,
): void {
  const [filterHeight, filterWidth, inChannels, outChannels] = filter.shape as Shape4D;
  const [taps, columnTaps, , channels] = part.shape as Shape4D;
  const from = floats(backend, filter);
  const to = floats(backend, part);
  for (let row = 0; row < filterHeight; row++) {
    const position = row * rows.dilation;
    if (position % rows.stride !== remainder) continue;
    const partRow = taps - 1 - Math.floor(position / rows.stride);
    for (let column = 0; column < filterWidth; column++) {
      const across = column * columns.dilation;
      const partColumn = columnTaps - 1 - Math.floor(across / columns.stride);
      const toStart = (partRow * columnTaps + partColumn) * outChannels * channels;
      const phase = (across % columns.stride) * inChannels;
      let source = (row * filterWidth + column) * inChannels * outChannels;
      for (let c = 0; c < inChannels; c++) {
        let target = toStart + phase + c;
        for (let k = 0; k < outChannels; k++, source++, target += channels) to[target] = f32At(from, source);
      }
    }
  }
}

/** Rows of each remainder in turn, and columns out of the channels → [batch, rows, columns, in]; consumes the parts. */
function interleaveRows(backend: BackendWasm, parts: readonly TensorInfo[], inChannels: number): TensorInfo {
  const first = at(parts, 0);
  const [batch, height, width, channels] = first.shape as Shape4D;
  const shape = [batch, height * parts.length, (width * channels) / inChannels, inChannels];
  if (parts.length === 1) return { ...first, shape };
  const lines = parts.map((part) => viewAs(part, [batch * height, 1, width * channels]));
  const out = runKernel(backend, "Concat", lines, { axis: 1 });
  dispose(backend, ...parts);
  return { ...out, shape };
}
