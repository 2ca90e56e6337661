/** @file Batches passed through replicas, each by the first one that is free. */
import type { BatchAnswerer } from "../inference/answer-batches.js";
import type { ReplicaGroup } from "./group.js";
import type { Weights } from "./messages.js";

/** @param weightsNow what the replicas must have; null: what they have been opened with */
export function replicaAnswerer(group: ReplicaGroup, weightsNow: () => Weights | null = () => null): BatchAnswerer {
  const free = Array.from({ length: group.size }, (_, rank) => rank);
  const waiting: ((rank: number) => void)[] = [];
  const freeReplica = async (): Promise<number> =>
    free.shift() ?? (await new Promise((resolve) => waiting.push(resolve)));
  return {
    // one more, so that it is read while the replicas compute
    parallel: group.size + 1,
    async answer(inputs, rows, labels) {
      const rank = await freeReplica();
      const weights = group.weightsFor(rank, weightsNow());
      const { outputs } = await group.askOne(rank, { kind: "forward", weights, rows, inputs, answers: labels });
      const next = waiting.shift();
      if (next === undefined) free.push(rank);
      else next(rank);
      return outputs;
    },
  };
}
