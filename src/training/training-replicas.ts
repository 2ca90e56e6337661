/** @file Replicas that train a run's network, where more than one is asked for. */
import { openReplicas } from "../asking/replicas.js";
import type { BatchAnswerer } from "../engine/inference/answer-batches.js";
import type { Network } from "../engine/model/network.js";
import type { OptimizerState } from "../engine/model/training-state.js";
import type { ReplicaSteps } from "../engine/replicas/steps.js";
import type { RunContext } from "./run-context.js";
import { comparesWholeBatches, stepConfig } from "./step-config.js";

export interface TrainingReplicas {
  readonly steps: ReplicaSteps;
  /** Passes batches with the weights as they are after the latest step. */
  readonly answerer: BatchAnswerer;
  close(): Promise<void>;
}

/** Replicas that train a run's network; null where it trains in this thread. */
export async function openTraining(
  { settings, backend, project, loggers }: Pick<RunContext, "settings" | "backend" | "project" | "loggers">,
  network: Network,
  restored: OptimizerState | undefined,
): Promise<TrainingReplicas | null> {
  const { replicas: choice, batchSize, freeze } = settings.train;
  const { configFile, projectDir } = project;
  const onPlan = (line: string) => loggers.message(line);
  const group = await openReplicas(network, { choice, backend, batchSize, projectDir, configFile, freeze, onPlan });
  if (group === null) return null;
  const { conflicts } = settings.train;
  // a run of an earlier version has no such setting
  if (conflicts !== undefined && conflicts !== "add") {
    await group.close();
    throw comparesWholeBatches(conflicts, "take --replicas 1");
  }
  const [{ ReplicaSteps }, { replicaAnswerer }] = await Promise.all([
    import("../engine/replicas/steps.js"),
    import("../engine/replicas/forward.js"),
  ]);
  const steps = new ReplicaSteps(network, await stepConfig(settings.train, network), group, restored);
  return { steps, answerer: replicaAnswerer(group, () => steps.weights), close: () => group.close() };
}
