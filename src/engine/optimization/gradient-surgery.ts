/** @file Between features and heads, on the way back: the tasks' gradients are projected before they are added. */
import * as tf from "@tensorflow/tfjs-core";
import type { BatchTargets } from "../batches/targets.js";
import { type HeadLayout, matricesOf } from "../model/layout.js";
import type { MergedHeads, OnFeature } from "../model/merged-heads.js";
import { type CombinedGradients, combineGradients, type GradientConflicts, type TaskPair } from "./conflicts.js";

/** How conflicts are dealt with where they are. */
export type ConflictMethod = Exclude<GradientConflicts, "add">;

/** Whether gradients of several tasks meet at the feature of these heads, in a way that is known task by task. */
export function meetAtFeature({ axis, columns }: MergedHeads): boolean {
  return axis !== "masked" && columns.length >= 2;
}

/**
 * What the feature of some heads gets in the place of the sum of its tasks' gradients.
 * @param gradients of each task of the heads, as `featureGradients` gives them
 * @param seed of the step
 */
export function combineAtFeature(
  method: ConflictMethod,
  heads: Pick<MergedHeads, "columns" | "output">,
  gradients: readonly Float32Array[],
  seed: string,
): CombinedGradients {
  const named = heads.columns.map(({ task }, i) => ({ task: task.index, values: gradients[i] ?? new Float32Array(0) }));
  return combineGradients(method, named, `${seed}/conflicts at ${heads.output}`);
}

/**
 * For one step. A feature's gradient is the sum of what comes back from the heads of the tasks that read it; these are
 * known one by one as soon as the loss is, since a dense head is a product with its kernel. Heads of a task's own, and
 * those of masked tokens, add their gradients as they are.
 */
export class GradientSurgery {
  readonly #layout: HeadLayout;
  readonly #targets: BatchTargets;
  readonly #method: ConflictMethod;
  readonly #seed: string;
  readonly #pairs: TaskPair[] = [];
  #logitGradient: Float32Array | null = null;

  /** @param seed of the order in which gradients are projected */
  constructor(method: ConflictMethod, layout: HeadLayout, targets: BatchTargets, seed: string) {
    this.#method = method;
    this.#layout = layout;
    this.#targets = targets;
    this.#seed = seed;
  }

  /** Is given the gradient with respect to the logits of all matrices, once the loss is known. */
  take(logitGradient: Float32Array): void {
    this.#logitGradient = logitGradient;
  }

  /** Pairs of tasks that met at a feature. */
  get pairs(): readonly TaskPair[] {
    return this.#pairs;
  }

  /** A feature as it is, whose gradient is the projected one. */
  readonly onFeature: OnFeature = (feature, heads) => {
    if (!meetAtFeature(heads)) return feature;
    const op = tf.customGrad((input) => ({
      value: tf.clone(input as tf.Tensor),
      gradFunc: () => tf.reshape(this.#projected(heads), feature.shape),
    }));
    return op(feature);
  };

  #projected(heads: MergedHeads): tf.Tensor {
    const { start, rows, stride } = matricesOf(this.#layout, this.#targets)[heads.axis];
    const all = this.#logitGradient?.subarray(start, start + rows * stride) ?? new Float32Array(rows * stride);
    const gradients = tf.tidy(() => {
      const own = heads.featureGradients(tf.tensor2d(all, [rows, stride]));
      return own.map((gradient) => gradient.dataSync<"float32">().slice());
    });
    const { sum, pairs } = combineAtFeature(this.#method, heads, gradients, this.#seed);
    this.#pairs.push(...pairs);
    return tf.tensor1d(sum);
  }
}
