/** @file A step on several replicas: each computes the gradient of its shard, and one optimizer applies their sum. */
import { at, f32At } from "../../arrays.js";
import { type BatchLoss, countTerms, type TaskLoss } from "../optimization/losses.js";
import type { LogitValues } from "../model/layout.js";
import type { Network } from "../model/network.js";
import { clipByGlobalNorm, createOptimizer, type Optimizer } from "../optimization/optimizer.js";
import type { OptimizerState } from "../model/training-state.js";
import { readParameters, writeParameters } from "../model/parameters.js";
import type { StepBatch, StepConfig, StepEngine, StepOutcome } from "../optimization/step-engine.js";
import type { ReplicaGroup } from "./group.js";
import type { StepReply, Weights } from "./messages.js";
import { joinOutputs, shardOf, shardPlaces } from "./shards.js";

const NONE = new Float32Array(0);
const NO_LOGITS: LogitValues = { sample: NONE, token: NONE, masked: NONE };

/**
 * Trains a flat copy of the network's weights, whose replicas have it in shared memory. The same mathematics as one
 * replica: masked means have the denominators of the whole batch, and gradients are added in the order of the ranks.
 */
export class ReplicaSteps implements StepEngine {
  readonly #network: Network;
  readonly #group: ReplicaGroup;
  readonly #clipNorm: number | null;
  readonly #gradient: Float32Array;
  readonly #optimizer: Optimizer;
  /** In shared memory; another object whenever replicas must read them again. */
  #weights: Weights;

  /** @param group replicas of the network, which go on when the engine is disposed of */
  constructor(network: Network, { optimizer, clipNorm }: StepConfig, group: ReplicaGroup, restored?: OptimizerState) {
    this.#network = network;
    this.#group = group;
    this.#clipNorm = clipNorm;
    this.#weights = {
      parameters: shared(readParameters(network.trainable)),
      statistics: shared(readParameters(network.statistics)),
    };
    const size = this.#weights.parameters.length;
    this.#gradient = new Float32Array(size);
    this.#optimizer = createOptimizer(optimizer, size, restored);
  }

  async step({ inputs, targets, factors, learningRate, seed }: StepBatch): Promise<StepOutcome> {
    const { layout } = this.#network;
    const denominators = countTerms(layout, targets);
    const places = shardPlaces(targets.rows, this.#group.size);
    const shards = places.map((place) => shardOf(layout, inputs, targets, place));
    const replies = await this.#group.ask("step", (rank) => ({
      kind: "step",
      weights: this.#group.weightsFor(rank, this.#weights),
      ...at(shards, rank),
      factors,
      denominators,
      seed,
    }));
    sumGradients(replies, this.#gradient);
    const gradientNorm = clipByGlobalNorm(this.#gradient, this.#clipNorm);
    const loss = totalOf(replies, denominators, factors);
    const applied = Number.isFinite(loss.total) && Number.isFinite(gradientNorm);
    if (applied) {
      this.#optimizer.apply(this.#weights.parameters, this.#gradient, learningRate);
      this.#weights.statistics.set(replies[0]?.statistics ?? []);
    }
    // also where nothing was applied: the averages of batch normalization have moved on the replicas
    this.#weights = { ...this.#weights };
    const outputs = joinOutputs(replies.map((reply) => reply.outputs));
    return { loss, gradientNorm, logits: { ...NO_LOGITS, sample: outputs.sample }, outputs, applied };
  }

  /** What the replicas have, or will have before they compute again. */
  get weights(): Weights {
    return this.#weights;
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

  async writeBack(): Promise<void> {
    writeParameters(this.#network.trainable, this.#weights.parameters);
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

/** In the order of the ranks, so that the same replicas round alike. */
function sumGradients(replies: readonly StepReply[], sum: Float32Array): void {
  replies.forEach(({ gradient }, rank) => {
    if (rank === 0) sum.set(gradient);
    else for (let i = 0; i < sum.length; i++) sum[i] = f32At(sum, i) + f32At(gradient, i);
  });
}

function totalOf(
  replies: readonly StepReply[],
  denominators: readonly number[],
  factors: readonly number[],
): BatchLoss {
  let total = 0;
  const tasks = denominators.map((terms, task): TaskLoss => {
    const sum = replies.reduce((all, { sums }) => all + at(sums, task), 0);
    if (terms > 0) total += at(factors, task) * (sum / terms);
    return { sum, terms };
  });
  return { total, tasks };
}
