/** @file Replicas of a run's network, where more than one is asked for. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { BackendInfo } from "../engine/backends/choose.js";
import type { Network } from "../engine/model/network.js";
import type { OptimizerState } from "../engine/model/training-state.js";
import type { Forwarder } from "../engine/inference/predict.js";
import type { ReplicaGroup } from "../engine/replicas/group.js";
import type { ReplicaChoice } from "../engine/replicas/plan.js";
import type { ReplicaSteps } from "../engine/replicas/steps.js";
import { packageFile } from "../platform/package-file.js";
import type { RunContext } from "./run-context.js";

export interface ReplicaNeeds {
  readonly choice: ReplicaChoice;
  readonly backend: BackendInfo;
  /** Rows that the replicas share at a time. */
  readonly batchSize: number;
  /** Where native packages are found besides the user's cache; null: nowhere. */
  readonly projectDir: string | null;
  /** null where there is no project, or it was made by a program. */
  readonly configFile: string | null;
  readonly freeze?: readonly string[];
  /** Batches that there are: a replica without one is not opened. */
  readonly most?: number;
  /** Is told how many there are and why. */
  readonly onPlan?: (line: string) => void;
}

/** @returns null where one network is enough, which then runs in this thread */
export async function openReplicas(network: Network, needs: ReplicaNeeds): Promise<ReplicaGroup | null> {
  if (needs.choice === 1 || needs.most === 1) return null;
  const [{ bytesPerReplica, planReplicas }, { ReplicaGroup }] = await Promise.all([
    import("../engine/replicas/plan.js"),
    import("../engine/replicas/group.js"),
  ]);
  const { choice, backend, batchSize, projectDir, configFile, freeze = [] } = needs;
  const rows = choice === "auto" ? batchSize : Math.ceil(batchSize / choice);
  const plan = planReplicas(choice, backend, { batchSize, bytesPerReplica: bytesPerReplica(network, rows) });
  needs.onPlan?.(`replicas: ${plan.reason}`);
  const replicas = Math.min(plan.replicas, needs.most ?? plan.replicas);
  if (replicas === 1 && plan.transport === "threads") return null;
  const preparation = configFile === null ? null : { module: preparationModule(), argument: configFile };
  return ReplicaGroup.open(network, { ...plan, replicas, backend: backend.name, projectDir, freeze, preparation });
}

export interface TrainingReplicas {
  readonly steps: ReplicaSteps;
  /** Passes batches with the weights as they are after the latest step. */
  readonly forwarder: Forwarder;
  close(): Promise<void>;
}

/** Replicas that train a run's network; null where it trains in this thread. */
export async function openTraining(
  { settings, backend, project, loggers }: Pick<RunContext, "settings" | "backend" | "project" | "loggers">,
  network: Network,
  restored: OptimizerState | undefined,
): Promise<TrainingReplicas | null> {
  const { replicas: choice, batchSize, freeze, optimizer, clipNorm } = settings.train;
  const { configFile, projectDir } = project;
  const onPlan = (line: string) => loggers.message(line);
  const group = await openReplicas(network, { choice, backend, batchSize, projectDir, configFile, freeze, onPlan });
  if (group === null) return null;
  const [{ ReplicaSteps }, { replicaForwarder }] = await Promise.all([
    import("../engine/replicas/steps.js"),
    import("../engine/replicas/forward.js"),
  ]);
  const steps = new ReplicaSteps(network, { optimizer, clipNorm }, group, restored);
  return { steps, forwarder: replicaForwarder(group, () => steps.weights), close: () => group.close() };
}

/** Runs `work` with what passes batches through a network: replicas, or nothing where this thread does. */
export async function withForwarder<T>(
  network: Network,
  needs: ReplicaNeeds,
  work: (forwarder: Forwarder | undefined) => Promise<T>,
): Promise<T> {
  const group = await openReplicas(network, needs);
  if (group === null) return work(undefined);
  const { replicaForwarder } = await import("../engine/replicas/forward.js");
  try {
    return await work(replicaForwarder(group));
  } finally {
    await group.close();
  }
}

/** Beside this module where that is source; else as compiled, wherever this code has been bundled to. */
function preparationModule(): string {
  const source = new URL("./replica-preparation.ts", import.meta.url);
  return existsSync(source) ? source.href : pathToFileURL(packageFile("dist/training/replica-preparation.js")).href;
}
