/** @file Which pixels of an image a logit looks at: by the gradient at this image, and by the layers alone. */
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { at, at as itemAt, f32At } from "../../arrays.js";
import type { TaskNode } from "../../flow/graph.js";
import { trainDilated } from "../backends/dilated.js";
import { featureTensors, withInnerLayers } from "../model/layer-graph.js";
import type { TaskColumns } from "../model/layout.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";

/** Per pixel of one image, [height × width]. */
export interface PixelInfluence {
  /** Magnitude of the logit's gradient, the largest of the channels; 1 is the most of all pixels. */
  readonly influence: Float32Array;
  /** 1 where a change of the pixel can change the logit at all. */
  readonly reachable: Uint8Array;
}

/**
 * @param inputs of one row
 * @param image name of the input whose pixels are asked about
 * @param logit index among the task's logits
 */
export async function pixelInfluence(
  network: Network,
  inputs: InputBatch,
  image: string,
  task: TaskNode,
  logit: number,
): Promise<PixelInfluence> {
  const influence = logitGradient(network, inputs, image, task, logit);
  const passes = await structuralGradient(network, inputs, image, task);
  // what does move the logit can move it, whatever the layers are
  const reachable = Uint8Array.from(passes, (pass, pixel) => (pass > 0 || f32At(influence, pixel) > 0 ? 1 : 0));
  return { influence: relativeToLargest(influence), reachable };
}

/**
 * |∂logit/∂pixel|, the largest of the channels: the saliency map of Simonyan, Vedaldi & Zisserman, "Deep Inside
 * Convolutional Networks: Visualising Image Classification Models and Saliency Maps" (2014), §3.
 */
function logitGradient(
  network: Network,
  inputs: InputBatch,
  image: string,
  task: TaskNode,
  logit: number,
): Float32Array {
  const { offset } = columnsOf(network, task);
  return tf.tidy(() => {
    const tensors = network.inputTensors(inputs, 1);
    const at = Object.keys(network.inputs).indexOf(image);
    const logitOf = (pixels: tf.Tensor): tf.Tensor =>
      tf.sum(tf.slice(network.logitsOf(tensors.with(at, pixels), false), [0, offset + logit], [1, 1]));
    return perPixel(tf.grad(logitOf)(itemAt(tensors, at)));
  });
}

/**
 * The gradient of the task's feature in a network of the same layers in which nothing is lost: every weight is positive
 * and averages what it reads, activations and normalizations pass on what they get, pools average. So it is positive
 * exactly where a path leads from the pixel to the feature.
 */
async function structuralGradient(
  network: Network,
  inputs: InputBatch,
  image: string,
  task: TaskNode,
): Promise<Float32Array> {
  const model = await averagingModel(network.model);
  const feature = featureTensors(model, network.graph).get(task.feature ?? "") as tfl.SymbolicTensor;
  const toFeature = tfl.model({ inputs: model.inputs, outputs: feature });
  try {
    return tf.tidy(() => {
      const tensors = network.inputTensors(inputs, 1);
      const at = Object.keys(network.inputs).indexOf(image);
      const featureOf = (pixels: tf.Tensor): tf.Tensor =>
        tf.mean(toFeature.apply(tensors.with(at, pixels)) as tf.Tensor);
      return perPixel(tf.grad(featureOf)(tf.onesLike(itemAt(tensors, at))));
    });
  } finally {
    model.dispose();
  }
}

/** Where a task's logits lie: one entry per task, in the order of the graph. */
export function columnsOf({ layout }: Network, { index }: TaskNode): TaskColumns {
  return at(layout.columns, index);
}

/** [1, height, width, channels] → the largest magnitude of the channels, [height × width]. */
function perPixel(gradient: tf.Tensor): Float32Array {
  return tf.max(tf.abs(gradient), -1).dataSync<"float32">().slice();
}

/** Divided by the largest of them, unless that is 0. */
export function relativeToLargest(values: Float32Array): Float32Array {
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  return largest === 0 ? values : values.map((value) => value / largest);
}

/** A copy of a model in which nothing is lost: see `structuralGradient`. */
export async function averagingModel(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  const topology = averaging(model.toJSON(undefined, false)) as tfl.ModelAndWeightsConfig["modelTopology"];
  const copy = await tfl.models.modelFromJSON(topology);
  trainDilated(withInnerLayers(copy.layers));
  for (const layer of copy.layers) {
    const weights = layer.weights.map(({ originalName, shape }) => averagingWeight(originalName, shape as number[]));
    layer.setWeights(weights);
    tf.dispose(weights);
  }
  return copy;
}

/** Layers that pass on what they get, as far as it matters which pixels that is. */
const PASSING = new Set([
  "Activation",
  "BatchNormalization",
  "ELU",
  "LayerNormalization",
  "LeakyReLU",
  "PReLU",
  "ReLU",
  "Softmax",
  "ThresholdedReLU",
]);

/** Layers that choose among what they read, and what reads all of it. */
const AVERAGING: Readonly<Record<string, string>> = {
  MaxPooling1D: "AveragePooling1D",
  MaxPooling2D: "AveragePooling2D",
  GlobalMaxPooling1D: "GlobalAveragePooling1D",
  GlobalMaxPooling2D: "GlobalAveragePooling2D",
  Maximum: "Average",
  Minimum: "Average",
  Multiply: "Average",
};

/** The topology with layers that lose nothing in the place of those that may. */
function averaging(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(averaging);
  if (typeof json !== "object" || json === null) return json;
  const { class_name: name, config } = json as { readonly class_name?: string; readonly config?: { name?: string } };
  if (name !== undefined && PASSING.has(name)) {
    return { ...json, class_name: "Activation", config: { name: config?.name, activation: "linear" } };
  }
  const entries = Object.entries(json).map(([key, value]): [string, unknown] => {
    if (key === "activation" || key === "recurrent_activation") return [key, "linear"];
    if (key === "class_name") return [key, AVERAGING[value as string] ?? value];
    return [key, averaging(value)];
  });
  return Object.fromEntries(entries);
}

/** Weights of which each output is the mean of what it reads, so that nothing grows or dies out on the way. */
function averagingWeight(name: string, shape: number[]): tf.Tensor {
  if (name.endsWith("bias")) return tf.zeros(shape);
  // a depthwise kernel is [height, width, channels, multiplier] and reads one channel
  const read = name.includes("depthwise") ? shape.slice(0, 2) : shape.slice(0, -1);
  return tf.fill(shape, 1 / read.reduce((product, size) => product * size, 1));
}
