/** @file An exponential moving average of the weights, beside whatever optimizer moves them. */
import { f32At } from "../../arrays.js";
import type { OptimizerState } from "../model/training-state.js";
import { LayerwiseOptimizer, type RateStretch } from "./layer-rates.js";
import { createOptimizer, type Optimizer, type OptimizerConfig, slotNames } from "./optimizer.js";
import { slot } from "./optimizers/slots.js";

/** Slot of the optimizer's state that holds the average. */
export const AVERAGE = "average";

/** What is done with gradients. */
export interface UpdateConfig {
  readonly optimizer: OptimizerConfig;
  /** Decay of the moving average of the weights; null or left out: there is none. */
  readonly averageDecay?: number | null | undefined;
  /** Parameters with a learning rate of their own; default none. */
  readonly layerRates?: readonly RateStretch[] | undefined;
}

/**
 * An optimizer that averages the parameters it has moved, where a decay is given.
 * @param restored state of an earlier one of the same configuration and size
 * @throws StoreError where that state is of another kind or size
 */
export function createUpdater(
  { optimizer, averageDecay = null, layerRates = [] }: UpdateConfig,
  size: number,
  restored?: OptimizerState,
): Optimizer {
  const whole = createOptimizer(optimizer, size, restored);
  const own = layerRates.length === 0 ? whole : new LayerwiseOptimizer(whole, layerRates);
  return averageDecay === null ? own : new Averaging(own, averageDecay, slot(restored, AVERAGE, size));
}

/** Names of the vectors that are kept beside the parameters. */
export function updaterSlots({ optimizer, averageDecay = null }: UpdateConfig): readonly string[] {
  return averageDecay === null ? slotNames(optimizer) : [...slotNames(optimizer), AVERAGE];
}

/**
 * Share of the average that an update keeps. The first update is the average; the decay grows towards its value as in
 * TensorFlow's `ExponentialMovingAverage(num_updates)`, so that a short run is not mostly its first weights.
 * @param averaged updates that the average is made of already
 */
export function decayAt(decay: number, averaged: number): number {
  return averaged === 0 ? 0 : Math.min(decay, (1 + averaged) / (10 + averaged));
}

/** Polyak & Juditsky (1992), with weights that decay exponentially: torch.optim.swa_utils.AveragedModel. */
class Averaging implements Optimizer {
  readonly #optimizer: Optimizer;
  readonly #decay: number;
  readonly #average: Float32Array;

  constructor(optimizer: Optimizer, decay: number, average: Float32Array) {
    this.#optimizer = optimizer;
    this.#decay = decay;
    this.#average = average;
  }

  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void {
    const keep = decayAt(this.#decay, this.#optimizer.state.updates);
    this.#optimizer.apply(parameters, gradient, learningRate);
    const average = this.#average;
    for (let i = 0; i < average.length; i++) {
      average[i] = keep * f32At(average, i) + (1 - keep) * f32At(parameters, i);
    }
  }

  get state(): OptimizerState {
    const { updates, slots } = this.#optimizer.state;
    return { updates, slots: { ...slots, [AVERAGE]: this.#average } };
  }
}
