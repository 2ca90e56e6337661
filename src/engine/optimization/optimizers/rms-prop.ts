/** @file RMSprop: gradients divided by the root of their mean square. */
import { f32At } from "../../../arrays.js";
import type { OptimizerState } from "../../model/training-state.js";
import { type Optimizer, slot } from "./slots.js";

export interface RmsPropConfig {
  readonly kind: "rmsprop";
  readonly learningRate: number;
  /** Of the mean of squared gradients. */
  readonly decay: number;
  readonly epsilon: number;
  readonly momentum: number;
  /** L2 penalty added to the gradient. */
  readonly weightDecay: number;
}

/** Tieleman & Hinton, "Lecture 6.5" (2012), in the form of torch.optim.RMSprop. */
export class RmsProp implements Optimizer {
  readonly #config: RmsPropConfig;
  readonly #square: Float32Array;
  readonly #velocity: Float32Array;
  #updates: number;

  constructor(config: RmsPropConfig, size: number, restored?: OptimizerState) {
    this.#config = config;
    this.#updates = restored?.updates ?? 0;
    this.#square = slot(restored, "square", size);
    this.#velocity = slot(restored, "velocity", size);
  }

  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void {
    const { decay, epsilon, momentum, weightDecay } = this.#config;
    const square = this.#square;
    const velocity = this.#velocity;
    this.#updates += 1;
    for (let i = 0; i < parameters.length; i++) {
      const p = f32At(parameters, i);
      const g = f32At(gradient, i) + weightDecay * p;
      const s = decay * f32At(square, i) + (1 - decay) * g * g;
      const v = momentum * f32At(velocity, i) + g / (Math.sqrt(s) + epsilon);
      square[i] = s;
      velocity[i] = v;
      parameters[i] = p - learningRate * v;
    }
  }

  get state(): OptimizerState {
    return { updates: this.#updates, slots: { square: this.#square, velocity: this.#velocity } };
  }
}
