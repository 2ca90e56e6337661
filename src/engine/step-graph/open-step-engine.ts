/** @file Which engine computes the steps on the active backend. */
import type { Network } from "../model/network.js";
import type { OptimizerState } from "../model/training-state.js";
import { tensorflowBackend } from "../backends/tensorflow/binding.js";
import { EagerSteps } from "../optimization/eager-step.js";
import type { StepConfig, StepEngine } from "../optimization/step-engine.js";

export interface StepEngineOptions {
  /** The optimizer's, of a checkpoint to go on from. */
  readonly restored?: OptimizerState | undefined;
  /** Is told where steps are slower than they could be, and why. */
  readonly warn: (message: string) => void;
}

/**
 * On TensorFlow a step is one graph, unless it is computed in parts, layers have rates of their own, or gradients are
 * projected; elsewhere tfjs runs it kernel by kernel. The caller disposes the engine.
 */
export async function openStepEngine(
  network: Network,
  config: StepConfig,
  { restored, warn }: StepEngineOptions,
): Promise<StepEngine> {
  const backend = tensorflowBackend();
  const { accumulate = 1, layerRates = [], conflicts = "add" } = config;
  const why =
    accumulate > 1
      ? "train.accumulate computes them in parts"
      : layerRates.length > 0
        ? "train.layerRates gives layers rates of their own"
        : conflicts !== "add"
          ? `train.conflicts: "${conflicts}" compares the tasks' gradients`
          : null;
  if (backend !== null && why !== null) {
    warn(`Training steps run op by op instead of as one TensorFlow graph, because ${why}.`);
  }
  if (backend === null || why !== null) return new EagerSteps(network, config, restored);
  const { GraphSteps } = await import("./graph-step.js");
  return new GraphSteps(backend, network, config, restored, warn);
}
