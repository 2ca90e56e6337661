/** @file The settings of a run as what its steps are computed by. */
import type { Network } from "../engine/model/network.js";
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
  if (conflicts === "project" && accumulate > 1) throw comparesWholeBatches("leave out train.accumulate");
  const { rateStretches } = await import("../engine/optimization/layer-rates.js");
  const stretches = rateStretches(network, layerRates);
  return { optimizer, clipNorm, averageDecay: averageWeights?.decay, accumulate, conflicts, layerRates: stretches };
}

/** @param wayOut what to change, besides leaving gradients as they are */
export function comparesWholeBatches(wayOut: string): ConfigError {
  return new ConfigError(
    `train.conflicts: "project" compares the tasks' gradients over a whole batch at once. Write "add", or ${wayOut}.`,
    { conflicts: "project" },
  );
}
