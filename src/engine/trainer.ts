/** @file The training step: forward, masked losses, one backward pass, one update of the parameters. */
import { setImmediate as eventLoop } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { bucketedOrder, epochOrder, sequenceLengths } from "../data/batches.js";
import type { Dataset, InputSource } from "../data/dataset.js";
import { type Facts, TrainingError } from "../errors.js";
import type { RowMask } from "../flow/masks.js";
import type { Labels } from "../tasks/index.js";
import { joinArrays } from "./arrays.js";
import { type BatchAugmenter, joinLabels } from "./augment.js";
import {
  type BatchLoss,
  type BatchTargets,
  type BatchTokens,
  batchLoss,
  gatherTargets,
  type HeadLayout,
  partsOf,
} from "./losses.js";
import { type BatchMasker, MaskedCounter, type MaskedTally, maskedTask } from "./mask-tokens.js";
import type { BatchLogits, InputBatch, Network } from "./network.js";
import {
  clipByGlobalNorm,
  createOptimizer,
  type Optimizer,
  type OptimizerConfig,
  type OptimizerState,
} from "./optimizer.js";
import type { PartValues } from "./predict.js";
import { withSeededRandom } from "./seeded.js";
import { createTaskWeights, type TaskWeighting, type TaskWeights } from "./task-weights.js";
import { keepTokens, rowLengths, tokenIds } from "./token-lines.js";

export interface TrainerConfig {
  readonly optimizer: OptimizerConfig;
  readonly batchSize: number;
  /** Largest norm of all gradients together; null: no clipping. */
  readonly clipNorm: number | null;
  readonly seed: number;
  /** Default `constant`. */
  readonly taskWeighting?: TaskWeighting;
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

/** What the epoch in progress has seen so far: kept with a checkpoint, so that its metrics are those of all its rows. */
export interface EpochSoFar {
  /** Logits at the time of each row's step, [rows, layout.width]. */
  readonly logits: Float32Array;
  /** Sum of the norms of its gradients. */
  readonly gradientNormSum: number;
}

export interface StepReport extends TrainerPosition {
  readonly batches: number;
  readonly rows: number;
  readonly loss: BatchLoss;
  readonly gradientNorm: number;
}

/** An epoch, or all of it that is done: also what was done before an interruption. */
export interface EpochReport {
  /** True where the signal ended the epoch early. */
  readonly interrupted: boolean;
  /** Rows in the order in which they were trained on. */
  readonly rows: Int32Array;
  /** Logits at the time of each row's step, [rows.length, layout.width]. */
  readonly logits: Float32Array;
  /** Logits of tasks per token at the time of each row's step, [positions of these rows, layout.tokenWidth]. */
  readonly tokenLogits: Float32Array;
  /** How well masked tokens were guessed; null where none were masked. */
  readonly masked: MaskedTally | null;
  /**
   * Labels of these rows as they were moved with their pictures, null for tasks per token; null where nothing was
   * augmented.
   */
  readonly movedLabels: readonly (Labels | null)[] | null;
  readonly meanGradientNorm: number;
}

export interface EpochOptions {
  /** Ends the epoch after the current step. */
  readonly signal?: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  /** Changes every batch before its step. */
  readonly augment?: BatchAugmenter;
  /** Hides tokens of every batch before its step. */
  readonly mask?: BatchMasker;
  /** Awaited after each step but the epoch's last. */
  readonly afterStep?: (position: TrainerPosition) => Promise<void> | undefined;
}

interface Batch {
  readonly rows: Int32Array;
  readonly inputs: InputBatch;
  readonly targets: BatchTargets;
  /** Tokens of each row; null where no task is asked per token. */
  readonly lengths: Int32Array | null;
}

/** Trains a network on the rows of a dataset. Owns the parameter vector and the optimizer. */
export class Trainer {
  readonly network: Network;
  readonly #config: TrainerConfig;
  readonly #variables: readonly tf.Variable[];
  readonly #parameters: Float32Array;
  readonly #gradient: Float32Array;
  readonly #optimizer: Optimizer;
  readonly #weights: TaskWeights;
  #position: TrainerPosition;
  /** null at the start of an epoch, and where its beginning is not known. */
  #epochSoFar: EpochSoFar | null;

  constructor(
    network: Network,
    config: TrainerConfig,
    resume?: {
      readonly position: TrainerPosition;
      readonly optimizer: OptimizerState;
      readonly epoch?: EpochSoFar | undefined;
    },
  ) {
    this.network = network;
    this.#config = config;
    this.#variables = network.trainable;
    this.#parameters = readAll(this.#variables);
    this.#gradient = new Float32Array(this.#parameters.length);
    this.#optimizer = createOptimizer(config.optimizer, this.#parameters.length, resume?.optimizer);
    const { taskWeighting = "constant", optimizer } = config;
    this.#weights = createTaskWeights(taskWeighting, network.layout, optimizer, resume?.optimizer);
    this.#position = resume?.position ?? { epoch: 1, batch: 0, step: 0 };
    this.#epochSoFar = resume?.epoch ?? null;
  }

  get position(): TrainerPosition {
    return this.#position;
  }

  /** Belongs to `position`. */
  get epochSoFar(): EpochSoFar | undefined {
    return this.#epochSoFar ?? undefined;
  }

  get optimizerState(): OptimizerState {
    const { updates, slots } = this.#optimizer.state;
    return { updates, slots: { ...slots, ...this.#weights.slots } };
  }

  /** Learned log-variances of the tasks in the order of the graph; null where a task has none. */
  get logVariances(): readonly (number | null)[] {
    return this.#weights.logVariances;
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
    dataset: Pick<Dataset, "inputs" | "labels" | "offsets">,
    rows: Int32Array,
    masks: readonly RowMask[],
    learningRate: number,
    options: EpochOptions = {},
  ): Promise<EpochReport> {
    const { batchSize } = this.#config;
    const { layout } = this.network;
    const { augment, mask, signal } = options;
    const order = this.#epochOrder(dataset, rows);
    const batches = Math.ceil(order.length / batchSize);
    const readBatch = (at: number): Batch => {
      const batchRows = order.subarray(at, at + batchSize);
      const inputs = readInputs(this.network, dataset, batchRows);
      const spans = tokenSpans(this.network, dataset, inputs, batchRows.length);
      const plain = gatherTargets(layout, dataset.labels, masks, batchRows, spans);
      augment?.(this.#position.epoch, batchRows, inputs, plain);
      const lengths = spans === null ? null : rowLengths(this.network.inputs, inputs, batchRows.length);
      const targets = mask?.(this.#position.epoch, batchRows, inputs, plain) ?? plain;
      return { rows: batchRows, inputs, targets, lengths };
    };
    const resumedAt = this.#position.batch * batchSize;
    // logits of tokens are not kept with a checkpoint: the report is then about the rest of the epoch
    const keeps = layout.tokenWidth + layout.maskedWidth === 0;
    const before = keeps ? this.#epochSoFar : null;
    const tokens: Float32Array[] = [];
    const guessed = mask === undefined ? null : maskedTask(this.network.graph);
    const counter = guessed === null ? null : new MaskedCounter(guessed);
    const first = before === null ? resumedAt : 0;
    const logits = new Float32Array((order.length - first) * layout.width);
    logits.set(before?.logits ?? []);
    const moved: BatchTargets[] = [];
    if (augment !== undefined) {
      // drawn again, as they were
      for (let at = first; at < resumedAt; at += batchSize) moved.push(readBatch(at).targets);
    }
    let gradientNormSum = before?.gradientNormSum ?? 0;
    let done = resumedAt;
    while (done < order.length && signal?.aborted !== true) {
      const batch = readBatch(done);
      if (augment !== undefined) moved.push(batch.targets);
      const into = logits.subarray((done - first) * layout.width);
      const { loss, gradientNorm } = this.step(batch.inputs, batch.targets, learningRate, into, (parts, loss) => {
        const { lengths, targets } = batch;
        if (lengths !== null && layout.tokenWidth > 0) tokens.push(keepTokens(parts.token, lengths, layout.tokenWidth));
        counter?.add(parts.masked, targets, loss.tasks[guessed?.index ?? -1]?.sum);
      });
      gradientNormSum += gradientNorm;
      done += batch.rows.length;
      const seen = logits.subarray(0, (done - first) * layout.width);
      this.#epochSoFar = keeps && first === 0 ? { logits: seen, gradientNormSum } : null;
      options.onStep?.({ ...this.#position, batches, rows: batch.rows.length, loss, gradientNorm });
      if (done < order.length) await options.afterStep?.(this.#position);
      // lets signals, heartbeats and progress through between steps
      await eventLoop();
    }
    const interrupted = done < order.length;
    const steps = Math.ceil((done - first) / batchSize);
    if (!interrupted) {
      this.#position = { epoch: this.#position.epoch + 1, batch: 0, step: this.#position.step };
      this.#epochSoFar = null;
    }
    return {
      interrupted,
      rows: order.slice(first, done),
      logits: logits.subarray(0, (done - first) * layout.width),
      tokenLogits: joinArrays(tokens),
      masked: counter?.tally ?? null,
      movedLabels: augment === undefined ? null : joinLabels(layout, moved),
      meanGradientNorm: steps === 0 ? 0 : gradientNormSum / steps,
    };
  }

  #epochOrder({ inputs }: Pick<Dataset, "inputs">, rows: Int32Array): Int32Array {
    const { batchSize, seed } = this.#config;
    const { epoch } = this.#position;
    const lengths = sequenceLengths(inputs);
    return lengths === null ? epochOrder(rows, seed, epoch) : bucketedOrder(rows, lengths, batchSize, seed, epoch);
  }

  /**
   * One update.
   * @param logitsOut receives the batch's logits, [rows, layout.width], from its start
   * @param report is given the logits of all parts, views that it must not keep
   * @throws TrainingError where the loss or the gradient is not finite; the network is as before the step
   */
  step(
    inputs: InputBatch,
    targets: BatchTargets,
    learningRate: number,
    logitsOut?: Float32Array,
    report?: PartsReport,
  ): { readonly loss: BatchLoss; readonly gradientNorm: number } {
    const { step, epoch, batch } = this.#position;
    // a reshaped tensor shares the data, where a clone may copy it
    const statistics = this.network.statistics.map((variable) => tf.reshape(variable as tf.Tensor, variable.shape));
    try {
      const loss = withSeededRandom(`${this.#config.seed}/step/${step}`, () =>
        this.#backpropagate(inputs, targets, logitsOut, report),
      );
      this.#assertFiniteLoss(loss);
      const gradientNorm = clipByGlobalNorm(this.#gradient, this.#config.clipNorm);
      this.#assertFiniteGradient(gradientNorm);
      this.#optimizer.apply(this.#parameters, this.#gradient, learningRate);
      writeAll(this.#variables, this.#parameters);
      this.#weights.update(loss, learningRate);
      this.#position = { epoch, batch: batch + 1, step: step + 1 };
      return { loss, gradientNorm };
    } catch (error) {
      // the forward pass has moved the averages of batch normalization
      for (const [i, variable] of this.network.statistics.entries()) variable.assign(statistics[i] as tf.Tensor);
      throw error;
    } finally {
      tf.dispose(statistics);
    }
  }

  /** Forward and backward pass; writes the flat gradient. */
  #backpropagate(inputs: InputBatch, targets: BatchTargets, logitsOut?: Float32Array, report?: PartsReport): BatchLoss {
    const { network } = this;
    const { layout } = network;
    let loss: BatchLoss = { total: Number.NaN, tasks: [] };
    const objective = (): tf.Scalar => {
      const hidden = targets.masked ?? new Int32Array(0);
      const parts = network.partLogits(network.inputTensors(inputs, targets.rows), true, hidden);
      const masked = maskedLoss(oneVector(parts), layout, targets, this.#weights, (batch, values) => {
        loss = batch;
        logitsOut?.set(values.subarray(0, targets.rows * layout.width));
        report?.(valuesOfParts(layout, targets, values), batch);
      });
      return network.penalties().reduce((total, penalty) => tf.add(total, penalty), masked);
    };
    tf.tidy(() => {
      const { grads } = tf.variableGrads(objective, [...this.#variables]);
      let at = 0;
      for (const { name, size } of this.#variables) {
        const gradient = grads[name];
        // a layer may have weights that its output does not depend on
        if (gradient === undefined) this.#gradient.fill(0, at, at + size);
        else this.#gradient.set(gradient.dataSync() as Float32Array, at);
        at += size;
      }
    });
    return loss;
  }

  /** The flat gradient of the latest step, clipped. */
  get gradient(): Float32Array {
    return this.#gradient;
  }

  #assertFiniteLoss({ total, tasks }: BatchLoss): void {
    if (Number.isFinite(total)) return;
    const { tasks: nodes } = this.network.graph;
    const task = nodes[tasks.findIndex(({ sum }) => !Number.isFinite(sum))]?.path ?? null;
    this.#fail(
      `The loss of ${task === null ? "all tasks together" : `task "${task}"`} is ${total}`,
      "Lower train.optimizer.learningRate, set train.clipNorm, or look for extreme labels or weights.",
      { task, loss: String(total) },
    );
  }

  #assertFiniteGradient(norm: number): void {
    if (Number.isFinite(norm)) return;
    this.#fail(`The gradient is ${norm}`, "Lower train.optimizer.learningRate or set train.clipNorm.", {
      gradientNorm: String(norm),
    });
  }

  #fail(problem: string, wayOut: string, facts: Facts): never {
    const { step, epoch, batch } = this.#position;
    throw new TrainingError(
      `${problem} at step ${step + 1} (epoch ${epoch}, batch ${batch + 1}). The weights before this step are kept. ${wayOut}`,
      { ...facts, step: step + 1, epoch },
    );
  }
}

/**
 * The total loss as one differentiable op: value and gradient come from the same plain function over typed arrays,
 * so that tfjs only has to carry the gradient from the logits to the weights.
 */
function maskedLoss(
  logits: tf.Tensor1D,
  layout: HeadLayout,
  targets: BatchTargets,
  weights: TaskWeights,
  report: (loss: BatchLoss, logits: Float32Array) => void,
): tf.Scalar {
  const op = tf.customGrad((input) => {
    const values = (input as tf.Tensor1D).dataSync() as Float32Array;
    const gradient = new Float32Array(values.length);
    const weighted = batchLoss(layout, values, targets, gradient, undefined, weights.factors);
    const loss = { ...weighted, total: weighted.total + weights.regularizer(weighted) };
    report(loss, values);
    return {
      value: tf.scalar(loss.total),
      // nothing is computed from the total but sums, so the gradient that arrives here is 1
      gradFunc: () => tf.tensor1d(gradient),
    };
  });
  return op(logits) as tf.Scalar;
}

/** Receives the logits of a step's parts and what the loss was. */
export type PartsReport = (parts: PartValues, loss: BatchLoss) => void;

/** Logits of all parts, one after the other. */
function oneVector({ sample, token, masked }: BatchLogits): tf.Tensor1D {
  const parts = [sample, token, masked].flatMap((part) => (part === null ? [] : [tf.reshape(part, [-1])]));
  const [only] = parts;
  return (parts.length === 1 && only !== undefined ? only : tf.concat(parts)) as tf.Tensor1D;
}

function valuesOfParts(layout: HeadLayout, targets: BatchTargets, values: Float32Array): PartValues {
  const parts = partsOf(layout, targets);
  return {
    sample: values.subarray(0, parts.token.start),
    token: values.subarray(parts.token.start, parts.masked.start),
    masked: values.subarray(parts.masked.start),
  };
}

/** Where the tokens of a batch lie; null where no task is asked per token. */
export function tokenSpans(
  { inputs: specs, layout }: Network,
  { offsets }: Pick<Dataset, "offsets">,
  batch: InputBatch,
  rows: number,
): BatchTokens | null {
  if (offsets == null || layout.tokenWidth + layout.maskedWidth === 0) return null;
  return { offsets, length: (tokenIds(specs, batch)?.length ?? 0) / rows };
}

/** Inputs of some rows of a dataset. */
export function readInputs(network: Network, dataset: Pick<Dataset, "inputs">, rows: ArrayLike<number>): InputBatch {
  return Object.fromEntries(
    Object.keys(network.inputs).map((name) => [name, (dataset.inputs[name] as InputSource).read(rows)]),
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
