/** @file Dense heads that read one feature, as one matmul: they train merged, and are saved as a layer of each task. */
import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { at } from "../../arrays.js";
import { LOGIT_AXES, type LogitAxis, type TaskColumns } from "./layout.js";

/** Puts something between a feature and the heads that read it. */
export type OnFeature = (feature: tf.Tensor, heads: MergedHeads) => tf.Tensor;

/** Owns the merged weights: `dispose` frees them. */
export class MergedHeads {
  /** Columns that the heads write, side by side. */
  readonly columns: readonly TaskColumns[];
  readonly axis: LogitAxis;
  /** Index of the feature among the trunk's outputs. */
  readonly output: number;
  readonly #full: tfl.LayersModel;
  readonly #isFrozen: boolean;
  /** [features, units of all tasks] */
  readonly #kernel: tf.Variable;
  /** [units of all tasks] */
  readonly #bias: tf.Variable;

  /**
   * @param full the plain model, which has a dense layer of each task, named by its path
   * @param columns of the tasks; see {@link groupHeads}
   */
  constructor(full: tfl.LayersModel, columns: readonly TaskColumns[], output: number, isFrozen: boolean) {
    this.columns = columns;
    this.axis = at(columns, 0).axis;
    this.output = output;
    this.#full = full;
    this.#isFrozen = isFrozen;
    const [kernel, bias] = tf.tidy(() => this.#mergedWeights());
    this.#kernel = tf.variable(kernel, !isFrozen);
    this.#bias = tf.variable(bias, !isFrozen);
    tf.dispose([kernel, bias]);
  }

  /** What a training step changes; empty where the heads are frozen. */
  get trainable(): tf.Variable[] {
    return this.#isFrozen ? [] : [this.#kernel, this.#bias];
  }

  /**
   * Logits, [rows of the axis, units of all tasks]. Call inside `tf.tidy`.
   * @param features the trunk's outputs
   * @param masked tokens whose hidden word is asked, as row × length + position; for heads of masked tokens alone
   * @param onFeature what the heads read instead of their feature
   */
  logits(
    features: readonly tf.Tensor[],
    masked: Int32Array | tf.Tensor1D | null,
    onFeature: OnFeature = (feature) => feature,
  ): tf.Tensor2D {
    const feature = onFeature(at(features, this.output), this);
    const rows = this.axis === "sample" ? feature : asMatrix(feature);
    // only the masked tokens are multiplied with a kernel as wide as the vocabulary
    const asked = this.axis === "masked" ? tf.gather(rows, indicesOf(masked)) : rows;
    return tf.add(tf.matMul(asked as tf.Tensor2D, this.#kernel as unknown as tf.Tensor2D), this.#bias) as tf.Tensor2D;
  }

  /**
   * Gradients of each task at the feature, as a matrix. Call inside `tf.tidy`.
   * @param gradient with respect to the logits of the whole matrix of the axis
   */
  featureGradients(gradient: tf.Tensor2D): tf.Tensor2D[] {
    let start = 0;
    return this.columns.map(({ offset, width }) => {
      const own = tf.slice(gradient, [0, offset], [-1, width]);
      const kernel = tf.slice(this.#kernel as unknown as tf.Tensor2D, [0, start], [-1, width]);
      start += width;
      return tf.matMul(own, kernel, false, true);
    });
  }

  /** Copies the merged weights back into the dense layer of each task. */
  split(): void {
    tf.tidy(() => {
      const widths = this.columns.map(({ width }) => width);
      const kernels = tf.split(this.#kernel as tf.Tensor, widths, 1);
      const biases = tf.split(this.#bias as tf.Tensor, widths);
      this.columns.forEach(({ task }, i) => {
        this.#full.getLayer(task.path).setWeights([at(kernels, i), at(biases, i)]);
      });
    });
  }

  /** Takes up the weights of each task's dense layer again. */
  reread(): void {
    tf.tidy(() => {
      const [kernel, bias] = this.#mergedWeights();
      this.#kernel.assign(kernel);
      this.#bias.assign(bias);
    });
  }

  #mergedWeights(): [tf.Tensor, tf.Tensor] {
    const weights = this.columns.map(({ task }) => this.#full.getLayer(task.path).getWeights());
    const kernels = weights.map(([kernel]) => kernel as tf.Tensor);
    return [tf.concat(kernels, 1), tf.concat(weights.map(([, bias]) => bias as tf.Tensor))];
  }

  dispose(): void {
    tf.dispose([this.#kernel, this.#bias]);
  }
}

/** [batch, length, n] → [batch × length, n]; [batch, n] stays as it is. */
export function asMatrix(tensor: tf.Tensor): tf.Tensor2D {
  return (tensor.rank === 2 ? tensor : tf.reshape(tensor, [-1, tensor.shape.at(-1) as number])) as tf.Tensor2D;
}

/** At least one, so that every batch has logits to begin its gradient with. */
function indicesOf(masked: Int32Array | tf.Tensor1D | null): tf.Tensor1D {
  if (masked instanceof tf.Tensor) return masked;
  return tf.tensor1d(masked === null || masked.length === 0 ? [0] : masked, "int32");
}

/**
 * Dense heads that lie side by side in one matrix of the layout, read one feature, and are frozen together or not at
 * all.
 * @param frozen paths of frozen tasks
 */
export function groupHeads(dense: readonly TaskColumns[], frozen: ReadonlySet<string>): TaskColumns[][] {
  const groups: TaskColumns[][] = [];
  const ordered = LOGIT_AXES.flatMap((axis) =>
    dense.filter((columns) => columns.axis === axis).sort((a, b) => a.offset - b.offset),
  );
  for (const columns of ordered) {
    const group = groups.at(-1);
    const [before] = group ?? [];
    if (group !== undefined && before !== undefined && canMerge(before, columns, frozen)) group.push(columns);
    else groups.push([columns]);
  }
  return groups;
}

function canMerge(a: TaskColumns, b: TaskColumns, frozen: ReadonlySet<string>): boolean {
  const sameFeature = a.task.feature === b.task.feature && a.axis === b.axis;
  return sameFeature && frozen.has(a.task.path) === frozen.has(b.task.path);
}
