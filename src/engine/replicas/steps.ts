/** @file A step on several replicas: each computes the gradient of its shard, and one optimizer applies their sum. */
import { at } from "../../arrays.js";
import { type BatchLoss, countTerms, joinLosses, type TaskLoss } from "../optimization/losses.js";
import type { LogitValues } from "../model/layout.js";
import type { Network } from "../model/network.js";
import {
  joinOutputs,
  partsOfBatch,
  seedOfPart,
  type Shard,
  type ShardPlace,
  shardOf,
  shardPlaces,
} from "../batches/shards.js";
import type { BatchOutputs } from "../batches/outputs.js";
import { clipByGlobalNorm } from "../optimization/clip.js";
import type { Optimizer } from "../optimization/optimizer.js";
import { AVERAGE, createUpdater } from "../optimization/weight-average.js";
import type { OptimizerState } from "../model/training-state.js";
import { readParameters, writeParameters } from "../model/parameters.js";
import type { StepBatch, StepConfig, StepEngine, StepOutcome, WeightsKind } from "../optimization/step-engine.js";
import type { Weights } from "./messages.js";
import type { ShardGroup, ShardRequest, ShardResults } from "./shard-group.js";

/** A part of a batch, whose inputs may be those of the rows that are computed here. */
interface WholeOrOwn extends Pick<Shard, "inputs" | "targets"> {
  readonly own?: ShardPlace | undefined;
}

const NONE = new Float32Array(0);
const NO_LOGITS: LogitValues = { sample: NONE, token: NONE, masked: NONE };

/**
 * Trains a flat copy of the network's weights, whose replicas have it in shared memory. The same mathematics as one
 * replica: masked means have the denominators of the whole batch, and gradients are added in the order of the ranks.
 */
export class ReplicaSteps implements StepEngine {
  readonly #network: Network;
  readonly #group: ShardGroup;
  readonly #config: StepConfig;
  readonly #gradient: Float32Array;
  readonly #optimizer: Optimizer;
  /** In shared memory; another object whenever replicas must read them again. */
  #weights: Weights;
  /** The same with the averaged parameters, while these are what the network holds. */
  #averaged: Weights | null = null;

  /** @param group replicas of the network, which go on when the engine is disposed of */
  constructor(network: Network, config: StepConfig, group: ShardGroup, restored?: OptimizerState) {
    this.#network = network;
    this.#group = group;
    this.#config = config;
    this.#weights = {
      parameters: shared(readParameters(network.trainable)),
      statistics: shared(readParameters(network.statistics)),
    };
    const size = this.#weights.parameters.length;
    this.#gradient = new Float32Array(size);
    this.#optimizer = createUpdater(config, size, restored);
  }

  async step(batch: StepBatch): Promise<StepOutcome> {
    this.#averaged = null;
    const { loss, outputs, statistics } = await this.#computeGradient(batch);
    const gradientNorm = clipByGlobalNorm(this.#gradient, this.#config.clipNorm);
    const applied = Number.isFinite(loss.total) && Number.isFinite(gradientNorm);
    if (applied) {
      this.#optimizer.apply(this.#weights.parameters, this.#gradient, batch.learningRate);
      this.#weights.statistics.set(statistics);
    }
    // also where nothing was applied: the averages of batch normalization have moved on the replicas
    this.#weights = { ...this.#weights };
    return { loss, gradientNorm, logits: { ...NO_LOGITS, sample: outputs.sample }, outputs, applied };
  }

  /** The sum of the gradients of all parts of a batch, one after the other, and of all shards of each. */
  async #computeGradient({ inputs, targets, factors, seed, place }: StepBatch): Promise<{
    readonly loss: BatchLoss;
    readonly outputs: BatchOutputs;
    readonly statistics: Float32Array;
  }> {
    const { layout } = this.#network;
    const { accumulate = 1 } = this.#config;
    const denominators = countTerms(layout, targets);
    const parts: WholeOrOwn[] =
      accumulate === 1 ? [{ inputs, targets, own: place }] : [...partsOfBatch(layout, inputs, targets, accumulate)];
    this.#gradient.fill(0);
    const losses: BatchLoss[] = [];
    const outputs: BatchOutputs[] = [];
    let statistics: Float32Array = this.#weights.statistics;
    for (const [i, part] of parts.entries()) {
      const done = await this.#stepShards(part, { factors, denominators, seed: seedOfPart(seed, i) }, i === 0);
      losses.push(totalOf(done.sums, denominators, factors));
      outputs.push(done.outputs);
      statistics = done.statistics ?? statistics;
    }
    return { loss: joinLosses(losses), outputs: joinOutputs(outputs), statistics };
  }

  #stepShards(
    { inputs, targets, own }: WholeOrOwn,
    options: Pick<ShardRequest, "factors" | "denominators" | "seed">,
    isFirstPart: boolean,
  ): Promise<ShardResults> {
    const places = shardPlaces(targets.rows, this.#group.size);
    const requestOf = (rank: number): ShardRequest => ({
      kind: "step",
      ...shardOf(this.#network.layout, own === undefined ? inputs : {}, targets, at(places, rank)),
      ...(own === undefined ? {} : { inputs }),
      ...options,
      penalties: isFirstPart && rank === 0,
    });
    return this.#group.step(this.#weights, requestOf, this.#gradient);
  }

  /** Accumulated parts are shared out one by one: then each replica has rows from all over the batch. */
  get ownRows(): ShardGroup["ownRows"] {
    return (this.#config.accumulate ?? 1) === 1 ? this.#group.ownRows : undefined;
  }

  /** What the replicas have, or will have before they compute again. */
  get weights(): Weights {
    return this.#averaged ?? this.#weights;
  }

  /** The flat gradient of the latest step, clipped. */
  get gradient(): Float32Array {
    return this.#gradient;
  }

  get parameterCount(): number {
    return this.#gradient.length;
  }

  async optimizerState(): Promise<OptimizerState> {
    return this.#optimizer.state;
  }

  async writeBack(kind: WeightsKind): Promise<void> {
    const { updates, slots } = this.#optimizer.state;
    const average = kind === "trained" || updates === 0 ? undefined : slots[AVERAGE];
    // another object each time, so that replicas are given it
    this.#averaged = average === undefined ? null : { ...this.#weights, parameters: shared(average) };
    writeParameters(this.#network.trainable, this.weights.parameters);
    writeParameters(this.#network.statistics, this.#weights.statistics);
  }

  async dispose(): Promise<void> {}
}

/** A copy in memory that threads read where it lies. */
function shared(values: Float32Array): Float32Array {
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

function totalOf(
  sums: readonly (readonly number[])[],
  denominators: readonly number[],
  factors: readonly number[],
): BatchLoss {
  let total = 0;
  const tasks = denominators.map((terms, task): TaskLoss => {
    const sum = sums.reduce((all, own) => all + at(own, task), 0);
    if (terms > 0) total += at(factors, task) * (sum / terms);
    return { sum, terms };
  });
  return { total, tasks };
}
