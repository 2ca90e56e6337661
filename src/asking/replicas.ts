/** @file Replicas of a run's network, where more than one is asked for. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { BackendInfo } from "../engine/backends/choose.js";
import type { Network } from "../engine/model/network.js";
import type { BatchAnswerer } from "../engine/inference/answer-batches.js";
import type { ReplicaGroup } from "../engine/replicas/group.js";
import type { ReplicaChoice } from "../engine/replicas/plan.js";
import { packageFile } from "../platform/package-file.js";

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

/** Runs `work` with what passes batches through a network: replicas, or nothing where this thread does. */
export async function withAnswerer<T>(
  network: Network,
  needs: ReplicaNeeds,
  work: (answerer: BatchAnswerer | undefined) => Promise<T>,
): Promise<T> {
  const group = await openReplicas(network, needs);
  if (group === null) return work(undefined);
  const { replicaAnswerer } = await import("../engine/replicas/forward.js");
  try {
    return await work(replicaAnswerer(group));
  } finally {
    await group.close();
  }
}

/** Beside this module where that is source; else as compiled, wherever this code has been bundled to. */
function preparationModule(): string {
  const source = new URL("../project/replica-preparation.ts", import.meta.url);
  return existsSync(source) ? source.href : pathToFileURL(packageFile("dist/project/replica-preparation.js")).href;
}
