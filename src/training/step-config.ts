/** @file The settings of a run as what its steps are computed by. */
import type { StepConfig } from "../engine/optimization/step-engine.js";
import type { Settings } from "../project/settings.js";

/** @param train settings, also those of a run of an earlier version, which lack the newer ones */
export function stepConfig({ optimizer, clipNorm, averageWeights, accumulate }: Settings["train"]): StepConfig {
  return { optimizer, clipNorm, averageDecay: averageWeights?.decay, accumulate };
}
