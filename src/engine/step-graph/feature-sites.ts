/**
 * @file Features at which gradients of several tasks meet, in a graph: it is run as far as these gradients, which are made
 * one outside as in an eager step, and once more with what became of them.
 */
import * as tf from "@tensorflow/tfjs-core";
import { DTYPE } from "../../protobuf/tensorflow.js";
import type { TensorValues } from "../backends/tensorflow/binding.js";
import type { LogitAxis } from "../model/layout.js";
import type { MergedHeads, OnFeature } from "../model/merged-heads.js";
import type { TaskPair } from "../optimization/conflicts.js";
import { combineAtFeature, type ConflictMethod, meetAtFeature } from "../optimization/gradient-surgery.js";
import type { GraphBuilder, Output } from "./graph-def.js";
import type { OpRecorder } from "./op-recorder.js";
import type { Feed } from "./session.js";

/** The features of a traced step. */
export interface TracedSites {
  /** Gradients of each task at each feature. */
  readonly outputs: readonly Output[];
  /** Gradients with which the step was recorded. */
  readonly example: readonly Feed[];
  /**
   * @param results of `outputs`
   * @param seed of the step
   */
  combine(results: readonly TensorValues[], seed: string): { readonly feeds: Feed[]; readonly pairs: TaskPair[] };
}

interface Site {
  readonly heads: MergedHeads;
  readonly placeholder: Output;
  readonly shape: readonly number[];
  /** Of each task; none until the backward pass has come by. */
  gradients: readonly Output[];
}

/** Those of one recording. */
export class FeatureSites {
  readonly #builder: GraphBuilder;
  readonly #recorder: OpRecorder;
  readonly #method: ConflictMethod;
  readonly #sites: Site[] = [];

  constructor(builder: GraphBuilder, recorder: OpRecorder, method: ConflictMethod) {
    this.#builder = builder;
    this.#recorder = recorder;
    this.#method = method;
  }

  /** A feature as it is, whose gradient is fed. */
  readonly onFeature: OnFeature = (feature, heads) => {
    if (!meetAtFeature(heads)) return feature;
    const { shape } = feature;
    const placeholder = this.#builder.placeholder(DTYPE.float, shape);
    this.#sites.push({ heads, placeholder, shape, gradients: [] });
    const fed = tf.tensor(exampleOf(shape), shape);
    this.#recorder.place(fed, placeholder);
    const op = tf.customGrad((input, save) => {
      // what is not saved is gone when the gradient is computed
      (save as tf.GradSaveFunc)([fed]);
      return {
        value: tf.clone(input as tf.Tensor),
        gradFunc: (_: tf.Tensor, [saved]: tf.Tensor[]) => tf.clone(saved as tf.Tensor),
      };
    });
    return op(feature);
  };

  /** Is given the gradient of the logits of a whole axis, on the way back to the features. */
  take(axis: LogitAxis, gradient: tf.Tensor2D): void {
    for (const site of this.#sites) {
      if (site.heads.axis !== axis) continue;
      site.gradients = site.heads.featureGradients(gradient).map((own) => this.#recorder.outputOf(own));
    }
  }

  traced(): TracedSites | null {
    const sites = this.#sites;
    if (sites.length === 0) return null;
    return {
      outputs: sites.flatMap(({ gradients }) => gradients),
      example: sites.map((site) => feedOf(site, exampleOf(site.shape))),
      combine: (results, seed) => {
        let from = 0;
        const pairs: TaskPair[] = [];
        const feeds = sites.map((site) => {
          const own = results.slice(from, from + site.gradients.length) as Float32Array[];
          from += own.length;
          const combined = combineAtFeature(this.#method, site.heads, own, seed);
          pairs.push(...combined.pairs);
          return feedOf(site, combined.sum);
        });
        return { feeds, pairs };
      },
    };
  }
}

function feedOf({ placeholder, shape }: Site, values: Float32Array): Feed {
  return { placeholder, dtype: DTYPE.float, shape, values };
}

/** Something to record with: its size is that of gradients of a mean. */
function exampleOf(shape: readonly number[]): Float32Array {
  const size = shape.reduce((product, length) => product * length, 1);
  return new Float32Array(size).fill(1 / Math.max(1, size));
}
