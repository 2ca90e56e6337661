/** @file Layers of batch normalization that train by one op of the backend, where it has one. */
import * as tf from "@tensorflow/tfjs-core";
import { type Call, type Layer, replaceCall } from "./replace-call.js";

/**
 * Kernel of batch normalization in training: x [batch, height, width, channels], scale and offset [channels] → as many
 * numbers, their mean and their variance (the estimate: n − 1), and what the gradient reads. Only TensorFlow has it.
 */
export const NORMALIZATION = "FusedBatchNormV3";

interface LayerVariable {
  read(): tf.Tensor;
  write(value: tf.Tensor): unknown;
}

interface NormalizationLayer extends Layer {
  readonly axis: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly gamma?: LayerVariable | null;
  readonly beta?: LayerVariable | null;
  readonly movingMean: LayerVariable;
  readonly movingVariance: LayerVariable;
}

/** Done before layers are frozen, so that a frozen one goes on inferring. A layer that was replaced stays as it is. */
export function trainNormalization(layers: readonly Layer[]): void {
  for (const layer of layers) {
    if (layer.getClassName() !== "BatchNormalization" || Object.hasOwn(layer, "call")) continue;
    replaceCall(layer, (original) => normalizeAtOnce(layer as NormalizationLayer, original));
  }
}

/** What tfjs-layers computes, with the same statistics: those of the population. */
function normalizeAtOnce(layer: NormalizationLayer, original: Call): Call {
  return (inputs, options) => {
    const [input] = [inputs].flat() as [tf.Tensor];
    const isLast = layer.axis === -1 || layer.axis === input.rank - 1;
    const hasKernel = tf.getKernel(NORMALIZATION, tf.getBackend()) !== undefined;
    if (options.training !== true || !hasKernel || input.rank !== 4 || !isLast) return original(inputs, options);
    return tf.tidy(() => {
      const channels = input.shape.at(-1) ?? 0;
      const scale = layer.gamma?.read() ?? tf.ones([channels]);
      const offset = layer.beta?.read() ?? tf.zeros([channels]);
      const attrs = { epsilon: layer.epsilon };
      const results = tf.engine().runKernel<tf.Tensor[]>(NORMALIZATION, { x: input, scale, offset }, attrs);
      const [output, mean, estimate] = results as [tf.Tensor, tf.Tensor, tf.Tensor];
      const count = input.size / channels;
      moveAverage(layer.movingMean, mean, layer.momentum);
      moveAverage(layer.movingVariance, tf.mul(estimate, (count - 1) / count), layer.momentum);
      return output;
    });
  };
}

function moveAverage(variable: LayerVariable, value: tf.Tensor, momentum: number): void {
  const before = variable.read();
  variable.write(tf.sub(before, tf.mul(tf.sub(before, value), 1 - momentum)));
}
