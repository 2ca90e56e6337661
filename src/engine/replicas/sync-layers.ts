/** @file Layers that see more than their own row, made to see the whole batch where a replica has only a shard of it. */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { at as itemAt, f32At, f64At } from "../../arrays.js";
import { type Call, type Layer, replaceCall, withInnerLayers } from "../model/layer-graph.js";
import type { Exchange } from "./exchange.js";
import type { ShardPlace } from "../batches/shards.js";

/** What a replica's layers know while a step is under way. */
export interface ShardScope {
  readonly exchange: Exchange;
  /** null: what passes is no shard. */
  place: ShardPlace | null;
}

/**
 * Batch normalization takes its statistics over all shards, and noise is what it is in the whole batch. Done before
 * parts are frozen, so that a frozen layer goes on inferring.
 */
export function syncLayers(model: tfl.LayersModel, scope: ShardScope): void {
  for (const layer of withInnerLayers(model.layers)) {
    if (isNormalization(layer)) replaceCall(layer, (original) => normalizeTogether(layer, original, scope));
    else if (drawsNoise(layer)) replaceCall(layer, (original) => drawForBatch(original, scope));
  }
}

/** Most numbers that one replica brings to an exchange. */
export function exchangeSize(layers: readonly Layer[]): number {
  const sizes = withInnerLayers(layers)
    .filter(isNormalization)
    .map((layer) => channelsOf(layer));
  return 1 + 2 * Math.max(0, ...sizes);
}

interface Normalization extends Layer {
  readonly axis: number;
  readonly epsilon: number;
  readonly momentum: number;
  readonly gamma?: tfl.LayerVariable | null;
  readonly beta?: tfl.LayerVariable | null;
  readonly movingMean: tfl.LayerVariable;
  readonly movingVariance: tfl.LayerVariable;
}

function isNormalization(layer: Layer): layer is Normalization {
  return layer.getClassName() === "BatchNormalization";
}

function channelsOf({ movingMean }: Normalization): number {
  return movingMean.shape[0] ?? 0;
}

/** Ioffe & Szegedy (2015), over the rows of all shards. */
function normalizeTogether(layer: Normalization, original: Call, scope: ShardScope): Call {
  return (inputs, options) => {
    const { place } = scope;
    if (place === null || options.training !== true) return original(inputs, options);
    return tf.tidy(() => {
      const input = itemAt([inputs].flat(), 0);
      const last = input.rank - 1;
      const axis = layer.axis >= 0 ? layer.axis : layer.axis + input.rank;
      const order = [...input.shape.keys()].filter((each) => each !== axis);
      const turned = axis === last ? input : tf.transpose(input, [...order, axis]);
      const rows = tf.reshape(turned, [-1, channelsOf(layer)]) as tf.Tensor2D;
      const { normalized, mean, variance } = standardize(rows, layer.epsilon, place.rows > 0, scope.exchange);
      moveAverage(layer.movingMean, mean, layer.momentum);
      moveAverage(layer.movingVariance, variance, layer.momentum);
      const scaled = layer.gamma == null ? normalized : tf.mul(normalized, layer.gamma.read());
      const shifted = layer.beta == null ? scaled : tf.add(scaled, layer.beta.read());
      const output = tf.reshape(shifted, turned.shape);
      if (axis === last) return output;
      const back = [...order, axis];
      return tf.transpose(
        output,
        back.map((_, each) => back.indexOf(each)),
      );
    });
  };
}

function moveAverage(variable: tfl.LayerVariable, value: Float32Array, momentum: number): void {
  const before = variable.read().dataSync() as Float32Array;
  variable.write(tf.tensor1d(before.map((old, i) => old - (old - f32At(value, i)) * (1 - momentum))));
}

interface Standardized {
  readonly normalized: tf.Tensor2D;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/**
 * (x − mean) / √(variance + ε) of each channel, with the statistics of all shards, also in its gradient.
 * @param counts false where the rows stand in for none
 */
function standardize(rows: tf.Tensor2D, epsilon: number, counts: boolean, exchange: Exchange): Standardized {
  const channels = rows.shape[1];
  const { total, mean, variance } = statisticsOf(rows, counts, exchange);
  const inverse = tf.tensor1d(variance.map((value) => 1 / Math.sqrt(value + epsilon)));
  const op = tf.customGrad((x, save) => {
    const value = tf.mul(tf.sub(x as tf.Tensor2D, tf.tensor1d(mean)), inverse);
    (save as tf.GradSaveFunc)([value, inverse]);
    const gradFunc = (gradient: tf.Tensor, saved: tf.Tensor[]): tf.Tensor => {
      const [kept, scale] = saved as [tf.Tensor, tf.Tensor];
      const own = new Float64Array(2 * channels);
      if (counts) {
        own.set(tf.sum(gradient, 0).dataSync());
        own.set(tf.sum(tf.mul(gradient, kept), 0).dataSync(), channels);
      }
      const sums = sumOfParts(exchange.gather(own), own.length);
      if (!counts) return tf.zerosLike(gradient);
      const meanGradient = tf.tensor1d(Float32Array.from(sums.subarray(0, channels), (sum) => sum / total));
      const meanProduct = tf.tensor1d(Float32Array.from(sums.subarray(channels), (sum) => sum / total));
      return tf.mul(tf.sub(tf.sub(gradient, meanGradient), tf.mul(kept, meanProduct)), scale);
    };
    return { value, gradFunc: gradFunc as (gradient: tf.Tensor) => tf.Tensor };
  });
  return { normalized: op(rows) as tf.Tensor2D, mean, variance };
}

/** Mean and variance of each channel over all shards, put together as by Chan, Golub & LeVeque (1979). */
function statisticsOf(rows: tf.Tensor2D, counts: boolean, exchange: Exchange) {
  const [own, channels] = rows.shape;
  const message = new Float64Array(1 + 2 * channels);
  if (counts) {
    const { mean, squares } = tf.tidy(() => {
      const center = tf.div(tf.sum(rows, 0), own);
      return { mean: center.dataSync(), squares: tf.sum(tf.square(tf.sub(rows, center)), 0).dataSync() };
    });
    message[0] = own;
    message.set(mean, 1);
    message.set(squares, 1 + channels);
  }
  const all = exchange.gather(message);
  let total = 0;
  const mean = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let at = 0; at < all.length; at += message.length) {
    const count = f64At(all, at);
    if (count === 0) continue;
    const share = count / (total + count);
    for (let c = 0; c < channels; c++) {
      const apart = f64At(all, at + 1 + c) - f64At(mean, c);
      mean[c] = f64At(mean, c) + apart * share;
      squares[c] = f64At(squares, c) + f64At(all, at + 1 + channels + c) + apart * apart * total * share;
    }
    total += count;
  }
  return { total, mean: Float32Array.from(mean), variance: Float32Array.from(squares, (sum) => sum / total) };
}

function sumOfParts(all: Float64Array, size: number): Float64Array {
  const sums = new Float64Array(size);
  for (let i = 0; i < all.length; i++) sums[i % size] = f64At(sums, i % size) + f64At(all, i);
  return sums;
}

const NOISE_CLASSES = new Set(["Dropout", "SpatialDropout1D", "AlphaDropout", "GaussianDropout", "GaussianNoise"]);

interface DroppingCell {
  readonly dropout?: number;
  readonly recurrentDropout?: number;
  readonly cells?: readonly DroppingCell[];
}

function drawsNoise(layer: Layer): boolean {
  if (NOISE_CLASSES.has(layer.getClassName())) return true;
  const { cell } = layer as unknown as { readonly cell?: DroppingCell };
  return cell !== undefined && [cell, ...(cell.cells ?? [])].some(drops);
}

function drops({ dropout = 0, recurrentDropout = 0 }: DroppingCell): boolean {
  return dropout > 0 || recurrentDropout > 0;
}

/**
 * Noise is drawn row by row, so that a shard's is what follows that of the rows before it: the layer is called with
 * as many empty rows in front, whose outputs are taken off again.
 */
function drawForBatch(original: Call, scope: ShardScope): Call {
  return (inputs, options) => {
    const { place } = scope;
    if (place === null || place.before === 0 || place.rows === 0 || options.training !== true) {
      return original(inputs, options);
    }
    const { before } = place;
    return tf.tidy(() => {
      const padded = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, withRows(value, before)]));
      const outputs = original(withRows(inputs, before) as tf.Tensor | tf.Tensor[], padded);
      const ownRows = (output: tf.Tensor): tf.Tensor =>
        tf.slice(output, [before, ...output.shape.slice(1).map(() => 0)], [-1, ...output.shape.slice(1)]);
      return Array.isArray(outputs) ? outputs.map(ownRows) : ownRows(outputs);
    });
  };
}

/** Tensors, or lists of them, with empty rows in front; anything else as it is. */
function withRows(value: unknown, before: number): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => withRows(each, before));
  if (!(value instanceof tf.Tensor)) return value;
  return tf.concat([tf.zeros([before, ...value.shape.slice(1)], value.dtype), value], 0);
}
