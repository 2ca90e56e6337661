/** @file The randomness of layers as inputs of a graph: drawn outside, in the order and from the seed of an eager step. */
import * as tf from "@tensorflow/tfjs-core";
import type { Layer } from "../model/layer-graph.js";
import { UntraceableError } from "./untraceable.js";

/** Random numbers that one layer draws in every step. */
export interface Noise {
  readonly shape: readonly number[];
  /** Draws them from tfjs's generators, which follow `Math.random` where the layer has no seed. */
  readonly draw: () => Float32Array;
}

interface RandomLayer extends Layer {
  readonly rate: number;
  readonly stddev: number;
  readonly seed?: number;
  getNoiseShape(input: tf.Tensor): number[];
  _getNoiseShape(inputs: tf.Tensor | tf.Tensor[]): number[];
}

/** Gives a noise its place in the graph. */
type Place = (noise: Noise) => tf.Tensor;

/**
 * What each random layer of tfjs-layers 4.22 computes in training, with its draw taken out. The formulas are theirs, in
 * their order of operations, so that a graph and an eager step agree bit by bit on what is dropped.
 */
const randomLayers: Readonly<Record<string, (layer: RandomLayer, x: tf.Tensor, place: Place) => tf.Tensor>> = {
  Dropout: drop,
  SpatialDropout1D: drop,
  GaussianNoise: (layer, x, place) => tf.add(place(normal(x.shape, 0, layer.stddev)), x),
  GaussianDropout(layer, x, place) {
    if (!isRate(layer.rate)) return x;
    return tf.mul(x, place(normal(x.shape, 1, Math.sqrt(layer.rate / (1 - layer.rate)))));
  },
  AlphaDropout(layer, x, place) {
    if (!isRate(layer.rate)) return x;
    // Klambauer et al. (2017): dropped units take the value that self-normalizing networks saturate at
    const saturation = -1.6732632423543772 * 1.0507009873554805;
    const kept = tf.cast(tf.greaterEqual(place(uniform(layer._getNoiseShape(x))), layer.rate), "float32");
    const scale = ((1 - layer.rate) * (1 + layer.rate * saturation ** 2)) ** -0.5;
    const shift = -scale * saturation * layer.rate;
    const dropped = tf.add(tf.mul(x, kept), tf.mul(tf.add(kept, -1), saturation));
    return tf.add(tf.mul(dropped, scale), shift);
  },
};

function drop(layer: RandomLayer, x: tf.Tensor, place: Place): tf.Tensor {
  if (!isRate(layer.rate)) return x;
  const noiseShape = layer.getNoiseShape(x) ?? x.shape;
  const shape = noiseShape.map((size, axis) => size ?? (x.shape[axis] as number));
  return thin(x, layer.rate, place(uniform(shape, layer.seed)));
}

/** Inverted dropout: Srivastava et al. (2014). */
function thin(x: tf.Tensor, rate: number, noise: tf.Tensor): tf.Tensor {
  const keep = 1 - rate;
  return tf.mul(x, tf.div(tf.floor(tf.add(noise, keep)), keep));
}

/** The part of a recurrent layer that drops inputs and states. */
interface RecurrentCell {
  dropoutFunc?: ((x: tf.Tensor, rate: number) => tf.Tensor) | undefined;
  readonly cells?: readonly RecurrentCell[];
}

function cellsOf(layers: readonly Layer[]): RecurrentCell[] {
  const cells = layers.flatMap(({ cell }: Layer & { cell?: RecurrentCell }) => (cell === undefined ? [] : [cell]));
  return cells.flatMap((cell) => cell.cells ?? [cell]);
}

/** Layers with a rate outside (0, 1) drop nothing. */
function isRate(rate: number): boolean {
  return rate > 0 && rate < 1;
}

function uniform(shape: number[], seed?: number): Noise {
  return { shape, draw: () => valuesOf(() => tf.randomUniform(shape, 0, 1, "float32", seed)) };
}

function normal(shape: number[], mean: number, deviation: number): Noise {
  return { shape, draw: () => valuesOf(() => tf.randomNormal(shape, mean, deviation)) };
}

function valuesOf(make: () => tf.Tensor): Float32Array {
  return tf.tidy(() => make().dataSync() as Float32Array);
}

/**
 * Runs `work` while the random layers among `layers` take their noise from `place`.
 * @throws UntraceableError where anything else draws random numbers
 */
export function whileNoiseIsPlaced<T>(layers: readonly Layer[], place: Place, work: () => T): T {
  const random = layers.filter((layer): layer is RandomLayer => layer.getClassName() in randomLayers);
  let draws = 0;
  const generator = Math.random;
  Math.random = () => {
    draws += 1;
    return generator();
  };
  const placeCounted: Place = (noise) => {
    const before = draws;
    const tensor = place(noise);
    draws = before;
    return tensor;
  };
  const before = random.map((layer) => Object.getOwnPropertyDescriptor(layer, "call"));
  for (const layer of random) {
    const compute = randomLayers[layer.getClassName()] as (typeof randomLayers)[string];
    const infer = layer.call.bind(layer);
    layer.call = (inputs, options) => {
      const [x] = [inputs].flat() as [tf.Tensor];
      return options.training === true ? tf.tidy(() => compute(layer, x, placeCounted)) : infer(inputs, options);
    };
  }
  const cells = cellsOf(layers);
  const functions = cells.map(({ dropoutFunc }) => dropoutFunc);
  for (const cell of cells) {
    cell.dropoutFunc = (x, rate) => thin(x, rate, placeCounted(uniform(x.shape)));
  }
  try {
    const result = work();
    if (draws > 0) throw new UntraceableError("a layer draws random numbers in a way of its own");
    return result;
  } finally {
    Math.random = generator;
    cells.forEach((cell, i) => {
      cell.dropoutFunc = functions[i];
    });
    random.forEach((layer, i) => {
      Reflect.deleteProperty(layer, "call");
      const own = before[i];
      if (own !== undefined) Object.defineProperty(layer, "call", own);
    });
  }
}
