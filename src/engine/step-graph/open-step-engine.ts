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
 * On TensorFlow a step is one graph; elsewhere tfjs runs it kernel by kernel. The caller disposes the engine.
 */
export async function openStepEngine(
  network: Network,
  config: StepConfig,
  { restored, warn }: StepEngineOptions,
): Promise<StepEngine> {
  const backend = tensorflowBackend();
  if (backend === null) return new EagerSteps(network, config, restored);
  const { GraphSteps } = await import("./graph-step.js");
  return new GraphSteps(backend, network, config, restored, warn);
}
