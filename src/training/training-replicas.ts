/** @file Replicas that train a run's network, where more than one is asked for. */
import { openRankReplica, openReplicas } from "../asking/replicas.js";
import type { BatchAnswerer } from "../engine/inference/answer-batches.js";
import type { Network } from "../engine/model/network.js";
import type { OptimizerState } from "../engine/model/training-state.js";
import type { ReplicaGroup } from "../engine/replicas/group.js";
import type { ReplicaSteps } from "../engine/replicas/steps.js";
import type { RunRanks } from "./ranks/run-ranks.js";
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
  {
    settings,
    backend,
    project,
    loggers,
    ranks,
  }: Pick<RunContext, "settings" | "backend" | "project" | "loggers" | "ranks">,
  network: Network,
  restored: OptimizerState | undefined,
): Promise<TrainingReplicas | null> {
  const { replicas: choice, batchSize, freeze } = settings.train;
  const { configFile, projectDir } = project;
  const onPlan = (line: string) => loggers.message(line);
  const needs = { choice, backend, batchSize, projectDir, configFile, freeze, onPlan };
  const group =
    ranks === undefined
      ? await openReplicas(network, needs)
      : await openRankReplica(network, needs, ranks.communicator);
  if (group === null) return null;
  const { conflicts } = settings.train;
  // a run of an earlier version has no such setting
  if (conflicts !== undefined && conflicts !== "add") {
    await group.close();
    throw comparesWholeBatches(conflicts, "take --replicas 1");
  }
  if (ranks !== undefined) return openRankTraining(group, ranks, network, settings, restored);
  const [{ ReplicaSteps }, { replicaAnswerer }] = await Promise.all([
    import("../engine/replicas/steps.js"),
    import("../engine/replicas/forward.js"),
  ]);
  const steps = new ReplicaSteps(network, await stepConfig(settings.train, network), group, restored);
  return { steps, answerer: replicaAnswerer(group, () => steps.weights), close: () => group.close() };
}

/** The replica of this rank, which trains with those of the others. */
async function openRankTraining(
  group: ReplicaGroup,
  { communicator, common }: RunRanks,
  network: Network,
  settings: RunContext["settings"],
  restored: OptimizerState | undefined,
): Promise<TrainingReplicas> {
  const [{ ReplicaSteps }, { rankAnswerer, rankShards }] = await Promise.all([
    import("../engine/replicas/steps.js"),
    import("../engine/replicas/mpi/rank-shards.js"),
  ]);
  const shards = rankShards(group, communicator, common);
  const steps = new ReplicaSteps(network, await stepConfig(settings.train, network), shards, restored);
  return { steps, answerer: rankAnswerer(group, communicator, () => steps.weights), close: () => group.close() };
}
