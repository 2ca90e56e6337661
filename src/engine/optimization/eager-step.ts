/** @file A step as tfjs runs it, kernel by kernel, with the optimizer over one flat vector. */
import * as tf from "@tensorflow/tfjs-core";
import { at } from "../../arrays.js";
import { addTo } from "../batches/arrays.js";
import { joinLogits, partsOfBatch, seedOfPart } from "../batches/shards.js";
import type { LogitValues } from "../model/layout.js";
import type { Network } from "../model/network.js";
import { clipByGlobalNorm } from "./clip.js";
import type { Optimizer } from "./optimizer.js";
import type { OptimizerState } from "../model/training-state.js";
import { readParameters, writeParameters } from "../model/parameters.js";
import type { TaskPair } from "./conflicts.js";
import { computeGradient } from "./gradients.js";
import { type BatchLoss, countTerms, joinLosses } from "./losses.js";
import type { StepBatch, StepConfig, StepEngine, StepOutcome, WeightsKind } from "./step-engine.js";
import { AVERAGE, createUpdater } from "./weight-average.js";

/** Trains the network's own variables, on whatever backend is active. */
export class EagerSteps implements StepEngine {
  readonly #network: Network;
  readonly #config: StepConfig;
  readonly #variables: readonly tf.Variable[];
  readonly #parameters: Float32Array;
  readonly #gradient: Float32Array;
  readonly #optimizer: Optimizer;
  /** What the network's variables hold. */
  #written: WeightsKind = "trained";

  constructor(network: Network, config: StepConfig, restored?: OptimizerState) {
    this.#network = network;
    this.#config = config;
    this.#variables = network.trainable;
    this.#parameters = readParameters(this.#variables);
    this.#gradient = new Float32Array(this.#parameters.length);
    this.#optimizer = createUpdater(config, this.#parameters.length, restored);
  }

  async step(batch: StepBatch): Promise<StepOutcome> {
    // lets the next batch begin to be read, maybe in another thread, before this one is at work
    await null;
    await this.writeBack("trained");
    const { statistics } = this.#network;
    // a reshaped tensor shares the data, where a clone may copy it
    const before = statistics.map((variable) => tf.reshape(variable as tf.Tensor, variable.shape));
    let applied = false;
    try {
      const { loss, logits, pairs } = this.#computeGradient(batch);
      const gradientNorm = clipByGlobalNorm(this.#gradient, this.#config.clipNorm);
      if (Number.isFinite(loss.total) && Number.isFinite(gradientNorm)) {
        this.#optimizer.apply(this.#parameters, this.#gradient, batch.learningRate);
        writeParameters(this.#variables, this.#parameters);
        applied = true;
      }
      return { loss, gradientNorm, logits, pairs, applied };
    } finally {
      // the forward pass has moved the averages of batch normalization
      if (!applied) for (const [i, variable] of statistics.entries()) variable.assign(at(before, i));
      tf.dispose(before);
    }
  }

  #computeGradient({ inputs, targets, factors, seed }: StepBatch): {
    readonly loss: BatchLoss;
    readonly logits: LogitValues;
    readonly pairs: readonly TaskPair[];
  } {
    const network = this.#network;
    const { accumulate = 1, conflicts = "add" } = this.#config;
    if (accumulate === 1) {
      return computeGradient(network, inputs, targets, this.#gradient, { factors, seed, conflicts });
    }
    const denominators = countTerms(network.layout, targets);
    const gradient = new Float32Array(this.#gradient.length);
    this.#gradient.fill(0);
    const parts = partsOfBatch(network.layout, inputs, targets, accumulate).map((part, i) => {
      const options = { factors, denominators, seed: seedOfPart(seed, i), penalties: i === 0 };
      const { loss, logits } = computeGradient(network, part.inputs, part.targets, gradient, options);
      addTo(this.#gradient, gradient);
      return { loss, logits };
    });
    return {
      loss: joinLosses(parts.map(({ loss }) => loss)),
      logits: joinLogits(parts.map(({ logits }) => logits)),
      pairs: [],
    };
  }

  /** The flat gradient of the latest step, clipped. */
  get gradient(): Float32Array {
    return this.#gradient;
  }

  get parameterCount(): number {
    return this.#parameters.length;
  }

  async optimizerState(): Promise<OptimizerState> {
    return this.#optimizer.state;
  }

  async writeBack(kind: WeightsKind): Promise<void> {
    const { updates, slots } = this.#optimizer.state;
    const average = updates === 0 ? undefined : slots[AVERAGE];
    if (average === undefined || kind === this.#written) return;
    writeParameters(this.#variables, kind === "averaged" ? average : this.#parameters);
    this.#written = kind;
  }

  async dispose(): Promise<void> {}
}
