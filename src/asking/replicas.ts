/** @file Replicas of a run's network, where more than one is asked for. */
import type { BackendInfo } from "../engine/backends/choose.js";
import type { Network } from "../engine/model/network.js";
import type { BatchAnswerer } from "../engine/inference/answer-batches.js";
import type { ReplicaGroup } from "../engine/replicas/group.js";
import type { Communicator } from "../engine/replicas/mpi/communicator.js";
import type { ReplicaChoice } from "../engine/replicas/plan.js";
import { entryModule } from "../platform/entry-point.js";

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
  const preparation = preparationFor(configFile);
  return ReplicaGroup.open(network, { ...plan, replicas, backend: backend.name, projectDir, freeze, preparation });
}

/** The one replica of a rank; those of the others have the weights that rank 0 has, from now on. */
export async function openRankReplica(
  network: Network,
  { backend, projectDir, configFile, freeze = [], onPlan }: ReplicaNeeds,
  ranks: Communicator,
): Promise<ReplicaGroup> {
  const [{ livingOn, threadsOf }, { ReplicaGroup }, { castWeights, exchangeOf }] = await Promise.all([
    import("../engine/replicas/plan.js"),
    import("../engine/replicas/group.js"),
    import("../engine/replicas/mpi/rank-weights.js"),
  ]);
  const machines = new Set(ranks.hosts).size;
  onPlan?.(`replicas: ${ranks.size} over MPI, on ${machines} ${machines === 1 ? "machine" : "machines"}`);
  await castWeights(network, ranks);
  const here = ranks.hosts.filter((host) => host === ranks.hosts[ranks.rank]).length;
  return ReplicaGroup.open(network, {
    replicas: 1,
    transport: livingOn(backend.name).transport,
    backend: backend.name,
    environments: [threadsOf(here)],
    place: { rank: ranks.rank, ranks: ranks.size, gather: exchangeOf(ranks) },
    ...{ projectDir, freeze, preparation: preparationFor(configFile) },
  });
}

function preparationFor(configFile: string | null) {
  return configFile === null ? null : { module: entryModule("project/replica-preparation"), argument: configFile };
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
