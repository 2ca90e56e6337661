/** @file Batch → losses and the flat gradient, by one backward pass of tfjs. */
import * as tf from "@tensorflow/tfjs-core";
import type { GradientConflicts, TaskPair } from "./conflicts.js";
import { GradientSurgery } from "./gradient-surgery.js";
import { type BatchLoss, batchLoss } from "./losses.js";
import type { BatchTargets } from "../batches/targets.js";
import { type HeadLayout, type LogitValues, matricesOf } from "../model/layout.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { withSeededRandom } from "../model/seeded.js";

export interface GradientOptions {
  /** Factor of each task's masked mean, in the order of the graph. */
  readonly factors: readonly number[];
  /** Of dropout and noise. */
  readonly seed: string;
  /** Loss terms per task to divide by; those of the whole batch where this is a shard of one. Default: its own. */
  readonly denominators?: readonly number[];
  /** What becomes of gradients of tasks that point against each other at a shared feature. Default `add`. */
  readonly conflicts?: GradientConflicts;
  /** Whether the penalties of regularizers count; of several shards only one may. Default true. */
  readonly penalties?: boolean;
}

/**
 * Forward and backward pass of one batch. Batch normalization moves its averages.
 * @param gradient receives the flat gradient in the order of `network.trainable`
 */
export function computeGradient(
  network: Network,
  inputs: InputBatch,
  targets: BatchTargets,
  gradient: Float32Array,
  options: GradientOptions,
): { readonly loss: BatchLoss; readonly logits: LogitValues; readonly pairs: readonly TaskPair[] } {
  const { layout } = network;
  const { conflicts = "add", seed } = options;
  const surgery = conflicts === "add" ? null : new GradientSurgery(conflicts, layout, targets, seed);
  let loss: BatchLoss = { total: Number.NaN, tasks: [] };
  let logits: LogitValues = NO_LOGITS;
  const objective = (): tf.Scalar => {
    const hidden = targets.masked ?? new Int32Array(0);
    const computed = network.logitsByAxis(network.inputTensors(inputs, targets.rows), true, hidden, surgery?.onFeature);
    const masked = maskedLoss(
      oneVector([computed.sample, computed.token, computed.masked]),
      layout,
      targets,
      options,
      (batch, values, gradient) => {
        surgery?.take(gradient);
        loss = batch;
        logits = splitLogits(layout, targets, values);
      },
    );
    const penalties = options.penalties === false ? [] : network.penalties();
    return penalties.reduce((total, penalty) => tf.add(total, penalty), masked);
  };
  withSeededRandom(options.seed, () =>
    tf.tidy(() => {
      const variables = network.trainable;
      const { grads } = tf.variableGrads(objective, variables);
      // a layer may have weights that its output does not depend on
      const own = variables.map(({ name }) => grads[name] ?? null);
      // read together: each reading waits for the device
      const all = oneVector(own).dataSync() as Float32Array;
      let [from, at] = [0, 0];
      for (const [i, { size }] of variables.entries()) {
        const length = own[i] === null ? 0 : size;
        gradient.fill(0, at, at + size).set(all.subarray(from, from + length), at);
        from += length;
        at += size;
      }
    }),
  );
  return { loss, logits, pairs: surgery?.pairs ?? [] };
}

const NONE = new Float32Array(0);
const NO_LOGITS: LogitValues = { sample: NONE, token: NONE, masked: NONE };

/**
 * The total loss as one differentiable op: value and gradient come from the same plain function over typed arrays,
 * so that tfjs only has to carry the gradient from the logits to the weights.
 */
function maskedLoss(
  logits: tf.Tensor1D,
  layout: HeadLayout,
  targets: BatchTargets,
  { factors, denominators }: GradientOptions,
  report: (loss: BatchLoss, logits: Float32Array, gradient: Float32Array) => void,
): tf.Scalar {
  const op = tf.customGrad((input) => {
    const values = (input as tf.Tensor1D).dataSync() as Float32Array;
    const gradient = new Float32Array(values.length);
    const loss = batchLoss(layout, values, targets, gradient, denominators, factors);
    report(loss, values, gradient);
    return {
      value: tf.scalar(loss.total),
      // nothing is computed from the total but sums, so the gradient that arrives here is 1
      gradFunc: () => tf.tensor1d(gradient),
    };
  });
  return op(logits) as tf.Scalar;
}

/** The numbers of all tensors, one after the other. */
function oneVector(tensors: readonly (tf.Tensor | null)[]): tf.Tensor1D {
  const vectors = tensors.flatMap((tensor) => (tensor === null ? [] : [tf.reshape(tensor, [-1])]));
  const [only] = vectors;
  return (vectors.length === 1 && only !== undefined ? only : tf.concat(vectors)) as tf.Tensor1D;
}

/**
 * Views of a batch's logits, which lie one matrix after the other.
 * @param values of all matrices, see `matricesOf`
 */
export function splitLogits(layout: HeadLayout, targets: BatchTargets, values: Float32Array): LogitValues {
  const { token, masked } = matricesOf(layout, targets);
  return {
    sample: values.subarray(0, token.start),
    token: values.subarray(token.start, masked.start),
    masked: values.subarray(masked.start),
  };
}
