/** @file Adam, with weight decay as a penalty or apart from the gradient. */
import { f32At } from "../../../arrays.js";
import type { OptimizerState } from "../../model/training-state.js";
import { type Optimizer, slot } from "./slots.js";

interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export interface AdamConfig extends AdamOptions {
  readonly kind: "adam";
  /** L2 penalty added to the gradient. */
  readonly weightDecay: number;
}

export interface AdamWConfig extends AdamOptions {
  readonly kind: "adamw";
  /** Decoupled weight decay. */
  readonly weightDecay: number;
}

/**
 * Kingma & Ba (2015), Algorithm 1, as in torch.optim.Adam; with decoupled weight decay Loshchilov & Hutter (2019),
 * Algorithm 2, as in torch.optim.AdamW.
 */
export class Adam implements Optimizer {
  readonly #config: AdamConfig | AdamWConfig;
  readonly #mean: Float32Array;
  readonly #variance: Float32Array;
  #updates: number;

  constructor(config: AdamConfig | AdamWConfig, size: number, restored?: OptimizerState) {
    this.#config = config;
    this.#updates = restored?.updates ?? 0;
    this.#mean = slot(restored, "mean", size);
    this.#variance = slot(restored, "variance", size);
  }

  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void {
    const { kind, beta1, beta2, epsilon, weightDecay } = this.#config;
    const mean = this.#mean;
    const variance = this.#variance;
    this.#updates += 1;
    const stepSize = learningRate / (1 - beta1 ** this.#updates);
    const correction = 1 / Math.sqrt(1 - beta2 ** this.#updates);
    const keep = kind === "adamw" ? 1 - learningRate * weightDecay : 1;
    const penalty = kind === "adam" ? weightDecay : 0;
    for (let i = 0; i < parameters.length; i++) {
      const p = f32At(parameters, i);
      const g = f32At(gradient, i) + penalty * p;
      const m = beta1 * f32At(mean, i) + (1 - beta1) * g;
      const v = beta2 * f32At(variance, i) + (1 - beta2) * g * g;
      mean[i] = m;
      variance[i] = v;
      parameters[i] = keep * p - (stepSize * m) / (Math.sqrt(v) * correction + epsilon);
    }
  }

  get state(): OptimizerState {
    return { updates: this.#updates, slots: { mean: this.#mean, variance: this.#variance } };
  }
}
