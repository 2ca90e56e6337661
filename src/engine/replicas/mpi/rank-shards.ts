/** @file The ranks of a job as replicas that share every batch: each computes its own rows, and all learn the same from it. */
import { deserialize, serialize } from "node:v8";
import { at } from "../../../arrays.js";
import { addTo } from "../../batches/arrays.js";
import type { BatchOutputs } from "../../batches/outputs.js";
import { joinOutputs, shardPlaces } from "../../batches/shards.js";
import type { BatchAnswerer, BatchAnswers } from "../../inference/answer-batches.js";
import { replicaAnswerer } from "../forward.js";
import type { ReplicaGroup } from "../group.js";
import type { Weights } from "../messages.js";
import type { ShardGroup } from "../shard-group.js";
import type { Communicator } from "./communicator.js";

/** A stop that one rank is asked for, and all make after the same step. */
export interface CommonStop {
  /** Whether this rank has been asked to stop. */
  readonly isAsked: () => boolean;
  /** Called after the step in which one of them says so. */
  readonly stop: () => void;
}

/** What a rank tells the others of its shard, beside its gradient. */
interface Told {
  readonly sums: readonly number[];
  readonly outputs: BatchOutputs;
  /** Of rank 0 alone: what all go on with. */
  readonly statistics: Float32Array | null;
  readonly stop: boolean;
}

/** @param group the replica of this rank */
export function rankShards(group: ReplicaGroup, ranks: Communicator, common: CommonStop): ShardGroup {
  return {
    size: ranks.size,
    async step(weights, requestOf, sum) {
      const request = { ...requestOf(ranks.rank), weights: group.weightsFor(0, weights) };
      const { gradient, sums, outputs, statistics } = await group.askOne(0, request);
      const shared = inSharedMemory(gradient);
      await ranks.sum(shared);
      addTo(sum, shared);
      const own: Told = { sums, outputs, statistics, stop: common.isAsked() };
      const told = (await ranks.gather(serialize(own))).map((bytes) => deserialize(bytes) as Told);
      if (told.some(({ stop }) => stop)) common.stop();
      return {
        sums: told.map((one) => one.sums),
        outputs: joinOutputs(told.map((one) => one.outputs)),
        statistics: told[0]?.statistics ?? null,
      };
    },
    ownRows: (rows) => at(shardPlaces(rows, ranks.size), ranks.rank),
  };
}

/** Batches in turn by the ranks, each of which reads its own, and told to all. */
export function rankAnswerer(group: ReplicaGroup, ranks: Communicator, weightsNow: () => Weights): BatchAnswerer {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    ...replicaAnswerer(group, weightsNow),
    // while others answer theirs, this rank answers its own, and reads the next
    parallel: 2 * ranks.size,
    share(index, answer) {
      const root = index % ranks.size;
      const own = root === ranks.rank ? answer().then((answers) => new Uint8Array(serialize(answers))) : null;
      // its failure is thrown in its turn
      own?.catch(() => {});
      // all ranks call in the order of the batches
      const told = turn.then(async () => deserialize(await ranks.cast(await own, root)) as BatchAnswers);
      turn = told.catch(() => {});
      return told;
    },
  };
}

function inSharedMemory(values: Float32Array): Float32Array {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}
