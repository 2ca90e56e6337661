/** @file Dilated convolutions as ops that have gradients. */
import * as tf from "@tensorflow/tfjs-core";
import { type Layer, replaceCall, withInnerLayers } from "./layer-graph.js";

/** What a Conv2D layer of tfjs-layers is made of. */
interface Conv2D {
  readonly kernel: { read(): tf.Tensor4D };
  readonly bias: { read(): tf.Tensor1D } | null;
  readonly strides: [number, number];
  readonly padding: "same" | "valid";
  readonly dataFormat: "channelsFirst" | "channelsLast";
  readonly dilationRate: [number, number];
  readonly activation: { apply(x: tf.Tensor): tf.Tensor };
}

/**
 * tfjs-layers computes a convolution and its bias as one op, unless an activation follows that it knows to fuse. That op
 * has no gradient under dilation, where the convolution alone has one.
 */
export function unfuseDilated(layers: Iterable<Layer>): void {
  for (const layer of withInnerLayers(layers)) {
    if (layer.getClassName() !== "Conv2D") continue;
    const conv = layer as unknown as Conv2D;
    if (conv.dataFormat !== "channelsLast" || conv.dilationRate.every((rate) => rate === 1)) continue;
    replaceCall(layer, () => (inputs) => tf.tidy(() => convolve(conv, [inputs].flat()[0] as tf.Tensor4D)));
  }
}

function convolve({ kernel, bias, strides, padding, dilationRate, activation }: Conv2D, x: tf.Tensor4D): tf.Tensor {
  const convolved = tf.conv2d(x, kernel.read(), strides, padding, "NHWC", dilationRate);
  return activation.apply(bias === null ? convolved : tf.add(convolved, bias.read()));
}
