/** @file Optimizers over one flat parameter vector: readable, deterministic, and easy to save and resume. */
import type { OptimizerState } from "../model/training-state.js";
import { Adam, type AdamConfig, type AdamWConfig } from "./optimizers/adam.js";
import { Lion, type LionConfig } from "./optimizers/lion.js";
import { RmsProp, type RmsPropConfig } from "./optimizers/rms-prop.js";
import { Sgd, type SgdConfig } from "./optimizers/sgd.js";
import type { Optimizer } from "./optimizers/slots.js";

export type { Optimizer } from "./optimizers/slots.js";

export type OptimizerConfig = AdamConfig | AdamWConfig | LionConfig | RmsPropConfig | SgdConfig;

/**
 * @param size number of parameters
 * @param restored state of an earlier optimizer of the same kind and size, to go on from
 * @throws StoreError where that state is of another kind or size
 */
export function createOptimizer(config: OptimizerConfig, size: number, restored?: OptimizerState): Optimizer {
  switch (config.kind) {
    case "adam":
    case "adamw":
      return new Adam(config, size, restored);
    case "lion":
      return new Lion(config, size, restored);
    case "rmsprop":
      return new RmsProp(config, size, restored);
    case "sgd":
      return new Sgd(config, size, restored);
    default:
      return config satisfies never;
  }
}

/** Names of the vectors that an optimizer keeps beside the parameters. */
export function slotNames(config: OptimizerConfig): readonly string[] {
  return Object.keys(createOptimizer(config, 0).state.slots);
}
