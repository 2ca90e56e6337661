/** @file Lion: steps of one size, in the direction of a momentum's signs. */
import { f32At } from "../../../arrays.js";
import type { OptimizerState } from "../../model/training-state.js";
import { type Optimizer, slot } from "./slots.js";

export interface LionConfig {
  readonly kind: "lion";
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  /** Decoupled weight decay. */
  readonly weightDecay: number;
}

/** Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), Algorithm 2. */
export class Lion implements Optimizer {
  readonly #config: LionConfig;
  readonly #mean: Float32Array;
  #updates: number;

  constructor(config: LionConfig, size: number, restored?: OptimizerState) {
    this.#config = config;
    this.#updates = restored?.updates ?? 0;
    this.#mean = slot(restored, "mean", size);
  }

  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void {
    const { beta1, beta2, weightDecay } = this.#config;
    const mean = this.#mean;
    this.#updates += 1;
    const keep = 1 - learningRate * weightDecay;
    for (let i = 0; i < parameters.length; i++) {
      const g = f32At(gradient, i);
      const m = f32At(mean, i);
      parameters[i] = keep * f32At(parameters, i) - learningRate * Math.sign(beta1 * m + (1 - beta1) * g);
      mean[i] = beta2 * m + (1 - beta2) * g;
    }
  }

  get state(): OptimizerState {
    return { updates: this.#updates, slots: { mean: this.#mean } };
  }
}
