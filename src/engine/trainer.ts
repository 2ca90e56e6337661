/** @file The training step: forward, masked losses, one backward pass, one update of the parameters. */
import { setImmediate as eventLoop } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { epochOrder } from "../data/batches.js";
import type { Dataset } from "../data/dataset.js";
import { TrainingError } from "../errors.js";
import type { RowMask } from "../flow/masks.js";
import { type BatchLoss, type BatchTargets, batchLoss, gatherTargets, type HeadLayout } from "./losses.js";
import type { InputBatch, Network } from "./network.js";
import {
  clipByGlobalNorm,
  createOptimizer,
  type Optimizer,
  type OptimizerConfig,
  type OptimizerState,
} from "./optimizer.js";
import { withSeededRandom } from "./seeded.js";

export interface TrainerConfig {
  readonly optimizer: OptimizerConfig;
  readonly batchSize: number;
  /** Largest norm of all gradients together; null: no clipping. */
  readonly clipNorm: number | null;
  readonly seed: number;
}

/** Where training stands: enough, with the weights and the optimizer's state, to go on exactly. */
export interface TrainerPosition {
  /** Epochs from 1; the one in progress. */
  readonly epoch: number;
  /** Batches of that epoch already done. */
  readonly batch: number;
  /** Updates since the start of the run. */
  readonly step: number;
}

export interface StepReport extends TrainerPosition {
  readonly batches: number;
  readonly rows: number;
  readonly loss: BatchLoss;
  readonly gradientNorm: number;
}

export interface EpochReport {
  /** True where the signal ended the epoch early. */
  readonly interrupted: boolean;
  /** Rows in the order in which they were trained on. */
  readonly rows: Int32Array;
  /** Logits at the time of each row's step, [rows.length, layout.width]. */
  readonly logits: Float32Array;
  readonly meanGradientNorm: number;
}

/** Trains a network on the rows of a dataset. Owns the parameter vector and the optimizer. */
export class Trainer {
  readonly network: Network;
  readonly #config: TrainerConfig;
  readonly #variables: readonly tf.Variable[];
  readonly #parameters: Float32Array;
  readonly #gradient: Float32Array;
  readonly #optimizer: Optimizer;
  #position: TrainerPosition;

  constructor(
    network: Network,
    config: TrainerConfig,
    resume?: { readonly position: TrainerPosition; readonly optimizer: OptimizerState },
  ) {
    this.network = network;
    this.#config = config;
    this.#variables = network.trainable;
    this.#parameters = readAll(this.#variables);
    this.#gradient = new Float32Array(this.#parameters.length);
    this.#optimizer = createOptimizer(config.optimizer, this.#parameters.length, resume?.optimizer);
    this.#position = resume?.position ?? { epoch: 1, batch: 0, step: 0 };
  }

  get position(): TrainerPosition {
    return this.#position;
  }

  get optimizerState(): OptimizerState {
    return this.#optimizer.state;
  }

  get parameterCount(): number {
    return this.#parameters.length;
  }

  /**
   * Runs the rest of the current epoch.
   * @param rows training rows of the dataset
   * @param masks loss mask of each task over all rows of the dataset
   * @throws TrainingError where the loss is not finite; weights are those before the step
   */
  async finishEpoch(
    dataset: Dataset,
    rows: Int32Array,
    masks: readonly RowMask[],
    learningRate: number,
    options: { readonly signal?: AbortSignal; readonly onStep?: (report: StepReport) => void } = {},
  ): Promise<EpochReport> {
    const { batchSize, seed } = this.#config;
    const { layout } = this.network;
    const order = epochOrder(rows, seed, this.#position.epoch);
    const batches = Math.ceil(order.length / batchSize);
    const first = this.#position.batch * batchSize;
    const logits = new Float32Array((order.length - first) * layout.width);
    let normSum = 0;
    let done = first;
    while (done < order.length && options.signal?.aborted !== true) {
      const batchRows = order.subarray(done, done + batchSize);
      const targets = gatherTargets(layout, dataset.labels, masks, batchRows);
      const into = logits.subarray((done - first) * layout.width);
      const { loss, gradientNorm } = this.step(
        readInputs(this.network, dataset, batchRows),
        targets,
        learningRate,
        into,
      );
      normSum += gradientNorm;
      done += batchRows.length;
      options.onStep?.({ ...this.#position, batches, rows: batchRows.length, loss, gradientNorm });
      // lets signals, heartbeats and progress through between steps
      await eventLoop();
    }
    const interrupted = done < order.length;
    const steps = Math.ceil((done - first) / batchSize);
    if (!interrupted) this.#position = { epoch: this.#position.epoch + 1, batch: 0, step: this.#position.step };
    return {
      interrupted,
      rows: order.slice(first, done),
      logits: logits.subarray(0, (done - first) * layout.width),
      meanGradientNorm: steps === 0 ? 0 : normSum / steps,
    };
  }

  /** One update. `logitsOut` receives the batch's logits. */
  step(
    inputs: InputBatch,
    targets: BatchTargets,
    learningRate: number,
    logitsOut?: Float32Array,
  ): { readonly loss: BatchLoss; readonly gradientNorm: number } {
    const { step, epoch, batch } = this.#position;
    const seed = `${this.#config.seed}/step/${step}`;
    const loss = withSeededRandom(seed, () => this.gradients(inputs, targets, logitsOut));
    const unsound = this.#unsoundTask(loss);
    if (unsound !== null) {
      throw new TrainingError(
        `The loss of ${unsound} is ${loss.total} at step ${step + 1} (epoch ${epoch}, batch ${batch + 1}). The weights before this step are kept. Lower train.optimizer.learningRate, set train.clipNorm, or look for extreme labels or weights.`,
        { task: unsound, step: step + 1, epoch, loss: String(loss.total) },
      );
    }
    const gradientNorm = clipByGlobalNorm(this.#gradient, this.#config.clipNorm);
    if (!Number.isFinite(gradientNorm)) {
      throw new TrainingError(
        `The gradient is ${gradientNorm} at step ${step + 1} (epoch ${epoch}, batch ${batch + 1}). The weights before this step are kept. Lower train.optimizer.learningRate or set train.clipNorm.`,
        { step: step + 1, epoch, gradientNorm: String(gradientNorm) },
      );
    }
    this.#optimizer.apply(this.#parameters, this.#gradient, learningRate);
    writeAll(this.#variables, this.#parameters);
    this.#position = { epoch, batch: batch + 1, step: step + 1 };
    return { loss, gradientNorm };
  }

  /** Forward and backward pass; the gradient is kept in `this` for the update. */
  private gradients(inputs: InputBatch, targets: BatchTargets, logitsOut?: Float32Array): BatchLoss {
    let loss: BatchLoss = { total: Number.NaN, tasks: [] };
    tf.tidy(() => {
      const { grads } = tf.variableGrads(
        () =>
          maskedLoss(this.network.logits(inputs, targets.rows, true), this.network.layout, targets, (l, logits) => {
            loss = l;
            logitsOut?.set(logits);
          }),
        [...this.#variables],
      );
      let at = 0;
      for (const variable of this.#variables) {
        const gradient = grads[variable.name];
        // a weight that no task's feature depends on has no gradient
        if (gradient === undefined) this.#gradient.fill(0, at, at + variable.size);
        else this.#gradient.set(gradient.dataSync() as Float32Array, at);
        at += variable.size;
      }
    });
    return loss;
  }

  /** The flat gradient of the latest step. */
  get gradient(): Float32Array {
    return this.#gradient;
  }

  #unsoundTask(loss: BatchLoss): string | null {
    if (Number.isFinite(loss.total)) return null;
    const index = loss.tasks.findIndex(({ sum }) => !Number.isFinite(sum));
    return index < 0 ? "all tasks together" : `task "${this.network.graph.tasks[index]?.path}"`;
  }
}

/**
 * The total loss as one differentiable op: value and gradient come from the same plain function over typed arrays,
 * so that tfjs only has to carry the gradient from the logits to the weights.
 */
function maskedLoss(
  logits: tf.Tensor2D,
  layout: HeadLayout,
  targets: BatchTargets,
  report: (loss: BatchLoss, logits: Float32Array) => void,
): tf.Scalar {
  const op = tf.customGrad((input) => {
    const values = (input as tf.Tensor2D).dataSync() as Float32Array;
    const gradient = new Float32Array(values.length);
    const loss = batchLoss(layout, values, targets, gradient);
    report(loss, values);
    return {
      value: tf.scalar(loss.total),
      gradFunc: () => tf.tensor2d(gradient, [targets.rows, layout.width]),
    };
  });
  return op(logits) as tf.Scalar;
}

/** Inputs of some rows of a dataset. */
export function readInputs(network: Network, dataset: Pick<Dataset, "inputs">, rows: ArrayLike<number>): InputBatch {
  return Object.fromEntries(
    Object.entries(network.inputs).map(([name, spec]) => {
      const pixels = new Uint8Array(rows.length * spec.size[0] * spec.size[1] * spec.channels);
      dataset.inputs[name]?.read(rows, pixels);
      return [name, pixels];
    }),
  );
}

function readAll(variables: readonly tf.Variable[]): Float32Array {
  const all = new Float32Array(variables.reduce((total, variable) => total + variable.size, 0));
  let at = 0;
  for (const variable of variables) {
    all.set(variable.dataSync() as Float32Array, at);
    at += variable.size;
  }
  return all;
}

function writeAll(variables: readonly tf.Variable[], parameters: Float32Array): void {
  let at = 0;
  for (const variable of variables) {
    // a new tensor each time: backends may keep what they prepared from the old one, or the array itself
    const values = parameters.slice(at, at + variable.size);
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, "float32")));
    at += variable.size;
  }
}
