/** @file Why a task is answered as it is: where in an image the answer comes from, by Grad-CAM or SmoothGrad. */
import * as tf from "@tensorflow/tfjs-core";
import { at as itemAt, f32At } from "../../arrays.js";
import type { TaskNode } from "../../flow/graph.js";
import type { InputBatch } from "../model/input-batch.js";
import { featureTensors, layersBefore, type Layer, whileReplaced } from "../model/layer-graph.js";
import type { Network } from "../model/network.js";
import { columnsOf, relativeToLargest } from "./receptive-field.js";

/** What is asked about one answer to one row. */
export interface AskedAnswer {
  readonly task: TaskNode;
  /** Index among the task's logits. */
  readonly logit: number;
  /** −1: why the logit is as low as it is. */
  readonly sign: 1 | -1;
}

/** How much each pixel speaks for an answer, and how that was found. */
export interface Saliency {
  readonly method: "grad-cam" | "smoothgrad";
  /** [height × width], 1 is the most of all pixels. */
  readonly influence: Float32Array;
}

/** A map is worth looking at from so many places along a side. */
const FEWEST_PLACES = 3;

/**
 * Grad-CAM, where the trunk has a map of at least 3 × 3 places before the task's feature: the last one, each channel
 * weighted by the mean gradient of the logit over its places, and what is negative left out (Selvaraju et al., "Grad-CAM:
 * Visual Explanations from Deep Networks via Gradient-based Localization", 2017).
 * @param inputs of one row
 * @param size [height, width] of the image
 * @returns null where the trunk has no such map, or nothing in it speaks for the answer
 */
export function gradCam(
  network: Network,
  inputs: InputBatch,
  { task, logit, sign }: AskedAnswer,
  size: readonly [number, number],
): Saliency | null {
  const found = lastMap(network, task);
  if (found === null) return null;
  const { layer, shape } = found;
  const { offset } = columnsOf(network, task);
  const influence = tf.tidy(() => {
    const tensors = network.inputTensors(inputs, 1);
    let map: tf.Tensor | null = null;
    // the gradient with respect to what is added to the map is that with respect to the map
    const logitOf = (added: tf.Tensor): tf.Tensor =>
      whileReplaced(
        [layer],
        (original) => (given, options) => {
          const [own] = [original(given, options)].flat();
          if (own === undefined) throw new Error("a layer put out nothing");
          // the gradient's own scope would dispose of it
          map = tf.keep(tf.clone(own));
          return tf.add(own, added);
        },
        () => tf.mul(sign, tf.sum(tf.slice(network.logitsOf(tensors, false), [0, offset + logit], [1, 1]))),
      );
    const gradient = tf.grad(logitOf)(tf.zeros([1, ...shape]));
    if (map === null) return new Float32Array(0);
    const weights = tf.mean(gradient, [1, 2], true);
    const kept = map as tf.Tensor;
    const summed = tf.relu(tf.sum(tf.mul(weights, kept), -1, true)) as tf.Tensor4D;
    kept.dispose();
    return tf.image
      .resizeBilinear(summed, [...size], false, true)
      .dataSync<"float32">()
      .slice();
  });
  if (influence.every((value) => !(value > 0))) return null;
  return { method: "grad-cam", influence: relativeToLargest(influence) };
}

/** A layer that puts out a map, and the map's height, width and channels. */
interface MapLayer {
  readonly layer: Layer;
  readonly shape: readonly [number, number, number];
}

/** The last layer before a task's feature that puts out a map of channels, and not too small a one. */
function lastMap(network: Network, { feature }: TaskNode): MapLayer | null {
  const { model, graph } = network;
  const tensor = featureTensors(model, graph).get(feature ?? "");
  if (tensor === undefined) return null;
  const before = layersBefore([tensor]);
  const maps = network.layers.flatMap((layer): MapLayer[] => {
    const [, height, width, channels, ...more] = layer.outputShape;
    const isInput = layer.getClassName() === "InputLayer";
    if (!before.has(layer) || isInput || more.length > 0) return [];
    if (typeof height !== "number" || typeof width !== "number" || typeof channels !== "number") return [];
    return Math.min(height, width) < FEWEST_PLACES ? [] : [{ layer, shape: [height, width, channels] }];
  });
  return maps.at(-1) ?? null;
}

/** Noisy copies of the image. */
const COPIES = 32;
const COPIES_AT_ONCE = 8;
/** Deviation of the noise, as a share of the range of pixels. */
const NOISE = 0.15;
/** Deviation of the final blur, as a share of the shorter side: wider than the strides of a trunk, whose pattern it takes out. */
const BLUR = 1 / 24;

/**
 * SmoothGrad: the mean over noisy copies of the image of the logit's gradient, its largest magnitude over the channels
 * (Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017). The mean is over squares of gradients, as their
 * SG-SQ has it, since gradients of answers that are numbers change their sign from place to place; a blur takes out the
 * pattern that strides leave.
 * @param image name of the input
 * @param seed of the noise
 */
export function smoothGrad(
  network: Network,
  inputs: InputBatch,
  image: string,
  { task, logit }: AskedAnswer,
  seed: number,
): Saliency {
  const { offset } = columnsOf(network, task);
  const place = Object.keys(network.inputs).indexOf(image);
  const squares = tf.tidy(() => {
    const tensors = network.inputTensors(inputs, 1);
    const own = itemAt(tensors, place);
    let sum: tf.Tensor = tf.zerosLike(own);
    for (let first = 0; first < COPIES; first += COPIES_AT_ONCE) {
      sum = tf.tidy(() => {
        const many = tensors.map((tensor) => tf.tile(tensor, [COPIES_AT_ONCE, ...tensor.shape.slice(1).map(() => 1)]));
        const copies = itemAt(many, place);
        const noisy = tf.add(copies, tf.randomNormal(copies.shape, 0, NOISE, "float32", seed + first));
        const logitOf = (pixels: tf.Tensor): tf.Tensor =>
          tf.sum(tf.slice(network.logitsOf(many.with(place, pixels), false), [0, offset + logit], [COPIES_AT_ONCE, 1]));
        return tf.add(sum, tf.sum(tf.square(tf.grad(logitOf)(noisy)), 0, true));
      });
    }
    return tf.sqrt(tf.max(sum, -1)).dataSync<"float32">().slice();
  });
  const [, height = 0, width = 0] = itemAt(network.model.inputs, place).shape;
  return { method: "smoothgrad", influence: relativeToLargest(blurred(squares, height ?? 0, width ?? 0)) };
}

/** A Gaussian blur, along one side and then the other; beyond an edge its pixels go on. */
function blurred(values: Float32Array, height: number, width: number): Float32Array {
  const deviation = Math.max(1, BLUR * Math.min(height, width));
  const reach = Math.ceil(2.5 * deviation);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)));
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const within = (place: number, length: number): number => Math.min(length - 1, Math.max(0, place));
  const along = (from: Float32Array, at: (row: number, column: number, step: number) => number): Float32Array =>
    from.map((_, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      return kernel.reduce((sum, weight, k) => sum + weight * f32At(from, at(row, column, k - reach)), 0) / total;
    });
  const rows = along(values, (row, column, step) => row * width + within(column + step, width));
  return along(rows, (row, column, step) => within(row + step, height) * width + column);
}
