/** @file A step as tfjs runs it, kernel by kernel, with the optimizer over one flat vector. */
import * as tf from "@tensorflow/tfjs-core";
import { at } from "../../arrays.js";
import type { Network } from "../model/network.js";
import { clipByGlobalNorm, createOptimizer, type Optimizer } from "./optimizer.js";
import type { OptimizerState } from "../model/training-state.js";
import { readParameters, writeParameters } from "../model/parameters.js";
import { computeGradient } from "./gradients.js";
import type { StepBatch, StepConfig, StepEngine, StepOutcome } from "./step-engine.js";

/** Trains the network's own variables, on whatever backend is active. */
export class EagerSteps implements StepEngine {
  readonly #network: Network;
  readonly #clipNorm: number | null;
  readonly #variables: readonly tf.Variable[];
  readonly #parameters: Float32Array;
  readonly #gradient: Float32Array;
  readonly #optimizer: Optimizer;

  constructor(network: Network, { optimizer, clipNorm }: StepConfig, restored?: OptimizerState) {
    this.#network = network;
    this.#clipNorm = clipNorm;
    this.#variables = network.trainable;
    this.#parameters = readParameters(this.#variables);
    this.#gradient = new Float32Array(this.#parameters.length);
    this.#optimizer = createOptimizer(optimizer, this.#parameters.length, restored);
  }

  async step({ inputs, targets, learningRate, ...options }: StepBatch): Promise<StepOutcome> {
    // lets the next batch begin to be read, maybe in another thread, before this one is at work
    await null;
    const { statistics } = this.#network;
    // a reshaped tensor shares the data, where a clone may copy it
    const before = statistics.map((variable) => tf.reshape(variable as tf.Tensor, variable.shape));
    let applied = false;
    try {
      const { loss, logits } = computeGradient(this.#network, inputs, targets, this.#gradient, options);
      const gradientNorm = clipByGlobalNorm(this.#gradient, this.#clipNorm);
      if (Number.isFinite(loss.total) && Number.isFinite(gradientNorm)) {
        this.#optimizer.apply(this.#parameters, this.#gradient, learningRate);
        writeParameters(this.#variables, this.#parameters);
        applied = true;
      }
      return { loss, gradientNorm, logits, applied };
    } finally {
      // the forward pass has moved the averages of batch normalization
      if (!applied) for (const [i, variable] of statistics.entries()) variable.assign(at(before, i));
      tf.dispose(before);
    }
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

  async writeBack(): Promise<void> {}

  async dispose(): Promise<void> {}
}
