/** @file A layer that computes something else than its class says. */
import type * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";

export type Layer = tfl.layers.Layer;
export type Call = (inputs: tf.Tensor | tf.Tensor[], options: CallOptions) => tf.Tensor | tf.Tensor[];
type CallOptions = Readonly<Record<string, unknown>>;

/** Replaces what a layer computes, for good. `original` computes what it did before. */
export function replaceCall(layer: Layer, replacement: (original: Call) => Call): void {
  const original: Call = layer.call.bind(layer);
  layer.call = replacement(original);
}
