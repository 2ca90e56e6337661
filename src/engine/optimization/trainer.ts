/** @file Training: the order of the batches, one step after the other, and what an epoch has seen. */
import { setImmediate as eventLoop } from "node:timers/promises";
import { bucketedOrder, epochOrder, sequenceLengths } from "../../data/batches.js";
import type { Dataset } from "../../data/dataset.js";
import { type Facts, TrainingError } from "../../errors.js";
import type { RowMask } from "../../flow/masks.js";
import { joinArrays } from "../batches/arrays.js";
import type { BatchAugmenter } from "../batches/augment.js";
import { type Batch, createBatchReader, type TrainingData } from "../batches/batch-reader.js";
import { type BatchLoss, maxGradientPerTask } from "./losses.js";
import type { ShardPlace } from "../batches/shards.js";
import type { BatchTargets } from "../batches/targets.js";
import type { BatchMasker } from "../batches/mask-tokens.js";
import type { Network } from "../model/network.js";
import type { InputBatch } from "../model/input-batch.js";
import { tokenInputOf } from "../model/padded-tokens.js";
import type { EpochSoFar, TrainerPosition, TrainerSnapshot } from "../model/training-state.js";
import { type BatchOutputs, outputsOfBatch } from "../batches/outputs.js";
import { EagerSteps } from "./eager-step.js";
import { EpochRecord, type EpochReport } from "./epoch-record.js";
import type { StepConfig, StepEngine, StepOutcome } from "./step-engine.js";
import { createTaskWeights, type TaskWeighting, type TaskWeights } from "./task-weights.js";

export interface TrainerConfig extends StepConfig {
  readonly batchSize: number;
  readonly seed: number;
  /** Default `constant`. */
  readonly taskWeighting?: TaskWeighting;
}

export interface StepReport extends TrainerPosition {
  readonly batches: number;
  readonly rows: number;
  readonly loss: BatchLoss;
  readonly gradientNorm: number;
}

export interface EpochOptions {
  /** Ends the epoch after the current step. */
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((report: StepReport) => void) | undefined;
  /** Changes every batch before its step. */
  readonly augment?: BatchAugmenter | undefined;
  /** Hides tokens of every batch before its step. */
  readonly mask?: BatchMasker | undefined;
  /** Awaited after each step but the epoch's last. */
  readonly afterStep?: ((position: TrainerPosition) => Promise<void> | undefined) | undefined;
}

/** The same in every step, or a function of the steps before. */
export type LearningRate = number | ((step: number) => number);

/** Trains a network on the rows of a dataset. Owns the parameter vector and the optimizer. */
export class Trainer {
  readonly network: Network;
  /** Computes the steps. */
  readonly engine: StepEngine;
  readonly #config: TrainerConfig;
  readonly #weights: TaskWeights;
  #position: TrainerPosition;
  /** null at the start of an epoch, and where its beginning is not known. */
  #epochSoFar: EpochSoFar | null;

  /** @param engine holds the optimizer's state of `resume`; default: tfjs, kernel by kernel */
  constructor(
    network: Network,
    config: TrainerConfig,
    resume?: TrainerSnapshot,
    engine: StepEngine = new EagerSteps(network, config, resume?.optimizer),
  ) {
    this.network = network;
    this.engine = engine;
    this.#config = config;
    const { taskWeighting = "constant", optimizer } = config;
    this.#weights = createTaskWeights(taskWeighting, network.layout, optimizer, resume?.optimizer);
    this.#position = resume?.position ?? { epoch: 1, batch: 0, step: 0 };
    this.#epochSoFar = resume?.epoch ?? null;
  }

  get position(): TrainerPosition {
    return this.#position;
  }

  /** Learned log-variances of the tasks in the order of the graph; null where a task has none. */
  get logVariances(): readonly (number | null)[] {
    return this.#weights.logVariances;
  }

  /**
   * Runs the rest of the current epoch. The network then has the weights that are to be evaluated: their moving average
   * where one is kept.
   * @param rows training rows of the dataset
   * @param masks loss mask of each task over all rows of the dataset
   * @param learningRate of all steps, or of each, by the number of those before
   * @throws TrainingError where the loss is not finite; weights are those before the step
   */
  async finishEpoch(
    dataset: TrainingData,
    rows: Int32Array,
    masks: readonly RowMask[],
    learningRate: LearningRate,
    options: EpochOptions = {},
  ): Promise<EpochReport> {
    const { batchSize } = this.#config;
    const { augment, mask, signal } = options;
    const order = this.#epochOrder(dataset, rows);
    const batches = Math.ceil(order.length / batchSize);
    const read = this.#batchesOf(order, dataset, masks, options);
    const record = new EpochRecord(this.network, order, {
      resumedAt: this.#position.batch * batchSize,
      before: this.#epochSoFar,
      batchSize,
      augments: augment !== undefined,
      masks: mask !== undefined,
    });
    // batches before an interruption are drawn again, as they were
    for (let at = record.first; augment !== undefined && at < record.done; at += batchSize) {
      const batch = await read(at);
      if (batch !== null) record.addMoved(batch.targets);
    }
    let next = read(record.done);
    while (next !== null && signal?.aborted !== true) {
      const batch = await next;
      const { inputs, targets, place } = batch;
      record.addMoved(targets);
      const rate = typeof learningRate === "number" ? learningRate : learningRate(this.#position.step);
      const report: OutputsReport = (outputs, loss) => record.addOutputs(outputs, loss, targets);
      const stepping = this.step(inputs, targets, rate, record.room, report, place);
      // while the step runs
      next = read(record.done + batch.rows.length);
      const { loss, gradientNorm, pairs } = await stepping;
      record.addPairs(pairs);
      record.advance(batch.rows.length, gradientNorm);
      this.#epochSoFar = record.soFar;
      options.onStep?.({ ...this.#position, batches, rows: batch.rows.length, loss, gradientNorm });
      if (!record.isComplete) await options.afterStep?.(this.#position);
      // lets signals, heartbeats and progress through between steps
      await eventLoop();
    }
    await this.engine.writeBack("averaged");
    if (record.isComplete) {
      this.#position = { epoch: this.#position.epoch + 1, batch: 0, step: this.#position.step };
      this.#epochSoFar = null;
    }
    return record.report();
  }

  /** @returns reads the batch that begins at a place of the order; null after its end */
  #batchesOf(
    order: Int32Array,
    dataset: TrainingData,
    masks: readonly RowMask[],
    { augment, mask }: EpochOptions,
  ): (at: number) => Promise<Batch> | null {
    const { ownRows } = this.engine;
    const changes = { epoch: this.#position.epoch, augment, mask, ownRows };
    const reader = createBatchReader(this.network, dataset, masks, changes);
    return (at) => {
      if (at >= order.length) return null;
      const reading = reader(order.subarray(at, at + this.#config.batchSize));
      // it is awaited a step later: until then its failure must not count as one that nobody handles
      reading.catch(() => {});
      return reading;
    };
  }

  #epochOrder({ inputs }: Pick<Dataset, "inputs">, rows: Int32Array): Int32Array {
    const { batchSize, seed } = this.#config;
    const { epoch } = this.#position;
    // texts that only a model beside the network reads need no batches of like length
    const counted = tokenInputOf(this.network.inputs);
    const read = Object.entries(inputs).filter(([name]) => this.network.inputs[name] !== undefined || name === counted);
    const lengths = sequenceLengths(Object.fromEntries(read));
    return lengths === null ? epochOrder(rows, seed, epoch) : bucketedOrder(rows, lengths, batchSize, seed, epoch);
  }

  /**
   * One update.
   * @param logitsOut receives the batch's logits, [rows, layout.width], from its start
   * @param report is given what is kept of the logits
   * @param place of the rows that the inputs are of; undefined: all rows of the targets
   * @throws TrainingError where the loss or the gradient is not finite; the network is as before the step
   */
  async step(
    inputs: InputBatch,
    targets: BatchTargets,
    learningRate: number,
    logitsOut?: Float32Array,
    report?: OutputsReport,
    place?: ShardPlace,
  ): Promise<Pick<StepOutcome, "loss" | "gradientNorm" | "pairs">> {
    const { step, epoch, batch } = this.#position;
    const { factors } = this.#weights;
    const seed = `${this.#config.seed}/step/${step}`;
    const outcome = await this.engine.step({ inputs, targets, factors, learningRate, seed, place });
    const { gradientNorm, logits } = outcome;
    const loss = { ...outcome.loss, total: outcome.loss.total + this.#weights.regularizer(outcome.loss) };
    this.#assertFiniteLoss(loss);
    if (!Number.isFinite(gradientNorm)) this.#failForGradient(outcome, targets);
    logitsOut?.set(logits.sample);
    report?.(outcome.outputs ?? outputsOfBatch(this.network, logits, inputs, targets.rows, targets), loss);
    this.#weights.update(loss, learningRate);
    this.#position = { epoch, batch: batch + 1, step: step + 1 };
    return { loss, gradientNorm, pairs: outcome.pairs ?? [] };
  }

  /**
   * What a checkpoint keeps beside the weights, which it brings up to date.
   * @returns state that belongs to `position`
   */
  async snapshot(): Promise<TrainerSnapshot> {
    await this.engine.writeBack("trained");
    const { updates, slots } = await this.engine.optimizerState();
    return {
      position: this.#position,
      optimizer: { updates, slots: { ...slots, ...this.#weights.slots } },
      epoch: this.#epochSoFar ?? undefined,
    };
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

  /** Names the tasks at whose logits the gradient is not finite or, where it overflows further down, the steepest. */
  #failForGradient({ gradientNorm: norm, logits, outputs }: StepOutcome, targets: BatchTargets): never {
    const { graph, layout } = this.network;
    const { sample, token, masked } = logits;
    // replicas keep the logits of tokens
    if (outputs !== undefined && layout.tokenWidth + layout.maskedWidth > 0) {
      this.#fail(`The gradient is ${norm}`, "Lower train.optimizer.learningRate or set train.clipNorm.", {
        gradientNorm: String(norm),
      });
    }
    const largest = maxGradientPerTask(layout, joinArrays([sample, token, masked]), targets, this.#weights.factors);
    const unsound = graph.tasks.filter(({ index }) => largest[index] === Number.POSITIVE_INFINITY);
    const steepest = graph.tasks[largest.indexOf(Math.max(...largest))];
    const whose =
      unsound.length > 0
        ? `The gradient of ${unsound.length === 1 ? "task" : "tasks"} ${unsound.map(({ path }) => `"${path}"`).join(", ")} is not finite`
        : `The gradient is ${norm} in the trunk or a head, though it is finite at every task's logits (the steepest is that of task "${steepest?.path}")`;
    const tasks = unsound.map(({ path }) => path);
    this.#fail(
      whose,
      "Lower train.optimizer.learningRate, set train.clipNorm, or look for extreme labels or weights.",
      {
        tasks,
        steepest: steepest?.path ?? null,
        gradientNorm: String(norm),
      },
    );
  }

  #fail(problem: string, wayOut: string, facts: Facts): never {
    const { step, epoch, batch } = this.#position;
    throw new TrainingError(
      `${problem} at step ${step + 1} (epoch ${epoch}, batch ${batch + 1}). The weights before this step are kept. ${wayOut}`,
      { ...facts, step: step + 1, epoch },
    );
  }
}

/** Receives what is kept of a step's logits, and what the loss was. */
export type OutputsReport = (outputs: BatchOutputs, loss: BatchLoss) => void;
