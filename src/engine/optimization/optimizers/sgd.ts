/** @file Stochastic gradient descent. */
import { f32At } from "../../../arrays.js";
import type { OptimizerState } from "../../model/training-state.js";
import { type Optimizer, slot } from "./slots.js";

export interface SgdConfig {
  readonly kind: "sgd";
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  /** L2 penalty added to the gradient. */
  readonly weightDecay: number;
}

/** Stochastic gradient descent with (Nesterov) momentum: Sutskever et al. (2013), in the form of torch.optim.SGD. */
export class Sgd implements Optimizer {
  readonly #config: SgdConfig;
  readonly #velocity: Float32Array;
  #updates: number;

  constructor(config: SgdConfig, size: number, restored?: OptimizerState) {
    this.#config = config;
    this.#updates = restored?.updates ?? 0;
    this.#velocity = slot(restored, "velocity", size);
  }

  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void {
    const { momentum, nesterov, weightDecay } = this.#config;
    const velocity = this.#velocity;
    this.#updates += 1;
    for (let i = 0; i < parameters.length; i++) {
      const p = f32At(parameters, i);
      const g = f32At(gradient, i) + weightDecay * p;
      const v = momentum * f32At(velocity, i) + g;
      velocity[i] = v;
      parameters[i] = p - learningRate * (nesterov ? g + momentum * v : v);
    }
  }

  get state(): OptimizerState {
    return { updates: this.#updates, slots: { velocity: this.#velocity } };
  }
}
