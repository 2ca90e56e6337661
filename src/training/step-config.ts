/** @file The settings of a run as what its steps are computed by. */
import type { Network } from "../engine/model/network.js";
import type { StepConfig } from "../engine/optimization/step-engine.js";
import type { Settings } from "../project/settings.js";

/** @param network what trains @param train settings, also those of a run of an earlier version, which lack the newer ones */
export async function stepConfig(
  { optimizer, clipNorm, averageWeights, accumulate, layerRates = {} }: Settings["train"],
  network: Network,
): Promise<StepConfig> {
  const { rateStretches } = await import("../engine/optimization/layer-rates.js");
  const stretches = rateStretches(network, layerRates);
  return { optimizer, clipNorm, averageDecay: averageWeights?.decay, accumulate, layerRates: stretches };
}
