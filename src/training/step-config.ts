/** @file The settings of a run as what its steps are computed by. */
import type { Network } from "../engine/model/network.js";
import type { GradientConflicts } from "../engine/optimization/conflicts.js";
import type { StepConfig } from "../engine/optimization/step-engine.js";
import { ConfigError } from "../errors.js";
import type { Settings } from "../project/settings.js";

/**
 * @param train settings, also those of a run of an earlier version, which lack the newer ones
 * @param network what trains
 * @throws ConfigError for settings that do not go together
 */
export async function stepConfig(
  { optimizer, clipNorm, averageWeights, accumulate, conflicts, layerRates = {} }: Settings["train"],
  network: Network,
): Promise<StepConfig> {
  // a run of an earlier version has no such setting
  if (conflicts !== undefined && conflicts !== "add" && accumulate > 1) {
    throw comparesWholeBatches(conflicts, "leave out train.accumulate");
  }
  const { rateStretches } = await import("../engine/optimization/layer-rates.js");
  const stretches = rateStretches(network, layerRates);
  return { optimizer, clipNorm, averageDecay: averageWeights?.decay, accumulate, conflicts, layerRates: stretches };
}

/** @param wayOut what to change, besides leaving gradients as they are */
export function comparesWholeBatches(conflicts: GradientConflicts, wayOut: string): ConfigError {
  return new ConfigError(
    `train.conflicts: "${conflicts}" compares the tasks' gradients over a whole batch at once. Write "add", or ${wayOut}.`,
    { conflicts },
  );
}
