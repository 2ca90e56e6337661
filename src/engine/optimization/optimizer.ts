/** @file Optimizers over one flat parameter vector: readable, deterministic, and easy to save and resume. */
import { f32At } from "../../arrays.js";
import type { OptimizerState } from "../model/training-state.js";
import { StoreError } from "../../errors.js";

export interface AdamWConfig {
  readonly kind: "adamw";
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled weight decay. */
  readonly weightDecay: number;
}
export interface SgdConfig {
  readonly kind: "sgd";
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  /** L2 penalty added to the gradient. */
  readonly weightDecay: number;
}
export type OptimizerConfig = AdamWConfig | SgdConfig;

/** Updates a parameter vector in place, step by step. */
export interface Optimizer {
  /**
   * @param parameters changed in place
   * @param gradient same length, not changed
   */
  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void;
  readonly state: OptimizerState;
}

/**
 * @param size number of parameters
 * @param restored state of an earlier optimizer of the same kind and size, to go on from
 */
export function createOptimizer(config: OptimizerConfig, size: number, restored?: OptimizerState): Optimizer {
  switch (config.kind) {
    case "adamw":
      return new AdamW(config, size, restored);
    case "sgd":
      return new Sgd(config, size, restored);
    default:
      return config satisfies never;
  }
}

/** Adam with decoupled weight decay: Loshchilov & Hutter (2019), Algorithm 2, as in torch.optim.AdamW. */
class AdamW implements Optimizer {
  readonly #config: AdamWConfig;
  readonly #mean: Float32Array;
  readonly #variance: Float32Array;
  #updates: number;

  constructor(config: AdamWConfig, size: number, restored?: OptimizerState) {
    this.#config = config;
    this.#updates = restored?.updates ?? 0;
    this.#mean = slot(restored, "mean", size);
    this.#variance = slot(restored, "variance", size);
  }

  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#config;
    const mean = this.#mean;
    const variance = this.#variance;
    this.#updates += 1;
    const stepSize = learningRate / (1 - beta1 ** this.#updates);
    const correction = 1 / Math.sqrt(1 - beta2 ** this.#updates);
    const keep = 1 - learningRate * weightDecay;
    for (let i = 0; i < parameters.length; i++) {
      const g = f32At(gradient, i);
      const m = beta1 * f32At(mean, i) + (1 - beta1) * g;
      const v = beta2 * f32At(variance, i) + (1 - beta2) * g * g;
      mean[i] = m;
      variance[i] = v;
      parameters[i] = keep * f32At(parameters, i) - (stepSize * m) / (Math.sqrt(v) * correction + epsilon);
    }
  }

  get state(): OptimizerState {
    return { updates: this.#updates, slots: { mean: this.#mean, variance: this.#variance } };
  }
}

/** Stochastic gradient descent with (Nesterov) momentum: Sutskever et al. (2013), in the form of torch.optim.SGD. */
class Sgd implements Optimizer {
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

function slot(restored: OptimizerState | undefined, name: string, size: number): Float32Array {
  if (restored === undefined) return new Float32Array(size);
  const kept = restored.slots[name];
  if (kept?.length !== size) {
    throw new StoreError(
      `The optimizer's state holds ${kept?.length ?? "no"} numbers of "${name}" for ${size} parameters: it belongs to another network or optimizer. Start a new run.`,
      { slot: name, expected: size, found: kept?.length ?? null },
    );
  }
  return kept.slice();
}

/** Euclidean norm of all gradients together. */
export function globalNorm(gradient: Float32Array): number {
  let sum = 0;
  // an index: the iterator of a typed array takes several times as long
  for (let i = 0; i < gradient.length; i++) sum += f32At(gradient, i) ** 2;
  return Math.sqrt(sum);
}

/**
 * Scales the gradient in place so that its norm is at most `maxNorm`: Pascanu, Mikolov & Bengio (2013).
 * @returns the norm before
 */
export function clipByGlobalNorm(gradient: Float32Array, maxNorm: number | null): number {
  const norm = globalNorm(gradient);
  if (maxNorm !== null && norm > maxNorm) {
    const factor = maxNorm / norm;
    for (let i = 0; i < gradient.length; i++) gradient[i] = f32At(gradient, i) * factor;
  }
  return norm;
}
