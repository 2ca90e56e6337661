/** @file Layers of layer normalization that broadcast: tfjs-layers tiles, and the gradient of a tile is a slice per copy. */
import * as tf from "@tensorflow/tfjs-core";
import { at } from "../../arrays.js";
import { type Call, type Layer, replaceCall } from "./replace-call.js";

interface NormalizationLayer extends Layer {
  /** In ascending or any order, none below 0: the layer is built before it is called. */
  readonly axis: number | readonly number[];
  readonly epsilon: number;
  readonly gamma?: { read(): tf.Tensor } | null;
  readonly beta?: { read(): tf.Tensor } | null;
}

/** Done before layers are frozen. A layer that was replaced stays as it is. */
export function broadcastNormalization(layers: readonly Layer[]): void {
  for (const layer of layers) {
    if (layer.getClassName() !== "LayerNormalization" || Object.hasOwn(layer, "call")) continue;
    replaceCall(layer, () => normalize(layer as NormalizationLayer));
  }
}

/** What tfjs-layers computes: Ba, Kiros & Hinton (2016). */
function normalize(layer: NormalizationLayer): Call {
  return (inputs) => {
    const [input] = [inputs].flat() as [tf.Tensor];
    return tf.tidy(() => {
      const axes = [layer.axis].flat();
      const shape = input.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
      const own = standardize(input, axes, layer.epsilon);
      const scale = layer.gamma?.read();
      const offset = layer.beta?.read();
      const scaled = scale === undefined ? own : tf.mul(own, tf.reshape(scale, shape));
      return offset === undefined ? scaled : tf.add(scaled, tf.reshape(offset, shape));
    });
  };
}

/**
 * (x − mean) / √(variance + ε) over some axes, as one differentiable op. With y for what comes out and s for 1 / √(variance
 * + ε), the gradient is s · (dy − mean(dy) − y · mean(dy · y)).
 */
function standardize(x: tf.Tensor, axes: number[], epsilon: number): tf.Tensor {
  const op = tf.customGrad((input, save) => {
    const centred = tf.sub(input as tf.Tensor, tf.mean(input as tf.Tensor, axes, true));
    const slope = tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), epsilon));
    const value = tf.mul(centred, slope);
    (save as tf.GradSaveFunc)([value, slope]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [y, s] = [at(saved, 0), at(saved, 1)];
        const along = tf.mul(y, tf.mean(tf.mul(dy, y), axes, true));
        return tf.mul(tf.sub(tf.sub(dy, tf.mean(dy, axes, true)), along), s);
      },
    };
  });
  return op(x);
}
