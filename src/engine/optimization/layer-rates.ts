/** @file Learning rates that differ from layer to layer (discriminative fine-tuning: Howard & Ruder 2018). */
import { f32At } from "../../arrays.js";
import { ConfigError, UnknownNameError } from "../../errors.js";
import type { Network } from "../model/network.js";
import type { OptimizerState } from "../model/training-state.js";
import type { Optimizer } from "./optimizer.js";

/** A stretch of the flat parameters whose learning rate is multiplied. */
export interface RateStretch {
  readonly from: number;
  readonly to: number;
  readonly factor: number;
}

/** Factors of the learning rate by the name of a layer, or its beginning with a star: `block_1_*`. */
export type LayerRates = Readonly<Record<string, number>>;

/** Where the layers of a network's trunk have rates of their own; of several names that fit the first counts. */
export function rateStretches({ layers }: Network, rates: LayerRates): RateStretch[] {
  const stretches: RateStretch[] = [];
  let from = 0;
  for (const { name, trainableWeights } of layers) {
    const size = trainableWeights.reduce((sum, weight) => sum + weight.read().size, 0);
    const [, factor = 1] = Object.entries(rates).find(([pattern]) => fits(name, pattern)) ?? [];
    if (size > 0 && factor !== 1) stretches.push({ from, to: from + size, factor });
    from += size;
  }
  return stretches;
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** @throws UnknownNameError, ConfigError for a name that no layer of the trunk has, or a beginning that none has */
export function checkLayerRates({ layers }: Network, rates: LayerRates): void {
  const names = layers.filter(({ weights }) => weights.length > 0).map(({ name }) => name);
  const unknown = Object.keys(rates).find((pattern) => !names.some((name) => fits(name, pattern)));
  if (unknown === undefined) return;
  if (!unknown.endsWith("*")) throw new UnknownNameError("layer with weights", unknown, names, "train.layerRates");
  throw new ConfigError(
    `train.layerRates names "${unknown}", but no layer of the trunk that has weights begins so. They are ${names.slice(0, 12).join(", ")}${names.length > 12 ? `, … (${names.length} in all)` : ""}.`,
    { pattern: unknown, layers: names },
  );
}

/** Every optimizer's step is linear in the learning rate, so that a part of the step is the step of a part of the rate. */
export class LayerwiseOptimizer implements Optimizer {
  readonly #optimizer: Optimizer;
  readonly #stretches: readonly RateStretch[];

  constructor(optimizer: Optimizer, stretches: readonly RateStretch[]) {
    this.#optimizer = optimizer;
    this.#stretches = stretches;
  }

  apply(parameters: Float32Array, gradient: Float32Array, learningRate: number): void {
    const before = this.#stretches.map(({ from, to }) => parameters.slice(from, to));
    this.#optimizer.apply(parameters, gradient, learningRate);
    this.#stretches.forEach(({ from, factor }, stretch) => {
      const old = before[stretch] ?? new Float32Array(0);
      for (let i = 0; i < old.length; i++) {
        const start = f32At(old, i);
        parameters[from + i] = start + factor * (f32At(parameters, from + i) - start);
      }
    });
  }

  get state(): OptimizerState {
    return this.#optimizer.state;
  }
}
