/** @file Dilated convolutions made trainable: gradients that tfjs refuses, and layers that ask it for others. */
import * as tf from "@tensorflow/tfjs-core";
// tfjs-layers registers the stock gradients in Node: before ours, which wrap them
import "@tensorflow/tfjs-layers";
import { type Layer, replaceCall } from "./replace-call.js";

/** For each convolution, its gradient kernels by filter and by input. */
const CONVOLUTIONS = [
  { kernelName: tf.Conv2D, byFilter: tf.Conv2DBackpropFilter, byInput: tf.Conv2DBackpropInput },
  {
    kernelName: tf.DepthwiseConv2dNative,
    byFilter: tf.DepthwiseConv2dNativeBackpropFilter,
    byInput: tf.DepthwiseConv2dNativeBackpropInput,
  },
] as const;

let isRegistered = false;

/** Gives dilated convolutions gradients; tfjs-core refuses dilations above 1. A second call does nothing. */
export function registerDilatedGradients(): void {
  if (isRegistered) return;
  isRegistered = true;
  for (const { kernelName, byFilter, byInput } of CONVOLUTIONS) {
    tf.registerGradient(withDilations(tf.getGradient(kernelName), byFilter, byInput));
  }
}

/**
 * The stock gradient, except of dilated convolutions: on wasm by its gradient kernels here, which know dilations,
 * elsewhere by the stock gradient of the same convolution without dilation, whose filter has zeros in between.
 */
function withDilations(stock: tf.GradConfig, byFilter: string, byInput: string): tf.GradConfig {
  return {
    ...stock,
    gradFunc: (dy, saved, attrs) => {
      const dilations = dilationsOf(attrs);
      if (dilations.every((dilation) => dilation === 1)) return stock.gradFunc(dy, saved, attrs);
      const [x, filter] = saved as [tf.Tensor, tf.Tensor4D];
      if (tf.engine().backendName === "wasm") {
        const dyTensor = dy as tf.Tensor;
        return {
          x: () =>
            tf.engine().runKernel<tf.Tensor>(byInput, { dy: dyTensor, filter }, { ...attrs, inputShape: x.shape }),
          filter: () =>
            tf.engine().runKernel<tf.Tensor>(byFilter, { x, dy: dyTensor }, { ...attrs, filterShape: filter.shape }),
        };
      }
      const wide = stock.gradFunc(dy, [x, spreadOut(filter, dilations)], { ...attrs, dilations: [1, 1] });
      return {
        x: wide.x as () => tf.Tensor,
        filter: () => everyTap((wide.filter as () => tf.Tensor4D)(), dilations),
      };
    },
  };
}

type Dilations = readonly [height: number, width: number];

/** Of the attributes of a convolution kernel; 1 where none are given. */
export function dilationsOf(attrs: tf.NamedAttrMap): Dilations {
  const [height = 1, width = height] = [(attrs.dilations as number | readonly number[] | null | undefined) ?? 1].flat();
  return [height, width];
}

/** [height, width, in, out] with zeros between its taps: without dilation it convolves as the given one with it. */
export function spreadOut(filter: tf.Tensor4D, [down, across]: Dilations): tf.Tensor4D {
  const [height, width, inChannels, outChannels] = filter.shape;
  // one axis at a time: webgpu pads nothing of more than four
  const rows = followedByZeros(tf.reshape(filter, [height, 1, width * inChannels * outChannels]), down - 1);
  const taps = followedByZeros(tf.reshape(rows, [height * down * width, 1, inChannels * outChannels]), across - 1);
  const wide = tf.reshape(taps, [height * down, width * across, inChannels, outChannels]);
  const size = [(height - 1) * down + 1, (width - 1) * across + 1, inChannels, outChannels];
  return tf.slice(wide, [0, 0, 0, 0], size) as tf.Tensor4D;
}

/** [n, 1, m] → [n, 1 + count, m] */
function followedByZeros(lines: tf.Tensor, count: number): tf.Tensor {
  const none: [number, number] = [0, 0];
  return tf.pad(lines, [none, [0, count], none]);
}

/** Of the gradient by a filter that is spread out, that of the taps that exist. */
function everyTap(gradient: tf.Tensor4D, [down, across]: Dilations): tf.Tensor {
  return tf.stridedSlice(gradient, [0, 0, 0, 0], gradient.shape, [down, across, 1, 1]);
}

interface ConvLayer {
  readonly dilationRate: readonly number[];
  readonly strides: readonly number[];
  readonly padding: string;
  readonly dataFormat: string;
  readonly kernel: { read(): tf.Tensor4D };
  readonly bias: { read(): tf.Tensor } | null;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
}

/**
 * Layers compute a dilated conv2d step by step. tfjs-layers takes the fused kernel for it, unless its activation is one
 * of two, and that one has a gradient of its own, which refuses dilations.
 */
export function trainDilated(layers: readonly Layer[]): void {
  registerDilatedGradients();
  for (const layer of layers) {
    if (layer.getClassName() !== "Conv2D") continue;
    const { dilationRate, strides, padding, dataFormat, kernel, bias, activation } = layer as unknown as ConvLayer;
    if (dataFormat === "channelsFirst" || [dilationRate].flat().every((dilation) => dilation === 1)) continue;
    replaceCall(
      layer,
      () => (inputs) =>
        tf.tidy(() => {
          const [x] = [inputs].flat() as [tf.Tensor4D];
          const pad = padding as "same" | "valid";
          const convolved = tf.conv2d(x, kernel.read(), pairOf(strides), pad, "NHWC", pairOf(dilationRate));
          const output = bias === null ? convolved : tf.add(convolved, bias.read());
          return activation?.apply(output) ?? output;
        }),
    );
  }
}

function pairOf(values: readonly number[]): [number, number] {
  const [first = 1, second = first] = [values].flat();
  return [first, second];
}
